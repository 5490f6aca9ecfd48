"""Faults that the control port arms; each strikes a number of times and is gone."""

from dataclasses import dataclass
from typing import Literal, get_args

from counterfoil_adapters.gusto.emulator.values import BadRequestError, text, text_or_none
from counterfoil_schema.exact_json import JsonObject

FaultKind = Literal["status", "rate_limit", "slow", "truncate", "drop_webhook", "double_webhook"]
REQUEST_KINDS: tuple[FaultKind, ...] = ("status", "rate_limit", "slow", "truncate")
ARMED_MAX = 1000


@dataclass(slots=True)
class Fault:
    """`path` is a part of the request's path ("" fits all); `skip` requests pass before it strikes `times` times."""

    kind: FaultKind
    times: int
    skip: int
    path: str
    status: int
    seconds: int
    retry_after: int | None

    def shown(self) -> JsonObject:
        return {"kind": self.kind, "times": self.times, "skip": self.skip, "path": self.path}


class Faults:
    """What is armed."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, body: JsonObject) -> Fault:
        """Read a fault from the control port and arm it.

        Raises:
            BadRequestError: unknown kind or wrong field.
        """
        kind = next((known for known in get_args(FaultKind) if known == text(body, "kind")), None)
        if kind is None:
            raise BadRequestError(f"kind must be one of {', '.join(get_args(FaultKind))}", key="kind")
        if len(self._armed) >= ARMED_MAX:
            raise BadRequestError(f"{ARMED_MAX} faults are armed already")
        retry_after = body.get("retry_after")
        fault = Fault(
            kind=kind,
            times=_whole(body, "times", 1),
            skip=_whole(body, "skip", 0),
            path=text_or_none(body, "path") or "",
            status=_whole(body, "status", 503),
            seconds=_whole(body, "seconds", 5),
            retry_after=None if retry_after is None else _whole(body, "retry_after", 0),
        )
        self._armed.append(fault)
        return fault

    def clear(self) -> None:
        self._armed.clear()

    def armed(self) -> list[JsonObject]:
        return [fault.shown() for fault in self._armed]

    def strike(self, kinds: tuple[FaultKind, ...], path: str) -> Fault | None:
        """The first armed fault that fits, used up once."""
        for fault in self._armed:
            if fault.kind not in kinds or fault.path not in path:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._armed.remove(fault)
            return fault
        return None


def _whole(body: JsonObject, key: str, default: int) -> int:
    value = body.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequestError(f"{key} must be a whole number, not negative", key=key)
    return value
