"""Readings of a source that run side by side: which of them showed a record last.

A webhook's reading and a poll may overlap. What the earlier of two readings showed must not be recorded after what the
later one did: it would count as the newest, and the poll that could mend it has gone past. And what this process has
recorded counts at once, not only when it is folded: a record that changes and changes back within that time would else
pass for unchanged.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RECORDS_MAX: Final = 50_000

Mark = tuple[str, bool]
"""A record's content as a hash, and whether it is gone."""


@dataclass(frozen=True, slots=True)
class _Shown:
    number: int
    mark: Mark


class Readings:
    """What readings showed of one company's records, for as long as its lease is held.

    Attributes:
        judging: held while a reading is compared with what is known and recorded.
    """

    def __init__(self) -> None:
        self.judging = asyncio.Lock()
        self._count = 0
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    def begin(self) -> int:
        """A reading begins; its number."""
        self._count += 1
        return self._count

    def is_overtaken(self, record_key: str, began: int, mark: Mark) -> bool:
        """Whether another reading, judged since this one began, showed something else: nobody knows which is newer."""
        last = self._shown.get(record_key)
        return last is not None and last.number >= began and last.mark != mark

    def latest(self, record_key: str, folded: Mark | None) -> Mark | None:
        """What is known of a record: as shown last, else as folded."""
        last = self._shown.get(record_key)
        return last.mark if last is not None else folded

    def shown(self, judged: Mapping[str, Mark]) -> None:
        """A reading was judged, and what was new is recorded: it showed these, whether they were new or not."""
        for record_key, mark in judged.items():
            self._shown[record_key] = _Shown(self._count, mark)
            self._shown.move_to_end(record_key)
        while len(self._shown) > RECORDS_MAX:
            self._shown.popitem(last=False)
