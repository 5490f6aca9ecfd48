"""What a HubSpot connection is told by its configuration and its mapping."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from counterfoil.sources.values import PlainText

ApiVersion = Literal["2026-09", "v3"]

# Types of the values that a mapping's [write_back] section can name; everything else is text.
_NUMBERS = frozenset({"balance", "amount_paid", "credited", "overpaid"})
_DATES = frozenset({"last_payment_date", "due_date"})


class HubSpotSettings(BaseModel):
    """One connection's settings; secrets never show in its repr.

    `access_token` is a service key or a private app's token. Instead of it, `client_id`, `client_secret` and
    `refresh_token` of an OAuth app. `client_secret` also signs webhooks. `currency` stands in for a deal that names
    none. `number_property`, `due_property` and `rate_property` are deal properties for the document
    number, the due date and the exchange rate.
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


def write_back_types(mapping: Mapping[str, Any]) -> dict[str, str]:
    """The deal properties that the mapping writes back to, each with its HubSpot type."""
    section = mapping.get("write_back")
    named = section if isinstance(section, Mapping) else {}
    return {str(name): _type_of(role) for role, name in named.items() if name}


def _type_of(role: str) -> str:
    if role in _NUMBERS:
        return "number"
    return "date" if role in _DATES else "string"
