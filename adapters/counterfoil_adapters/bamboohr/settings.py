"""The settings of a BambooHR connection, and what its mapping asks of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from counterfoil.sources.values import PlainText

DAYS_KEPT = 364
"""BambooHR: time sheets of the last 365 days are shown."""


class BambooSettings(BaseModel):
    """One company at BambooHR.

    Either `api_key`, or `refresh_token` with `client_id` and `client_secret`, or `access_token` alone for its hour.

    Args:
        company_domain: the part before `.bamboohr.com`.
        company_id: BambooHR's own number of the company, which webhooks name; those of another are passed over.
        webhook_key: the `privateKey` that BambooHR shows once, when a webhook is made.
        webhook_minutes: how far from now a delivery may have been signed.
        since: the first day of time to read; a year before the first reading where it is not set.
        reread_days: how far back each poll reads time again, for corrections; later ones are not seen.
        compensation: read rates of pay, which stay sealed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    company_domain: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")]
    base_url: Annotated[str | None, Field(pattern=r"^https?://[^/]+/?$")] = None
    api_key: SecretStr | None = None
    client_id: PlainText | None = None
    client_secret: SecretStr | None = None
    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    company_id: Annotated[str | None, Field(coerce_numbers_to_str=True)] = None
    webhook_key: SecretStr | None = None
    webhook_minutes: Annotated[int, Field(ge=1, le=1440)] = 5
    since: date | None = None
    reread_days: Annotated[int, Field(ge=1, le=DAYS_KEPT)] = 35
    compensation: bool = False
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0

    @model_validator(mode="after")
    def _way_in(self) -> Self:
        if self.api_key is None and self.access_token is None and self.refresh_token is None:
            raise ValueError("give api_key, or refresh_token with client_id and client_secret")
        if self.refresh_token is not None and (self.client_id is None or self.client_secret is None):
            raise ValueError("refresh_token needs client_id and client_secret")
        return self

    @property
    def url(self) -> str:
        """Where the company's API is."""
        return self.base_url or f"https://{self.company_domain}.bamboohr.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the mapping asks for: the zone of dates, a field for ids of the books, departments beside hours."""

    zone: ZoneInfo
    id_field: str | None
    tracks: bool

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Self:
        """As the mapping says; an adapter that was given none asks for nothing, in UTC."""
        connection, write_back, time = (_table(mapping, name) for name in ("connection", "write_back", "time"))
        return cls(
            zone=ZoneInfo(str(connection.get("zone", "UTC"))),
            id_field=write_back.get("employee_id"),
            tracks=time.get("track", "none") != "none",
        )


def _table(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = mapping.get(name)
    return found if isinstance(found, Mapping) else {}
