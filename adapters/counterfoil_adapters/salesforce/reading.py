"""Pages of changes and single records: the sweeps, put together to whole records."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from counterfoil.sources.port import Page, Removed, SourceChange, SourceError
from counterfoil.sources.since import Handed
from counterfoil_adapters.salesforce.client import SalesforceClient, is_id
from counterfoil_adapters.salesforce.cursor import Cursor, parse_cursor
from counterfoil_adapters.salesforce.normalise import Parts, Rules, change_of
from counterfoil_adapters.salesforce.plans import PRICES, STANDARD_PRICES, Companion, Plan, Planner
from counterfoil_adapters.salesforce.proof import Proof
from counterfoil_adapters.salesforce.settings import SalesforceSettings
from counterfoil_adapters.salesforce.shapes import Shape
from counterfoil_adapters.salesforce.sweep import stamp_of
from counterfoil_adapters.salesforce.telling import Bus, ChangeEvent, ReplayLostError, topic_of
from counterfoil_adapters.salesforce.values import Values
from counterfoil_schema.exact_json import JsonObject

NOT_YET_SECONDS = 5.0
SPENT_SECONDS = 900.0
SHORT_ID = 15
SETTLED = timedelta(seconds=5)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""A sweep since then is due, whatever happens to this process meanwhile."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Changes, and the rows of other objects that went into them."""

    changes: Sequence[SourceChange]
    inner: Mapping[str, Sequence[JsonObject]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What events told, and the cursor behind it; where only a sweep can tell the rest, it says that one is due."""

    held: Cursor
    changes: Sequence[SourceChange] = ()


class Reader:
    """Reads whole records: an invoice with its lines, a product with its price, in as few calls as can be."""

    def __init__(
        self,
        client: SalesforceClient,
        connection: str,
        settings: SalesforceSettings,
        shapes: Mapping[str, Shape],
        bus: Bus | None = None,
    ) -> None:
        self._client = client
        self._connection = connection
        self._share = settings.daily_share_percent
        self._rules = Rules(connection, settings.currency)
        self._planner = Planner(client, settings, shapes)
        self._handed = Handed()
        self._proof = Proof(client, timedelta(seconds=settings.proof_seconds), self._handed)
        self._bus = bus
        self._own = settings.client
        self._sweep_every = timedelta(seconds=settings.sweep_seconds)
        self._org: str | None = None

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Pages of one kind since a cursor."""
        await self._within_budget()
        org = await self._same_org()
        plan = await self._planner.plan(kind)
        held = parse_cursor(cursor) if cursor is not None else None
        if held is not None and held.org == org and held.rests and self._bus is not None:
            async for told in self._told(plan, held, self._bus):
                yield Page(changes=told.changes, cursor=told.held.text())
                held = told.held
            if self._client.server_now() - held.swept < self._sweep_every:
                yield Page(changes=[], cursor=held.text(), done=True)
                return
        held = await self._start(plan, org, held)
        async for found in plan.sweep.run(held.main, plan.select):
            held = replace(held, main=found.position)
            rows = list(found.rows) if held.full else self._news(plan.shape.object, found.rows)
            whole = await self._whole(plan, rows)
            yield Page(changes=whole.changes, cursor=held.text())
            self._note(plan.shape.object, found.rows, found.read_at)
            for name, inner in whole.inner.items():
                self._note(name, inner, found.read_at)
        for name, companion in plan.companions.items():
            async for found in companion.sweep.run(held.companions[name], companion.select):
                held = replace(held, companions={**held.companions, name: found.position})
                owners = await self._owners(plan, companion, self._news(companion.object, found.rows))
                yield Page(changes=(await self._whole(plan, owners)).changes, cursor=held.text())
                # A merge is news to each kind of invoice, and the sweep of the customers has its own account of it.
                if name != "merges":
                    self._note(companion.object, found.rows, found.read_at)
        held, gone = await self._proof.prove(plan, held)
        held = replace(held, full=False, swept=self._client.server_now())
        yield Page(changes=gone, cursor=held.text(), done=True)
        for change in gone:
            self._handed.note(f"gone:{plan.shape.object}:{change.source_id}", "")

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record, behind those that it names."""
        await self._same_org()
        plan = await self._planner.plan(kind)
        name = plan.shape.object
        rows = await self._client.by_ids(plan.select, name, "Id", [source_id], deleted=True) if is_id(source_id) else []
        if not rows:
            raise SourceError(f"Salesforce does not show {name} {source_id}.", retry_after=NOT_YET_SECONDS)
        if str(rows[0].get("Id"))[:SHORT_ID] != source_id[:SHORT_ID]:
            raise SourceError(f"Salesforce was asked for {name} {source_id} and shows {rows[0].get('Id')}: refused.")
        parts = await self._parts(plan, rows[:1])
        named = await self._named_by(plan, parts) if plan.shape.record == "invoice" else []
        return [*named, *(change_of(plan.shape, self._rules, part) for part in parts)]

    async def _told(self, plan: Plan, held: Cursor, bus: Bus) -> AsyncIterator[Telling]:
        """What change events tell of a kind's object and of its lines; each brings its record as it is now."""
        session = await self._client.session()
        lines = plan.companions.get("lines")
        for name in (plan.shape.object, *((lines.object,) if lines is not None else ())):
            place = held.replay.get(name)
            try:
                async for drawn in bus.draw(session, topic_of(name), b64decode(place) if place else None):
                    news = [e for e in drawn.events if not e.is_echo(self._own, frozenset(plan.shape.written))]
                    changes = await self._of_events(plan, name, news)
                    held = replace(held, replay={**held.replay, name: b64encode(drawn.replay_id).decode()})
                    if any(event.overflows for event in news):
                        held = replace(held, swept=LONG_AGO)
                    yield Telling(held, changes)
            except ReplayLostError:
                rest = {other: kept for other, kept in held.replay.items() if other != name}
                held = replace(held, replay=rest, swept=LONG_AGO)
                yield Telling(held)
            except SourceError as trouble:
                if trouble.retry_after is None:
                    raise
                # The stream is not to be had now: a sweep says the same, for more calls.
                held = replace(held, swept=LONG_AGO)
                yield Telling(held)

    async def _of_events(self, plan: Plan, name: str, events: Sequence[ChangeEvent]) -> Sequence[SourceChange]:
        ids = dict.fromkeys(one for event in events if not event.overflows for one in event.ids)
        if not ids:
            return []
        lines = plan.companions.get("lines")
        if lines is not None and name == lines.object:
            rows = await self._client.by_ids(lines.select, name, "Id", ids, deleted=True)
            return (await self._whole(plan, await self._owners(plan, lines, rows))).changes
        rows = await self._client.by_ids(plan.select, name, "Id", ids, deleted=True)
        shown = {str(row.get("Id")) for row in rows}
        gone = {one for event in events if event.deletes for one in event.ids} - shown
        evidence = f"A change event of Salesforce tells that this {name} was deleted."
        removed = [Removed(kind=plan.shape.kind, source_id=one, evidence=evidence) for one in sorted(gone)]
        return [*(await self._whole(plan, rows)).changes, *removed]

    async def _start(self, plan: Plan, org: str, held: Cursor | None) -> Cursor:
        if held is None:
            # Taken before the listing begins, so that what changes during it comes again.
            companions = {name: await one.sweep.newest() for name, one in plan.companions.items()}
            now = self._client.server_now()
            main = plan.sweep.resume(replace(await plan.sweep.newest(), stamp=None))
            return Cursor(
                org=org, main=main, companions=companions, proven=now, deleted=now, asked=now, swept=now, full=True
            )
        if held.org != org:
            raise SourceError(
                f"The connection {self._connection} leads to the Salesforce org {org}; what was read before is of"
                f" {held.org}. Nothing was read.",
                remedy="Sign in to the former org, or make a connection of its own for the new one.",
            )
        known = {name: held.companions.get(name) for name in plan.companions}
        return replace(
            held,
            main=plan.sweep.resume(held.main, held.proven),
            companions={
                name: one.sweep.resume(position, held.proven)
                if (position := known[name]) is not None
                else await one.sweep.newest()
                for name, one in plan.companions.items()
            },
        )

    async def _whole(self, plan: Plan, rows: Sequence[JsonObject]) -> Whole:
        parts = await self._parts(plan, rows)
        inner: dict[str, Sequence[JsonObject]] = {}
        if plan.shape.lines is not None:
            inner[plan.shape.lines.object] = [row for part in parts for row in part.lines]
        if plan.prices:
            inner[PRICES] = [row for part in parts for row in part.prices]
        return Whole([change_of(plan.shape, self._rules, part) for part in parts], inner)

    async def _parts(self, plan: Plan, rows: Sequence[JsonObject]) -> list[Parts]:
        ids = [str(row.get("Id")) for row in rows if row.get("IsDeleted") is not True]
        lines: dict[str, list[JsonObject]] = {}
        prices: dict[str, list[JsonObject]] = {}
        shape = plan.shape
        if shape.lines is not None and ids:
            found = await self._client.by_ids(plan.lines, shape.lines.object, shape.lines.parent, ids)
            lines = _grouped(found, shape.lines.parent)
        if plan.prices and ids:
            found = await self._client.by_ids(plan.prices, PRICES, "Product2Id", ids, where=STANDARD_PRICES)
            prices = _grouped(found, "Product2Id")
        return [Parts(row, lines.get(str(row.get("Id")), ()), prices.get(str(row.get("Id")), ())) for row in rows]

    async def _owners(self, plan: Plan, companion: Companion, rows: Sequence[JsonObject]) -> list[JsonObject]:
        named = [str(row[companion.column]) for row in rows if row.get(companion.column)]
        return await self._client.by_ids(plan.select, plan.shape.object, companion.owner, named)

    async def _named_by(self, plan: Plan, parts: Sequence[Parts]) -> list[SourceChange]:
        shape, customers, products = plan.shape, [], []
        for part in parts:
            customers.append(Values(shape.kind, part.row, shape.fields).text("customer"))
            fields = shape.lines.fields if shape.lines is not None else {}
            products += [Values(shape.kind, row, fields).text("product") for row in part.lines]
        return [
            *await self._some(shape.customer_kind, [one for one in customers if one]),
            *await self._some(shape.product_kind, [one for one in products if one]),
        ]

    async def _some(self, kind: str, ids: Iterable[str]) -> Sequence[SourceChange]:
        plan = await self._planner.plan(kind)
        return (await self._whole(plan, await self._client.by_ids(plan.select, plan.shape.object, "Id", ids))).changes

    async def _same_org(self) -> str:
        org = (await self._client.session()).org_id
        if self._org is not None and self._org != org:
            raise SourceError(
                f"The connection {self._connection} led to the Salesforce org {self._org} and leads to {org} now.",
                remedy="Sign in to the former org, or make a connection of its own for the new one.",
            )
        self._org = org
        return org

    async def _within_budget(self) -> None:
        """Leave a part of the day's calls to writes, and to others."""
        if self._client.used_percent < self._share:
            return
        await self._client.look_at_usage()
        if self._client.used_percent >= self._share:
            raise SourceError(
                f"{self._client.used_percent} % of the day's calls to Salesforce are spent; reading waits, and writing"
                " goes on.",
                remedy="Poll less often, or raise daily_share_percent.",
                retry_after=SPENT_SECONDS,
            )

    def _news(self, name: str, rows: Sequence[JsonObject]) -> list[JsonObject]:
        """Those rows of an overlap that were not handed over as they are."""
        return [row for row in rows if self._handed.is_news(f"{name}:{row.get('Id')}", _version(row))]

    def _note(self, name: str, rows: Sequence[JsonObject], read_at: datetime) -> None:
        """Salesforce keeps whole seconds: a row that was read in its own second may change, or go, under one stamp."""
        for row in rows:
            if stamp_of(row) > read_at - SETTLED:
                continue
            self._handed.note(f"{name}:{row.get('Id')}", _version(row))
            if row.get("IsDeleted") is True:
                self._handed.note(f"gone:{name}:{row.get('Id')}", "")


def _version(row: JsonObject) -> str:
    """By content, because a late transaction may leave another row under the same stamp."""
    return hashlib.sha256(repr(row).encode()).hexdigest()


def _grouped(rows: Sequence[JsonObject], column: str) -> dict[str, list[JsonObject]]:
    groups: dict[str, list[JsonObject]] = {}
    for row in rows:
        groups.setdefault(str(row.get(column)), []).append(row)
    return groups
