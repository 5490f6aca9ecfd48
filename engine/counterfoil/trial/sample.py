"""Some records of a source, read as a first synchronisation would read them; no cursor is kept."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from counterfoil.dispatch.adapters import kept_apart, pages
from counterfoil.sources import (
    Describing,
    Need,
    Preparing,
    Seen,
    SourceAdapter,
    SourceError,
    UnknownNameError,
    Unreadable,
)
from counterfoil_schema.records import Record, record_key, split_key

READS_MAX = 200
"""Records that the sample names and that are read beside it, each with a call or several of its own."""


@dataclass(slots=True, kw_only=True)
class Sample:
    """What was read of one connection.

    Attributes:
        records: the sample, by record key, in the order of its kinds.
        beside: what these name, read one by one.
        unreadable: what could not be understood.
        whole: kinds of which everything is in the sample.
        troubles: why some of it could not be read.
        unknown: names in the mapping or the settings that the source does not have.
        statuses: of sales, all that the source has, with what people call them; None where its adapter does not tell.
        could_show: every kind that the source has, where it tells; `kinds` are those that are read.
        needs: how that stands at the source which the mapping writes back to.
    """

    connection: str
    kinds: Sequence[str]
    records: dict[str, Seen] = field(default_factory=dict)
    beside: dict[str, Seen] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)
    unknown: list[UnknownNameError] = field(default_factory=list)
    statuses: Mapping[str, str] | None = None
    needs: Sequence[Need] = ()
    could_show: Sequence[str] = ()
    reads: int = 0
    _missed: set[str] = field(default_factory=set)

    def find(self, key: str) -> Record | None:
        """A record of it, or beside it."""
        seen = self.records.get(key) or self.beside.get(key)
        return seen.record if seen is not None else None

    async def fetch(self, adapter: SourceAdapter, key: str) -> Record | None:
        """The same; a record that is not there is read, as far as the bound of readings allows."""
        found = self.find(key)
        connection, kind, source_id = split_key(key)
        if found is not None or connection != self.connection or key in self._missed or self.reads >= READS_MAX:
            return found
        self.reads += 1
        try:
            for change in await kept_apart(connection, adapter.read(kind, source_id)):
                if isinstance(change, Seen):
                    self.beside[record_key(connection, change.kind, change.source_id)] = change
        except SourceError as trouble:
            self.troubles.append(str(trouble))
        found = self.find(key)
        if found is None:
            self._missed.add(key)
        return found


async def read_sample(connection: str, adapter: SourceAdapter, of_each_kind: int) -> Sample:
    """The first records of each kind.

    Raises:
        SourceError: the source cannot be read now.
    """
    sample = Sample(connection=connection, kinds=tuple(adapter.kinds()))
    for kind in sample.kinds:
        try:
            if await _read_kind(sample, adapter, kind, of_each_kind):
                sample.whole.add(kind)
        except UnknownNameError as unknown:
            sample.unknown.append(unknown)
    if isinstance(adapter, Describing):
        try:
            names = await kept_apart(connection, adapter.describe())
            sample.statuses, sample.could_show = names.statuses, tuple(names.kinds)
            sample.unknown.extend(names.unknown)
        except SourceError as trouble:  # a token that may read records may be kept from settings
            sample.troubles.append(str(trouble))
    if isinstance(adapter, Preparing):
        try:
            sample.needs = await kept_apart(connection, adapter.prepare(write=False))
        except SourceError as trouble:
            sample.troubles.append(str(trouble))
    return sample


async def _read_kind(sample: Sample, adapter: SourceAdapter, kind: str, most: int) -> bool:
    """Whether nothing of the kind was left out."""
    taken: set[str] = set()
    async with aclosing(pages(sample.connection, adapter, kind, None)) as read:
        async for page in read:
            for change in page.changes:
                if isinstance(change, Unreadable):
                    sample.unreadable.append(change)
                elif isinstance(change, Seen):
                    key = record_key(sample.connection, change.kind, change.source_id)
                    if change.kind == kind and key not in taken and len(taken) >= most:
                        return False
                    if change.kind == kind:
                        taken.add(key)
                    sample.records[key] = change
    return True
