"""The settings of a Gusto connection, checked before anything is called."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from counterfoil.sources.values import PlainText

API_VERSION = "2025-06-15"
BASE_URL = "https://api.gusto.com"


class GustoSettings(BaseModel):
    """One company at Gusto.

    Either `access_token` alone (it ends after two hours), or `refresh_token` with `client_id` and `client_secret`.
    Events need a system access token: the client's credentials fetch one; without them each poll reads the lists again.

    Args:
        since: the first check date to read; a year before the first reading where it is not set.
        webhook_url: where Gusto shall deliver; the subscription, its handshake and its token are then seen to.
        verification_token: keys the signatures of webhooks, of a subscription that somebody made.
        requests_per_minute: our share of Gusto's 200 a minute for each grant.
        unassigned: the department of people who have none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    company_uuid: Annotated[str, Field(min_length=1)]
    base_url: Annotated[str, Field(pattern=r"^https?://[^/]+/?$")] = BASE_URL
    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    client_id: PlainText | None = None
    client_secret: SecretStr | None = None
    system_access_token: SecretStr | None = None
    verification_token: SecretStr | None = None
    webhook_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    api_version: str = API_VERSION
    since: date | None = None
    requests_per_minute: Annotated[int, Field(ge=1)] = 180
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    unassigned: Annotated[str, Field(min_length=1)] = "Unassigned"

    @model_validator(mode="after")
    def _way_in(self) -> "GustoSettings":
        if self.access_token is None and self.refresh_token is None:
            raise ValueError("give access_token, or refresh_token with client_id and client_secret")
        if self.refresh_token is not None and (self.client_id is None or self.client_secret is None):
            raise ValueError("refresh_token needs client_id and client_secret")
        return self

    @property
    def sees_events(self) -> bool:
        """Whether a system access token can be had."""
        return self.system_access_token is not None or (self.client_id is not None and self.client_secret is not None)
