"""Request ids: a write that comes again under its id gets the first answer and has no second effect.

Source: Intuit's basic-field-definitions page. How long ids live, and whether faults are replayed, is not
documented: both are switches.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from counterfoil.ports import Clock
from counterfoil.quickbooks.emulator import faults
from counterfoil_schema.exact_json import JsonObject, JsonValue

REQUEST_ID_MAX = 50
BATCH_REQUEST_ID_MAX = 36
MEMORY_MAX = 500_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body, without the time of day; `content` is what is sent instead, for what is no JSON."""

    status: int
    body: JsonObject
    content: bytes | None = None
    content_type: str = "text/plain;charset=UTF-8"

    @property
    def is_fault(self) -> bool:
        return "Fault" in self.body


@dataclass(frozen=True, slots=True)
class ReplayRules:
    """What is disputed about request ids.

    Attributes:
        remembered: they have an effect at all (some clients report none).
        minutes: how long an id is remembered; None for ever.
        faults: a fault is replayed like any other answer.
        as_error: a repetition is answered by this fault, 6000 or 600, instead of the first answer.
    """

    remembered: bool = True
    minutes: float | None = None
    faults: bool = True
    as_error: Literal["", "6000", "600"] = ""


class RequestIds:
    """What was answered under which id."""

    def __init__(self, clock: Clock, rules: ReplayRules) -> None:
        self._clock = clock
        self.rules = rules
        self.replayed = 0
        self._answers: OrderedDict[str, tuple[datetime, Answer]] = OrderedDict()

    def recall(self, key: str) -> Answer | None:
        """The first answer under this id, if it is remembered."""
        if not key or not self.rules.remembered:
            return None
        stored = self._answers.get(key)
        if stored is None:
            return None
        at, answer = stored
        if self.rules.minutes is not None and self._clock.now() - at > timedelta(minutes=self.rules.minutes):
            del self._answers[key]
            return None
        self.replayed += 1
        if self.rules.as_error:
            used = "Request id was used before."
            fault = faults.business(used) if self.rules.as_error == "6000" else faults.duplicate_request(used)
            return Answer(fault.status, {"Fault": fault.body()})
        return answer

    def store(self, key: str, answer: Answer) -> None:
        """Remember the first answer under this id."""
        if not key or not self.rules.remembered or (answer.is_fault and not self.rules.faults):
            return
        self._answers[key] = (self._clock.now(), answer)
        while len(self._answers) > MEMORY_MAX:
            self._answers.popitem(last=False)

    def saved(self) -> list[JsonValue]:
        """Every answer that is remembered, oldest first."""
        return [
            [key, at.isoformat(), answer.status, answer.body]
            for key, (at, answer) in self._answers.items()
            if answer.content is None
        ]

    def restore(self, entries: list[JsonValue]) -> None:
        """Remember what another run saved.

        Raises:
            ValueError, TypeError: it is damaged; nothing is remembered.
        """
        answers: OrderedDict[str, tuple[datetime, Answer]] = OrderedDict()
        for entry in entries:
            if not isinstance(entry, list):
                raise TypeError("a request id is a list")
            key, at, status, body = entry
            if not isinstance(body, dict) or not isinstance(status, int):
                raise TypeError("a request id has a status and a body")
            answers[str(key)] = (datetime.fromisoformat(str(at)), Answer(status, body))
        self._answers = answers


def check_request_id(request_id: str, *, batch: bool) -> None:
    """Refuse an id that is too long.

    Raises:
        QuickBooksFaultError: 2130.
    """
    longest = BATCH_REQUEST_ID_MAX if batch else REQUEST_ID_MAX
    if len(request_id) > longest:
        raise faults.QuickBooksFaultError(
            "2130",
            "Invalid Request Id",
            f"Request id must not be longer than {longest} characters. Supplied length:{len(request_id)}",
            element="requestid",
        )


def check_item_id(request_id: str, batch_id: str) -> None:
    """Refuse a batch item whose two ids together are too long.

    Raises:
        QuickBooksFaultError: 6000.
    """
    if request_id and len(request_id) + len(batch_id) > REQUEST_ID_MAX:
        raise faults.business(f"Request id and bId together must not be longer than {REQUEST_ID_MAX} characters.")
