"""What goes wrong on purpose: armed in the emulator of QuickBooks, and how each of it ended."""

import asyncio
from dataclasses import dataclass

from counterfoil.demo.control import Control, rows_of
from counterfoil_schema.exact_json import JsonObject

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Incident:
    """A fault as people would tell it, and the order that arms it."""

    title: str
    order: JsonObject


def at_the_start(*, fast: bool) -> list[Incident]:
    """Faults that lie in wait from the first call on."""
    early, later = (3, 6) if fast else (30, 60)
    return [
        Incident(
            "answer lost after a customer was created",
            {"kind": "lost_answer", "entity": "Customer", "operation": "create", "after": early},
        ),
        Incident(
            "answer lost after an item was created",
            {"kind": "lost_answer", "entity": "Item", "operation": "create", "after": 3},
        ),
        Incident(
            "answer lost after a whole batch of invoices was created",
            {
                "kind": "lost_answer",
                "entity": "Invoice",
                "operation": "create",
                "batch": True,
                "after": 0 if fast else 3,
            },
        ),
        Incident(
            "three answers 500",
            {"kind": "server_error", "entity": "Customer", "operation": "create", "after": later, "count": 3},
        ),
        Incident(
            "answer that takes four seconds",
            {"kind": "slow", "entity": "Item", "operation": "create", "after": 5, "seconds": 4},
        ),
        Incident(
            "invoice changed by somebody just before our update",
            {"kind": "stale", "entity": "Invoice", "operation": "update"},
        ),
    ]


def lost_notification() -> Incident:
    """A webhook that never comes: the next sweep over the books' changes must find what it would have told."""
    return Incident("webhook about a payment that never came", {"kind": "drop_webhook", "entity": "Payment"})


def moment_of_the_kill(*, fast: bool) -> Incident:
    """Holds a batch of invoices back for three seconds, in which the engine is killed; the effect still comes."""
    return Incident(
        "engine killed (SIGKILL) while a batch of invoices was under way",
        {
            "kind": "slow",
            "entity": "Invoice",
            "operation": "create",
            "batch": True,
            "after": 0 if fast else 6,
            "seconds": 3,
        },
    )


def burst() -> Incident:
    """Refusals beyond the limits, as when other apps of the customer took them all."""
    return Incident("burst of answers 429 (for three seconds)", {"kind": "throttle", "seconds": 3})


class Incidents:
    """The armed faults, by number."""

    def __init__(self, quickbooks: Control) -> None:
        self._quickbooks = quickbooks
        self._titles: dict[int, str] = {}

    async def arm(self, incident: Incident) -> int:
        """Lay it in wait; its number."""
        answer = await self._quickbooks.post("/faults", incident.order)
        numbers = answer.get("numbers")
        number = int(str(numbers[0])) if isinstance(numbers, list) and numbers else 0
        self._titles[number] = incident.title
        return number

    async def until_fired(self, number: int) -> None:
        """Wait until it has struck."""
        while True:
            fired = await self.fired()
            if fired.get(number, 0):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def fired(self) -> dict[int, int]:
        """How often each has struck."""
        found = await self._quickbooks.get("/faults")
        rules = rows_of(found, "rules") or rows_of(found, "faults")
        return {int(str(rule["number"])): int(str(rule["fired"])) for rule in rules}

    async def told(self) -> list[tuple[str, int]]:
        """Each with how often it struck, in the order in which they were armed."""
        fired = await self.fired()
        return [(title, fired.get(number, 0)) for number, title in self._titles.items()]
