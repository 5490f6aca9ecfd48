"""A folder of CSV files as a source. It reads, and writes nothing into the folder; a row that vanishes deletes nothing.

Rows that cannot be used come back as files beside the folder (`rejected.py`).

A cursor holds the fingerprints of a kind's files and how far they were read. Where the files are as they were,
reading goes on from there, or ends at once; where they changed, they are read from the top: versions tell the engine
what is new.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from counterfoil.errors import ConfigurationError
from counterfoil.sources import (
    BadSignatureError,
    Delivery,
    Page,
    Rejected,
    Seen,
    SourceChange,
    SourceContext,
    SourceError,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)
from counterfoil_adapters.csv.cursor import Cursor
from counterfoil_adapters.csv.files import Fingerprint, Inspected, inspect, stamp
from counterfoil_adapters.csv.mapping import RecordName, parse_mapping
from counterfoil_adapters.csv.places import folder_read, locate
from counterfoil_adapters.csv.plans import KindPlan, plan_kind
from counterfoil_adapters.csv.proposing import propose
from counterfoil_adapters.csv.rejected import RejectedRows, folder_of, reject_nothing, standing
from counterfoil_adapters.csv.walk import Located, Walk
from counterfoil_schema.exact_json import loads_object
from counterfoil_schema.records import Product, record_key

PAGE_CHANGES_MAX = 500
PAGE_CHARACTERS_MAX = 4 * 1024 * 1024
"""A page ends with the change that reaches either bound, so that huge cells do not add up."""

SETTLED_AFTER = timedelta(seconds=2)
"""A file changed this recently may change again within one tick of the file system's clock: its digest decides."""

CHANGED_RETRY_SECONDS = 5.0

SETTLE_SECONDS = 1.0
"""How long a file must have been left alone before it is read: whoever writes it may not have finished."""

SETTLE_SECONDS_MAX = 600
SETTLE_TRIES_MAX = 10
NOTICES_MAX = 100

T_ = TypeVar("T_")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reading:
    """One reading of a kind's files, driven in threads."""

    plan: KindPlan
    main: Sequence[Path]
    lines: Sequence[Path]
    beside: Sequence[Path]
    inspected: Mapping[str, Inspected]
    changes: Iterator[SourceChange] = field(default_factory=lambda: iter(()))
    rejected: RejectedRows | None = None

    @property
    def paths(self) -> Mapping[str, Path]:
        """All its files, by name; `beside` are those that prices are taken from."""
        return {path.name: path for path in (*self.main, *self.lines, *self.beside)}

    def next_page(self) -> tuple[list[SourceChange], bool]:
        """Some changes, and whether they are the last.

        Raises:
            SourceError: a file changed meanwhile: what was read of it may be half of a row.
        """
        page: list[SourceChange] = []
        characters = 0
        last = True
        for change in self.changes:
            page.append(change)
            characters += len(getattr(change, "raw", ""))
            if len(page) >= PAGE_CHANGES_MAX or characters >= PAGE_CHARACTERS_MAX:
                last = False
                break
        for name, path in self.paths.items():
            before = self.inspected[name].fingerprint
            if stamp(path) != (before.size, before.mtime_ns):
                raise SourceError(
                    f"{name} changed while it was read.",
                    remedy="It is read again; write exports under another name first and rename them when complete.",
                    retry_after=CHANGED_RETRY_SECONDS,
                )
        return page, last


class CsvSource:
    """One folder of CSV files, or one file, by the `[csv]` table of the mapping.

    Settings: `folder`, or `file` for a single one; `rejected`: where rows that cannot be used are listed, false for
    nowhere; `settle_seconds`: how long a file must have been left alone.

    Raises:
        ConfigurationError: the settings or the mapping cannot be used.
    """

    name: ClassVar[str] = "csv"
    at_one_instant: bool = True

    def __init__(self, context: SourceContext) -> None:
        kinds = parse_mapping(context.mapping.get("csv"), connection=context.mapping.get("connection"))
        records: dict[str, RecordName] = {name: kind.record for name, kind in kinds.items()}
        self._clock = context.clock
        self._connection = context.connection
        self._files = locate(context.settings, kinds)
        self._settle_seconds = _seconds(context.settings.get("settle_seconds", SETTLE_SECONDS))
        some = next(iter(self._files.values()))
        self._rejected_folder = (
            None
            if context.leaves_no_trace
            else folder_of(context.settings.get("rejected"), read=some.folder, connection=context.connection)
        )
        self._rejected: dict[str, Mapping[Path, int]] = {}
        self._plans = {
            name: replace(
                plan_kind(name, kind, connection=context.connection, kinds=records),
                told_elsewhere=any(
                    other.repeated == "report" and other.file == kind.file and other is not kind
                    for other in kinds.values()
                ),
            )
            for name, kind in kinds.items()
        }
        self._notices: dict[str, str] = {}

    @staticmethod
    def propose(settings: Mapping[str, Any]) -> str:
        """A first `[csv]` table, from a look at the files; see `proposing`."""
        return propose(settings)

    @staticmethod
    def rejected(settings: Mapping[str, Any], connection: str) -> Sequence[Rejected]:
        """The files of rejected rows as they lie there now."""
        read = folder_read(settings)
        folder = folder_of(settings.get("rejected"), read=read, connection=connection) if read is not None else None
        return standing(folder) if folder is not None else ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open between two calls."""

    @property
    def notices(self) -> Sequence[str]:
        """What people should know about the files read so far: a guessed encoding, where rejected rows are listed."""
        rejected = [
            f"{count:,} row{'s' if count > 1 else ''} could not be used; with reasons in {path}"
            for made in self._rejected.values()
            for path, count in made.items()
        ]
        return (*self._notices.values(), *rejected)

    def kinds(self) -> Sequence[str]:
        """The kinds of the mapping; those that others name come first."""
        return tuple(self._plans)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Pages of at most 500 changes; a single empty one where the files are as the cursor knows them.

        Raises:
            SourceError: a file is missing, lacks a column, or changes while it is read; other kinds have other files.
        """
        try:
            async with aclosing(self._changes(kind, cursor)) as pages:
                async for page in pages:
                    yield page
        except SourceError as trouble:
            trouble.one_kind = True
            raise

    async def _changes(self, kind: str, cursor: str | None) -> AsyncGenerator[Page]:
        plan = self._plan(kind)
        digest = plan.kind.digest()
        known = Cursor.parse(cursor)
        if known is not None and known.mapping != digest:
            known = None
        if known is not None and await _in_thread(self._files[kind].none_left):
            yield Page(changes=(), cursor=known.dump(), done=True)
            return
        if known is not None and known.done and await _in_thread(lambda: self._untouched(kind, known.files)):
            yield Page(changes=(), cursor=known.dump(), done=True)
            return
        await self._left_alone(kind)
        reading = await _in_thread(lambda: self._inspect(kind))
        files = {name: each.fingerprint for name, each in reading.inspected.items()}
        settled = self._settled(files)
        count = 0
        if known is not None and known.same_content(files):
            if known.done:
                yield Page(changes=(), cursor=Cursor(digest, settled, known.count, done=True).dump(), done=True)
                return
            count = known.count
        reading.rejected = self._rejected_rows(kind, reading)
        try:
            # What was recorded before an interruption is read again all the same, so that all that is wrong is listed.
            reading.changes = islice(self._walk(reading, None), count, None)
            done = False
            while not done:
                page, done = await _in_thread(reading.next_page)
                count += len(page)
                if done:
                    await self._list_rejected(kind, reading)
                yield Page(changes=page, cursor=Cursor(digest, settled, count, done=done).dump(), done=done)
        finally:
            if reading.rejected is not None:
                reading.rejected.drop()

    async def _left_alone(self, kind: str) -> None:
        """Wait until nobody has touched the files for a while: what is half-written is not read.

        Raises:
            SourceError: somebody goes on writing.
        """
        for _ in range(SETTLE_TRIES_MAX):
            newest = await _in_thread(lambda: self._newest(kind))
            age = self._clock.now().timestamp() - newest
            # A file from the future (another machine's clock) says nothing about now.
            seconds = self._settle_seconds - age if age >= 0 else 0.0
            if seconds <= 0:
                return
            await self._clock.sleep(seconds)
        raise SourceError(
            f"A file of {kind} is still being written.",
            remedy="It is read when nobody has written to it for a while.",
            retry_after=CHANGED_RETRY_SECONDS,
        )

    def _newest(self, kind: str) -> float:
        """When a file of a kind was last written to, in seconds since 1970."""
        return max((stamp(path)[1] for path in self._paths(kind)), default=0) / 10**9

    def _rejected_rows(self, kind: str, reading: _Reading) -> RejectedRows | None:
        if self._rejected_folder is None:
            return None
        names = [name for files in self._files.values() for name in {files.main, files.lines or files.main}]
        shared = {files.main for files in self._files.values() if names.count(files.main) > 1}
        shared |= {files.lines for files in self._files.values() if files.lines and names.count(files.lines) > 1}
        own = self._files[kind]
        of_several = {
            path.name
            for paths, pattern in ((reading.main, own.main), (reading.lines, own.lines))
            if pattern in shared
            for path in paths
        }
        names_read = tuple(dict.fromkeys(path.name for path in (*reading.main, *reading.lines)))
        return RejectedRows(self._rejected_folder, kind, names_read, frozenset(of_several))

    async def _list_rejected(self, kind: str, reading: _Reading) -> None:
        rejected = reading.rejected
        if rejected is None:
            return
        self._rejected[kind] = made = await _in_thread(rejected.finish)
        for path, count in made.items():
            _log.info("%d rows of %s could not be used; with reasons in %s", count, kind, path)
        if rejected.trouble is not None:
            self._notice(f"rejected {kind}", rejected.trouble)

    def _notice(self, about: str, words: str) -> None:
        if about not in self._notices and len(self._notices) < NOTICES_MAX:
            _log.warning("%s", words)
            self._notices[about] = words

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """The record as its row now says, after the records that it may name.

        Raises:
            SourceError: no row bears the id, or the files cannot be read.
        """
        self._plan(kind)
        found = await self._find(kind, {source_id})
        if not found:
            raise SourceError(
                f"{kind} {source_id} is not in {self._files[kind].main}.",
                remedy="Nothing is concluded from that: a row that vanishes is no deletion.",
            )
        named: list[SourceChange] = []
        for other in self._plans:
            wanted = {key.split(":", 2)[2] for change in found for key in self._keys_of(change, other)}
            if wanted:
                named.extend(await self._find(other, wanted))
        return [*named, *found]

    def receive(self, request: WebhookRequest) -> Delivery:
        """Refuses: files send no webhooks."""
        del request
        raise BadSignatureError(
            "A folder of CSV files sends no webhooks, so this delivery is nobody's.",
            remedy="Remove the webhook that points here.",
        )

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        """Rejected: the files belong to whoever exports them."""
        return WriteBackResult(
            outcome="rejected",
            reason=f"{request.kind} {request.source_id} comes from a CSV file, which is only read.",
            fix="Turn write-back off for this connection, or enter the values where the file is exported from.",
        )

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        """Whether a row's columns hold these values."""
        del kind
        row = loads_object(raw).get("row")
        return isinstance(row, dict) and all(row.get(name) == value for name, value in values.items())

    def _plan(self, kind: str) -> KindPlan:
        plan = self._plans.get(kind)
        if plan is None:
            raise SourceError(
                f"The mapping has no [csv.{kind}] table.", remedy=f"Its kinds are {', '.join(self._plans)}."
            )
        return plan

    def _untouched(self, kind: str, files: Mapping[str, Fingerprint]) -> bool:
        paths = self._paths(kind)
        return files.keys() == {path.name for path in paths} and all(
            stamp(path) == (files[path.name].size, files[path.name].mtime_ns) for path in paths
        )

    def _settled(self, files: Mapping[str, Fingerprint]) -> Mapping[str, Fingerprint]:
        horizon = int((self._clock.now() - SETTLED_AFTER).timestamp()) * 10**9
        return {
            name: each if each.mtime_ns < horizon else Fingerprint(each.size, -1, each.sha256)
            for name, each in files.items()
        }

    def _price_kind(self, kind: str) -> str | None:
        lines = self._plans[kind].lines
        return lines.spec.price_from if lines is not None else None

    def _paths(self, kind: str) -> Sequence[Path]:
        """All files that a reading of the kind looks into."""
        main, lines = self._files[kind].found()
        priced = self._price_kind(kind)
        return (*main, *lines, *(self._files[priced].found()[0] if priced is not None else ()))

    def _inspect(self, kind: str) -> _Reading:
        plan = self._plans[kind]
        main, lines = self._files[kind].found()
        inspected = {path.name: inspect(path, plan.kind.encoding) for path in (*main, *lines)}
        for name, each in inspected.items():
            if each.notice is not None:
                self._notice(name, each.notice)
        priced = self._price_kind(kind)
        if priced is None or plan.lines is None:
            return _Reading(plan, main, lines, (), inspected)
        products = self._inspect(priced)
        prices = {
            record_key(self._connection, priced, change.source_id): change.record.unit_price
            for change in self._walk(products, None)
            if isinstance(change, Seen) and isinstance(change.record, Product) and change.record.unit_price is not None
        }
        plan = replace(plan, lines=replace(plan.lines, prices=prices))
        return _Reading(plan, main, lines, products.main, {**products.inspected, **inspected})

    def _walk(self, reading: _Reading, only: Collection[str] | None) -> Iterator[SourceChange]:
        def located(paths: Sequence[Path]) -> list[Located]:
            return [Located(path, reading.inspected[path.name].encoding) for path in paths]

        return Walk(
            plan=reading.plan,
            main=located(reading.main),
            lines=located(reading.lines),
            only=only,
            reject=reading.rejected.add if reading.rejected is not None else reject_nothing,
            notice=lambda words: self._notice(words, words),
        ).changes()

    def _keys_of(self, change: SourceChange, kind: str) -> Iterator[str]:
        """The record keys of one kind of ours that a change names."""
        record = getattr(change, "record", None)
        parts = (*getattr(record, "lines", ()), *getattr(record, "applied", ()), *getattr(record, "parts", ()))
        for owner in (record, *parts):
            for name in ("customer", "product", "invoice", "part_of"):
                key = getattr(owner, name, None)
                if isinstance(key, str) and key.startswith(record_key(self._connection, kind, "")):
                    yield key

    async def _find(self, kind: str, ids: Collection[str]) -> Sequence[SourceChange]:
        def find() -> Sequence[SourceChange]:
            reading = self._inspect(kind)
            reading.changes = self._walk(reading, ids)
            found: list[SourceChange] = []
            last = False
            while not last:
                page, last = reading.next_page()
                found.extend(page)
            return [change for change in found if change.source_id in ids]

        return await _in_thread(find)


def _seconds(given: object) -> float:
    if isinstance(given, int | float | Decimal) and not isinstance(given, bool) and 0 <= given <= SETTLE_SECONDS_MAX:
        return float(given)
    raise ConfigurationError(
        f"settle_seconds cannot be {given!r}.", remedy=f"Give seconds from 0 to {SETTLE_SECONDS_MAX}."
    )


async def _in_thread(work: Callable[[], T_]) -> T_:
    """Run blocking work in a thread; if cancelled, wait for the thread first, so that no file is left in its hands."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        with suppress(Exception):
            await running
        raise
