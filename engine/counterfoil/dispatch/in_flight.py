"""Which intents are under way in this process, until the rows say so themselves."""

from collections.abc import Iterable, Iterator


class InFlight:
    """Intents in calls that are under way, or that ended after the last fold began.

    Rows lag behind what this process has appended: a row may still read `ready` while its call is out, or has just
    come back. Whoever is about to withdraw or send an intent asks here first.
    """

    def __init__(self) -> None:
        self._flying: set[str] = set()
        self._landed: set[str] = set()

    def __contains__(self, intent_id: object) -> bool:
        return intent_id in self._flying or intent_id in self._landed

    def __len__(self) -> int:
        return len(self._flying)

    def __iter__(self) -> Iterator[str]:
        yield from self._flying
        yield from self._landed - self._flying

    def start(self, intent_ids: Iterable[str]) -> None:
        """These are about to be sent."""
        self._flying.update(intent_ids)

    def land(self, intent_ids: Iterable[str]) -> None:
        """The end of these is recorded, and not folded yet."""
        ended = set(intent_ids)
        self._flying -= ended
        self._landed |= ended

    def fold_begins(self) -> frozenset[str]:
        """What the fold that begins now is sure to see."""
        return frozenset(self._landed)

    def fold_ended(self, seen: frozenset[str]) -> None:
        """Rows now say what became of these."""
        self._landed -= seen
