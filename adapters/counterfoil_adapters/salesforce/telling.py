"""What change events tell, and where they come from; the seam towards the Pub/Sub API, which is an extra."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from counterfoil.sources.port import SourceError
from counterfoil_adapters.salesforce.session import Session

OVERFLOW = "GAP_OVERFLOW"
AUTOMATIC = frozenset({"LastModifiedDate", "LastModifiedById", "SystemModstamp"})


class ReplayLostError(SourceError):
    """The stream no longer holds the place where reading went on: what happened since must be read otherwise."""


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """The header of one event: which records changed how, which fields, and by whose hand."""

    change: str
    ids: Sequence[str]
    fields: frozenset[str]
    origin: str

    @property
    def overflows(self) -> bool:
        """Salesforce gave up telling changes one by one: the object must be read since the last proven time."""
        return self.change == OVERFLOW

    @property
    def deletes(self) -> bool:
        return self.change in {"DELETE", "GAP_DELETE"}

    def is_echo(self, client: str, written: frozenset[str]) -> bool:
        """Whether it tells of our own write-back and of nothing else."""
        ours = f"client={client}" in self.origin.split(";")
        changed = self.fields - AUTOMATIC
        return ours and self.change == "UPDATE" and bool(changed) and changed <= written


@dataclass(frozen=True, slots=True)
class Drawn:
    """Events, and the place behind them."""

    events: Sequence[ChangeEvent]
    replay_id: bytes


class Bus(Protocol):
    """Where events come from."""

    def draw(self, session: Session, topic: str, after: bytes | None) -> AsyncIterator[Drawn]:
        """Events of a topic in batches, from behind a place; all that is retained where there is none.

        Raises:
            ReplayLostError: the place is not known any more.
            SourceError: the API cannot be reached (`retry_after`), or refuses.
        """
        ...


def topic_of(name: str) -> str:
    """The channel of an object's change events; `Order__c` has `Order__ChangeEvent`."""
    return f"/data/{name.removesuffix('c') if name.endswith('__c') else name}ChangeEvent"
