"""What a HubSpot connection is told by its configuration and its mapping."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from counterfoil.sources.values import PlainText

ApiVersion = Literal["2026-09", "v3"]


class HubSpotSettings(BaseModel):
    """One connection's settings; secrets never show in its repr.

    `access_token` is a service key or a private app's token. Instead of it, `client_id`, `client_secret` and
    `refresh_token` of an OAuth app. `client_secret` also signs webhooks. `currency` stands in for a deal that names
    none. `number_property`, `due_property` and `rate_property` are deal properties for the document
    number, the due date and the exchange rate. `key_property` holds a unique value of ours on each record that is
    written back to, by which others may find it, and by which it is found again under another id.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    base_url: str = "https://api.hubapi.com"
    api_version: ApiVersion = "2026-09"
    access_token: SecretStr | None = None
    client_id: PlainText | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    app_id: str | None = Field(default=None, coerce_numbers_to_str=True)
    portal_id: str | None = Field(default=None, coerce_numbers_to_str=True)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    number_property: str | None = None
    due_property: str | None = None
    rate_property: str | None = None
    key_property: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,99}$")
    overlap_seconds: int = Field(default=30, ge=0, le=86_400)
    calls_per_10_seconds: int = Field(default=100, ge=10)
    searches_per_second: int = Field(default=5, ge=1)
    timeout_seconds: int = Field(default=30, ge=1)
    poll_deletions: bool = True

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        whole = self.client_id and self.client_secret and self.refresh_token
        if self.access_token is None and not whole:
            raise ValueError("give access_token, or client_id, client_secret and refresh_token")
        return self
