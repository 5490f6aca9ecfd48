"""The sources' side: reads each source whole, and tells what the log does not know, or knows otherwise.

A reading that fails says nothing about any record; a record that a whole reading does not show is asked for by itself,
and is still not called removed without the source's own word.
"""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.dispatch.adapters import kept_apart, pages
from counterfoil.dispatch.mappings import Mappings
from counterfoil.dispatch.sources import Differing, SourceReader
from counterfoil.planning.mapping import Mapping as MappingRules
from counterfoil.planning.ownership import ENTITIES
from counterfoil.planning.reconciling.drifts import Drift, at_source
from counterfoil.planning.reconciling.report import NotCompared, Scope
from counterfoil.planning.start import day_of
from counterfoil.sources import Seen, SourceAdapter, SourceChange, SourceError
from counterfoil.state.store import StateStore
from counterfoil_schema.records import Custom, Record, record_key

PAGE_ROWS = 1_000
ASKED_FOR_MAX = 100
"""Records that a whole reading does not show: so many are asked for one by one; more are named as not compared."""

Tick = Callable[[str, int, int], None]


@dataclass(slots=True, kw_only=True)
class SourceFound:
    """What the sources show. `changes`: as read, by record key, for whoever records them."""

    drifts: list[Drift] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    changes: dict[str, SourceChange] = field(default_factory=dict)
    records: int = 0
    examined: set[str] = field(default_factory=set)


class SourceSide:
    """Compares the sources of one company with what the log knows of them."""

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        reader: SourceReader,
        mappings: Mappings,
        adapters: Mapping[str, SourceAdapter],
    ) -> None:
        self._company = company
        self._store = store
        self._reader = reader
        self._mappings = mappings
        self._adapters = adapters

    async def compare(self, scope: Scope, tick: Tick) -> SourceFound:
        """All of them."""
        found = SourceFound()
        for connection, adapter in self._adapters.items():
            held = await self._mappings.held(connection)
            for kind in adapter.kinds():
                try:
                    await self._kind(connection, kind, held.mapping if held is not None else None, scope, found, tick)
                except SourceError as trouble:
                    found.not_compared.append(NotCompared(what=f"{connection}: {kind}", reason=str(trouble)))
        return found

    async def _kind(
        self,
        connection: str,
        kind: str,
        rules: MappingRules | None,
        scope: Scope,
        found: SourceFound,
        tick: Tick,
    ) -> None:
        latest: dict[str, SourceChange] = {}
        shown: set[str] = set()
        count = 0
        async with aclosing(pages(connection, self._adapters[connection], kind, None)) as read:
            async for page in read:
                count += len(page.changes)
                keys = [record_key(connection, one.kind, one.source_id) for one in page.changes]
                shown.update(keys)
                # A feed may show several states of one record: the last one counts.
                for key in keys:
                    latest.pop(key, None)
                differing = await self._reader.differing(connection, page.changes)
                latest.update((one.key, one.change) for one in differing)
                tick(f"{connection}: {kind}", count, 0)
        found.records += len(shown)
        found.examined |= shown
        # What was recorded while the rest was read is known by now.
        for one in await self._reader.differing(connection, list(latest.values())):
            drift = _drift(one)
            if _is_within(one.change, drift, rules, scope):
                found.drifts.append(drift)
                found.changes[one.key] = one.change
        await self._not_shown(connection, kind, shown, scope, found)

    async def _not_shown(self, connection: str, kind: str, shown: set[str], scope: Scope, found: SourceFound) -> None:
        if scope.month is not None:
            return
        beginning = f"{connection}:{kind}:"
        absent: list[tuple[str, str]] = []
        after = ""
        while True:
            rows = await self._store.records("records_of_kind", self._company, beginning, after, PAGE_ROWS)
            absent += [(row["record_key"], row["kind"]) for row in rows if row["record_key"] not in shown]
            if len(rows) < PAGE_ROWS:
                break
            after = rows[-1]["record_key"]
        absent = [one for one in absent if one[1] != "unreadable" and _entity_within(one[1], scope)]
        for key, record_kind in absent[:ASKED_FOR_MAX]:
            found.examined.add(key)
            read = await kept_apart(connection, self._adapters[connection].read(kind, key.removeprefix(beginning)))
            same = [one for one in read if record_key(connection, one.kind, one.source_id) == key]
            if not same:
                entity = ENTITIES.get(record_kind, record_kind)
                found.drifts.append(at_source("not_shown_by_source", key, entity, None, None))
            for one in await self._reader.differing(connection, same[-1:]):
                found.drifts.append(_drift(one))
                found.changes[one.key] = one.change
        left = len(absent) - ASKED_FOR_MAX
        if left > 0:
            reason = f"Of {len(absent)} records that its reading does not show, {left} were not asked for."
            found.not_compared.append(NotCompared(what=f"{connection}: {kind}", reason=reason))


def _drift(one: Differing) -> Drift:
    record = one.change.record if isinstance(one.change, Seen) else None
    entity = ENTITIES.get(record.kind, record.kind) if record is not None else one.change.kind
    amount, currency = _stated(record) if record is not None else (None, None)
    return at_source("changed_at_source" if one.known else "missing_in_log", one.key, entity, amount, currency)


def _is_within(change: SourceChange, drift: Drift, rules: MappingRules | None, scope: Scope) -> bool:
    if scope.entities and drift.entity not in scope.entities:
        return False
    if scope.month is None:
        return True
    record = change.record if isinstance(change, Seen) else None
    if record is None or isinstance(record, Custom) or rules is None:
        return False
    day = day_of(record, rules)
    return day is not None and f"{day:%Y-%m}" == scope.month


def _entity_within(kind: str, scope: Scope) -> bool:
    return not scope.entities or ENTITIES.get(kind, kind) in scope.entities


def _stated(record: Record) -> tuple[Decimal | None, str | None]:
    """What a record states that it comes to, if it does."""
    amount = getattr(record, "stated_total", None)
    amount = getattr(record, "amount", None) if amount is None else amount
    currency = getattr(record, "currency", None)
    return amount if isinstance(amount, Decimal) else None, currency if isinstance(currency, str) else None
