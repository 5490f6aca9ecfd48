"""Faults on purpose: which request is hit, by what, and how often."""

from dataclasses import dataclass
from typing import Literal, get_args

from counterfoil.ports import Clock
from counterfoil.quickbooks.emulator.faults import GatewayFaultError, QuickBooksFaultError
from counterfoil.quickbooks.emulator.known_faults import known_fault
from counterfoil_schema.exact_json import JsonObject, dumps

FaultKind = Literal[
    "lost_answer",
    "late_effect",
    "throttle",
    "server_error",
    "html_error",
    "xml_fault",
    "slow",
    "stale",
    "auth_expired",
    "drop_webhook",
    "double_webhook",
    "other_app",
    "cdc_false_delete",
    "fault",
    "item_fault",
]
KINDS: frozenset[str] = frozenset(get_args(FaultKind))
# These change how a request goes; any number of them can apply to one request.
MODIFIERS = frozenset({"slow", "stale"})
# These are settings rather than blows on a request.
STANDING = frozenset({"other_app", "cdc_false_delete", "item_fault"})
WEBHOOK = frozenset({"drop_webhook", "double_webhook"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule looks at: the entities and operations of a request, whether it is a batch, its text."""

    entities: frozenset[str]
    operations: frozenset[str]
    batch: bool
    text: str


@dataclass(slots=True)
class FaultRule:
    """One injected fault.

    Attributes:
        entity, operation, batch, body_contains: whom it hits; None hits all.
        after: how many matching requests pass before the first is hit.
        count: how many are hit; None for all until the rule is removed.
        seconds: delay of `slow`; wait of `late_effect` after the client went; length of `throttle`.
        hold_seconds: how long `lost_answer` and `late_effect` keep the client waiting before the connection drops;
            None waits until the client gives up by itself (late_effect) or drops at once (lost_answer).
        status: of `server_error` (500) and `html_error` (502).
        effect: `server_error`, `html_error` and `xml_fault` answer after the effect instead of before.
        code, detail, element: of `fault`, which is the whole answer, and of `item_fault`, which is that of one item
            of a batch or of a single write.
        requests_per_minute: of `other_app`.
        id: of `cdc_false_delete`.
    """

    number: int
    kind: FaultKind
    entity: str | None = None
    operation: str | None = None
    batch: bool | None = None
    body_contains: str | None = None
    after: int = 0
    count: int | None = 1
    seconds: float | None = None
    hold_seconds: float | None = None
    status: int | None = None
    effect: bool = False
    requests_per_minute: int = 0
    id: str | None = None
    code: str = ""
    detail: str = ""
    element: str = ""
    matched: int = 0
    fired: int = 0
    ends: float | None = None

    def fault(self) -> GatewayFaultError | QuickBooksFaultError:
        """What `fault` and `item_fault` answer."""
        return known_fault(self.code, status=self.status, detail=self.detail, element=self.element)

    def as_json(self) -> JsonObject:
        return {
            "number": self.number,
            "kind": self.kind,
            "entity": self.entity,
            "operation": self.operation,
            "matched": self.matched,
            "fired": self.fired,
            "count": self.count,
        }


class FaultBoard:
    """The rules in force, in the order in which they were posted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made = 0
        self.rules: list[FaultRule] = []

    def next_number(self) -> int:
        self._made += 1
        return self._made

    def post(self, rule: FaultRule) -> None:
        """Put a rule in force; a throttle with a length and no count ends by the clock."""
        if rule.kind == "throttle" and rule.seconds is not None:
            rule.ends = self._clock.monotonic() + rule.seconds
        self.rules.append(rule)

    def clear(self, number: int | None = None) -> int:
        """Remove one rule, or all; returns how many."""
        kept = [rule for rule in self.rules if number is not None and rule.number != number]
        removed = len(self.rules) - len(kept)
        self.rules = kept
        return removed

    def hits(self, target: Target) -> list[FaultRule]:
        """The rules that hit this request: any modifiers, and at most one that decides its answer."""
        found: list[FaultRule] = []
        for rule in self.rules:
            if rule.kind in STANDING or rule.kind in WEBHOOK or not self._fires(rule, target):
                continue
            found.append(rule)
            if rule.kind not in MODIFIERS:
                break
        return found

    def hits_webhook(self, kind: FaultKind, target: Target) -> bool:
        """Whether a delivery is dropped or doubled."""
        return any(rule.kind == kind and self._fires(rule, target) for rule in self.rules)

    def hits_write(self, entity: str, operation: str, body: JsonObject) -> FaultRule | None:
        """The rule that refuses this one write, if there is one."""
        rules = [rule for rule in self.rules if rule.kind == "item_fault"]
        if not rules:
            return None
        target = Target(frozenset({entity}), frozenset({operation}), batch=False, text=_text_of(body))
        return next((rule for rule in rules if self._fires(rule, target)), None)

    def other_app(self) -> int:
        """Requests a minute that another app takes from the realm's allowance."""
        return sum(rule.requests_per_minute for rule in self.rules if rule.kind == "other_app")

    def falsely_deleted(self) -> frozenset[tuple[str, str]]:
        """Live records that change data capture reports as Deleted."""
        return frozenset(
            (rule.entity, rule.id)
            for rule in self.rules
            if rule.kind == "cdc_false_delete" and rule.entity is not None and rule.id is not None
        )

    def _fires(self, rule: FaultRule, target: Target) -> bool:
        if not _matches(rule, target):
            return False
        if rule.ends is not None and self._clock.monotonic() >= rule.ends:
            return False
        rule.matched += 1
        if rule.matched <= rule.after or (rule.count is not None and rule.fired >= rule.count):
            return False
        rule.fired += 1
        return True


def _matches(rule: FaultRule, target: Target) -> bool:
    return (
        (rule.entity is None or rule.entity in target.entities)
        and (rule.operation is None or rule.operation in target.operations)
        and (rule.batch is None or rule.batch == target.batch)
        and (rule.body_contains is None or rule.body_contains in target.text)
    )


def _text_of(body: JsonObject) -> str:
    try:
        return dumps(body).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair, which the books refuse in their own words.
        return ""
