"""What a Pipedrive connection is told by its configuration and its mapping."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from counterfoil.sources.values import PlainText

ANY_COMPANY = "https://api.pipedrive.com"
OAUTH_URL = "https://oauth.pipedrive.com"
DEFAULT_STATUS = "won"

# Types of the values that a mapping's [write_back] section can name; everything else is text.
_NUMBERS = frozenset({"balance", "amount_paid", "credited", "overpaid"})
_DATES = frozenset({"last_payment_date", "due_date"})


class PipedriveSettings(BaseModel):
    """One Pipedrive company; secrets never show in its repr.

    `api_token` is a user's own. Instead of it, `client_id`, `client_secret` and `refresh_token` of an OAuth app, whose
    token answers say which address to call. `company_id` and `company_domain` pin the company: a token for another one
    is refused. Fields (`number_field`, …) are named as people see them in Pipedrive.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str | None = Field(default=None, pattern=r"^https?://[^/]+/?$")
    company_domain: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    company_id: str | None = Field(default=None, coerce_numbers_to_str=True)
    oauth_url: str = Field(default=OAUTH_URL, pattern=r"^https?://[^/]+/?$")
    api_token: SecretStr | None = None
    client_id: PlainText | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    webhook_user: PlainText | None = None
    webhook_password: SecretStr | None = None
    customer: Literal["either", "organization", "person"] = "either"
    status: Literal["status", "stage"] = "status"
    installments: Literal["invoices", "ignore"] = "invoices"
    recurring: Literal["park", "once"] = "park"
    number_field: str | None = None
    due_field: str | None = None
    rate_field: str | None = None
    organization_email_field: str | None = None
    create_fields: bool = True
    overlap_seconds: int = Field(default=30, ge=0, le=86_400)
    page_rows: int = Field(default=500, ge=1, le=500)
    poll_deletions: bool = True
    calls_per_2_seconds: int = Field(default=20, ge=4)
    daily_tokens: int | None = Field(default=None, ge=100)
    reserve_tokens: int = Field(default=1_000, ge=0)
    timeout_seconds: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.api_token is None and not (self.client_id and self.client_secret and self.refresh_token):
            raise ValueError("give api_token, or client_id, client_secret and refresh_token")
        if (self.webhook_user is None) != (self.webhook_password is None):
            raise ValueError("give webhook_user and webhook_password together")
        return self

    @property
    def address(self) -> str:
        """Where the API is, until a token answer says otherwise."""
        if self.base_url is not None:
            return self.base_url.rstrip("/")
        return f"https://{self.company_domain}.pipedrive.com" if self.company_domain else ANY_COMPANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the mapping wants of deals: which statuses become invoices, which fields take which type of value."""

    statuses: frozenset[str]
    write_back: Mapping[str, str]
    currency: str | None


def read_wishes(mapping: Mapping[str, Any]) -> Wishes:
    """What of the mapping bears on reading and writing deals."""
    when = _table(mapping, "invoice").get("when", DEFAULT_STATUS)
    statuses = [when] if isinstance(when, str) else when
    named = _table(mapping, "write_back")
    currency = _table(mapping, "connection").get("currency")
    return Wishes(
        statuses=frozenset(str(status).casefold() for status in statuses),
        write_back={str(name): _type_of(role) for role, name in named.items() if name},
        currency=currency if isinstance(currency, str) else None,
    )


def _table(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    held = mapping.get(name)
    return held if isinstance(held, Mapping) else {}


def _type_of(role: str) -> str:
    if role in _NUMBERS:
        return "double"
    if role in _DATES:
        return "date"
    return "text" if role == "problem" else "varchar"
