"""Faults on order: each says what goes wrong, on which calls, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from counterfoil_schema.exact_json import JsonObject, JsonValue

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
ORDERED_MAX = 1000
_FIELDS = frozenset({"kind", "status", "retry_after", "seconds", "method", "path", "skip", "times"})


class FaultError(ValueError):
    """An order that cannot be understood; the message says why."""


@dataclass(slots=True)
class Fault:
    """One rule. `status` answers with that code and no effect; `lost_answer` has the effect and cuts the line.

    `path` is a part of the path ("" fits all); `skip` calls pass before it strikes `times` times.
    """

    kind: FaultKind
    status: int = 503
    retry_after: str | None = None
    seconds: float = 1.0
    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int = 1

    @property
    def is_about_webhooks(self) -> bool:
        return self.kind.startswith("webhook_")

    def applies(self, method: str, path: str) -> bool:
        """Whether the rule is about this call, `skip` apart."""
        return (self.method is None or self.method == method) and self.path in path

    def shown(self) -> JsonObject:
        return {
            "kind": self.kind,
            "status": self.status,
            "retry_after": self.retry_after,
            "seconds": str(self.seconds),
            "method": self.method,
            "path": self.path,
            "skip": self.skip,
            "times": self.times,
        }


class FaultPlan:
    """Rules in force, first come, first used; a used-up rule goes.

    Args:
        aliases: other names of kinds, as this emulator's reference gives them.
    """

    def __init__(self, aliases: Mapping[str, Fault] | None = None) -> None:
        self.rules: list[Fault] = []
        self.used = 0
        self._aliases = dict(aliases or {})

    def order(self, entry: Mapping[str, JsonValue]) -> Fault:
        """Read a rule and put it in force.

        Raises:
            FaultError: an unknown kind, or a field that is none.
        """
        unknown = entry.keys() - _FIELDS
        fault = self._named(entry.get("kind"))
        if unknown or fault is None:
            kinds = ", ".join((*FAULT_KINDS, *self._aliases))
            raise FaultError(f"kind must be one of {kinds}; beside it there are only {', '.join(sorted(_FIELDS))}")
        if len(self.rules) >= ORDERED_MAX:
            raise FaultError(f"{ORDERED_MAX} faults are in force already")
        fault.status = _whole(entry, "status", fault.status)
        retry_after = entry.get("retry_after")
        fault.retry_after = fault.retry_after if retry_after is None else str(retry_after)
        fault.seconds = _seconds(entry.get("seconds", fault.seconds))
        fault.method = str(entry["method"]) if entry.get("method") else None
        fault.path = str(entry.get("path") or "")
        fault.skip = _whole(entry, "skip", 0)
        fault.times = _whole(entry, "times", 1)
        self.rules.append(fault)
        return fault

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for a call to the API, if one is due."""
        return self._take([rule for rule in self.rules if not rule.is_about_webhooks], method, path)

    def take_webhook(self, kind: FaultKind, url: str = "") -> bool:
        """Whether a fault of this kind is due for a delivery."""
        return self._take([rule for rule in self.rules if rule.kind == kind], "POST", url) is not None

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

    def _named(self, name: JsonValue) -> Fault | None:
        if isinstance(name, str) and name in self._aliases:
            meant = self._aliases[name]
            return Fault(meant.kind, status=meant.status, retry_after=meant.retry_after, seconds=meant.seconds)
        kind: FaultKind | None = next((known for known in FAULT_KINDS if known == name), None)
        return None if kind is None else Fault(kind)


def orders_of(body: JsonObject) -> list[JsonObject]:
    """One fault, or several as `{"faults": [...]}`."""
    several = body.get("faults")
    if isinstance(several, list):
        return [entry for entry in several if isinstance(entry, dict)]
    return [body]


def _whole(entry: Mapping[str, JsonValue], key: str, default: int) -> int:
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FaultError(f"{key} must be a whole number, not negative")
    return value


def _seconds(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise FaultError("seconds must be a number") from None
