"""Faults on order: each rule says what goes wrong, on which calls, and how often."""

from dataclasses import dataclass
from typing import Literal, get_args

FaultKind = Literal[
    "status",
    "slow",
    "truncated",
    "lost_answer",
    "webhook_drop",
    "webhook_double",
    "webhook_reorder",
    "webhook_stale",
    "webhook_forged",
]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)


def fault_kind(name: object) -> FaultKind | None:
    """The kind of that name."""
    for kind in FAULT_KINDS:
        if kind == name:
            return kind
    return None


@dataclass(slots=True)
class Fault:
    """One rule. `status` answers with that code and no effect; `lost_answer` has the effect and cuts the line."""

    kind: FaultKind
    status: int = 500
    retry_after: str | None = None
    seconds: float = 1.0
    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int = 1

    def applies(self, method: str, path: str) -> bool:
        """Whether the rule is about this call, `skip` apart."""
        return (self.method is None or self.method == method) and self.path in path


class FaultPlan:
    """Rules in force, first come, first used; a used-up rule goes."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []
        self.used = 0

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for a call to the API, if one is due."""
        return self._take([rule for rule in self.rules if not rule.kind.startswith("webhook_")], method, path)

    def take_webhook(self, kind: FaultKind) -> bool:
        """Whether a fault of this kind is due for a delivery."""
        return self._take([rule for rule in self.rules if rule.kind == kind], "POST", "") is not None

    def _take(self, rules: list[Fault], method: str, path: str) -> Fault | None:
        for rule in rules:
            if not rule.applies(method, path):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            rule.times -= 1
            if rule.times <= 0:
                self.rules.remove(rule)
            self.used += 1
            return rule
        return None
