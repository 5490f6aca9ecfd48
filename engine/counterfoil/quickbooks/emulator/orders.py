"""The bodies that the control address takes, checked before anything is done with them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from counterfoil.quickbooks.emulator.catalog import BY_PATH
from counterfoil.quickbooks.emulator.injection import FaultKind, FaultRule
from counterfoil.quickbooks.emulator.known_faults import KNOWN
from counterfoil.quickbooks.emulator.notifications import WebhookFormat

Positive = Annotated[int, Field(ge=0, le=1_000_000)]
Seconds = Annotated[float, Field(ge=0, le=1_000_000_000)]


class Order(BaseModel):
    """Strict about names, so that a slip of the pen does not pass unnoticed."""

    model_config = ConfigDict(extra="forbid")


class FaultOrder(Order):
    """A fault to inject; see `FaultRule` for what each part means."""

    kind: FaultKind
    entity: str | None = None
    operation: str | None = None
    batch: bool | None = None
    body_contains: str | None = None
    after: Positive = 0
    count: Positive | None = 1
    seconds: Seconds | None = None
    hold_seconds: Seconds | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    effect: bool = False
    requests_per_minute: Positive = 0
    id: str | None = None
    code: str = ""
    detail: Annotated[str, Field(max_length=4000)] = ""
    element: str = ""

    @model_validator(mode="after")
    def _names_a_code(self) -> Self:
        if self.kind in {"fault", "item_fault"} and self.code not in KNOWN:
            raise ValueError(f"code must be one of {', '.join(KNOWN)}")
        return self

    def rule(self, number: int) -> FaultRule:
        """The rule that this order asks for."""
        spec = BY_PATH.get((self.entity or "").lower())
        unbounded = self.kind == "throttle" and self.seconds is not None and "count" not in self.model_fields_set
        return FaultRule(
            number=number,
            kind=self.kind,
            entity=spec.name if spec is not None else self.entity,
            operation=self.operation.lower() if self.operation is not None else None,
            batch=self.batch,
            body_contains=self.body_contains,
            after=self.after,
            count=None if unbounded else self.count,
            seconds=self.seconds,
            hold_seconds=self.hold_seconds,
            status=self.status,
            effect=self.effect,
            requests_per_minute=self.requests_per_minute,
            id=self.id,
            code=self.code,
            detail=self.detail,
            element=self.element,
        )


class ClockOrder(Order):
    """Move or change the clock."""

    advance_seconds: Seconds = 0.0
    mode: Literal["manual", "running"] | None = None
    scale: Annotated[float, Field(gt=0, le=1_000_000)] | None = None


class WebhookOrder(Order):
    """Where notifications go and how."""

    url: str = ""
    format: WebhookFormat = "cloudevents"
    gather_seconds: Seconds = 0.05
    coalesce: bool = True
    other_realm: str = ""


class LimitsOrder(Order):
    """What is allowed from now on."""

    enabled: bool = True
    requests_per_minute: Positive = 500
    requests_per_second: Positive = 10
    concurrent: Positive = 10
    batches_per_minute: Positive = 40
    batches_per_minute_realm: Positive = 120
    combined_per_minute: Positive = 800
    metered_per_month: Positive = 0
    mails_per_day: Positive = 40
    count_rejected: bool = False


class OAuthOrder(Order):
    """What happens to the tokens."""

    expire_access: bool = False
    rotate: bool = False
    revoke: bool = False
    deny: bool = False


def complaint(error: ValidationError) -> str:
    """One sentence on what is wrong with an order."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return f"{where}: {first['msg']}"
