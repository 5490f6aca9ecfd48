"""What a Salesforce connection is told by its configuration and its mapping."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from counterfoil.sources.values import PlainText
from counterfoil_adapters.salesforce.shapes import KindTable


class SalesforceSettings(BaseModel):
    """One connection's settings; secrets never show in its repr.

    With `client_id` go either `username` and `private_key` (the JWT flow), or `client_secret` and `refresh_token` (a
    user's consent), or `client_secret` alone (client credentials; `login_url` must then be the org's own My Domain).
    `audience` is what the JWT is made out for. `org_id` pins the connection to one org. `currency` is that of an org
    with a single one. `client` is how our writes name themselves to others. `proof_seconds` stand between two
    questions for how far Salesforce's answers are complete, and what was deleted. With `change_events` polls draw from
    the Pub/Sub API, and sweep every `sweep_seconds` only.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    login_url: str = "https://login.salesforce.com"
    api_version: str = Field(default="66.0", pattern=r"^\d{2,3}\.0$")
    client_id: PlainText
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    username: PlainText | None = None
    private_key: SecretStr | None = None
    audience: str = "https://login.salesforce.com"
    org_id: PlainText | None = Field(default=None, pattern=r"^00D[0-9A-Za-z]{12}([0-9A-Za-z]{3})?$")
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    client: str = Field(default="counterfoil", pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    contacts: bool = False
    kinds: dict[str, KindTable] = Field(default_factory=dict)
    overlap_seconds: int = Field(default=60, ge=0, le=86_400)
    proof_seconds: int = Field(default=300, ge=0, le=86_400)
    page_rows: int = Field(default=500, ge=1, le=2000)
    calls_per_second: int = Field(default=5, ge=1)
    daily_share_percent: int = Field(default=80, ge=1, le=100)
    timeout_seconds: int = Field(default=60, ge=1)
    change_events: bool = False
    pubsub_url: str = "https://api.pubsub.salesforce.com:7443"
    quiet_seconds: float = Field(default=2.0, gt=0, le=60)
    sweep_seconds: int = Field(default=900, ge=0, le=86_400)

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if self.client_secret is None and not (self.username and self.private_key):
            raise ValueError("give client_secret (with refresh_token, or alone), or username and private_key")
        return self


def written_fields(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that the mapping's `[write_back]` section names."""
    section = mapping.get("write_back")
    named = section.values() if isinstance(section, Mapping) else ()
    return tuple(dict.fromkeys(str(name) for name in named if name))
