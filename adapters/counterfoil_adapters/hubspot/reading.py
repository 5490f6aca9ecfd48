"""Pages of changes and single records: the sweeps, put together to whole records."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from counterfoil.sources.port import Page, Removed, SourceChange, SourceError
from counterfoil_adapters.hubspot.client import HubSpotClient, Linked
from counterfoil_adapters.hubspot.normalise import (
    COMPANY_PROPERTIES,
    DEAL_PROPERTIES,
    KINDS,
    LINE_PROPERTIES,
    PRODUCT_PROPERTIES,
    DealParts,
    Rules,
    archived_change,
    company_change,
    deal_change,
    merged_changes,
    product_change,
)
from counterfoil_adapters.hubspot.settings import HubSpotSettings
from counterfoil_adapters.hubspot.sweep import Position, Sweep, archived_ms, modified_ms, parse_position
from counterfoil_adapters.hubspot.values import Properties
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

LINES = "line_items"
NOT_YET_SECONDS = 5.0
REMEMBERED_MAX = 20_000

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the reading of one kind stands.

    `main` is about its objects, `lines` (deals only) about line items, which change by themselves, `removed` (ms) the
    newest deletion that was told.
    """

    main: Position
    lines: Position | None
    removed: int

    def text(self) -> str:
        """As kept by the engine."""
        lines = self.lines.plain() if self.lines is not None else None
        parts = {"main": self.main.plain(), "lines": lines, "removed": self.removed}
        return exact_json.dumps(parts).decode()

    @property
    def at_rest(self) -> bool:
        """Whether the last reading came to its end."""
        return self.main.at == "rest" and (self.lines is None or self.lines.at == "rest")


@dataclass(frozen=True, slots=True)
class Whole:
    """Changes, and the line items that went into them."""

    changes: Sequence[SourceChange]
    lines: Sequence[JsonObject] = ()


def parse_cursor(text: str) -> Cursor:
    """Undo `Cursor.text`.

    Raises:
        SourceError: not a cursor of this adapter.
    """
    try:
        value = exact_json.loads_object(text)
        lines, removed = value.get("lines"), value.get("removed")
        return Cursor(
            parse_position(value.get("main")),
            parse_position(lines) if lines is not None else None,
            removed if isinstance(removed, int) else 0,
        )
    except ValueError as error:
        raise SourceError(
            f"The HubSpot cursor {text[:80]!r} cannot be read.", remedy="Start a full reading of this connection."
        ) from error


class Reader:
    """Reads whole records: a deal with its companies and lines, in as few calls as can be."""

    def __init__(
        self, client: HubSpotClient, connection: str, settings: HubSpotSettings, written: Iterable[str]
    ) -> None:
        self._client = client
        self._rules = Rules(
            connection, settings.currency, settings.number_property, settings.due_property, settings.rate_property
        )
        self._poll_deletions = settings.poll_deletions
        optional = (name for name in (settings.number_property, settings.due_property, settings.rate_property) if name)
        self._properties: Mapping[str, Sequence[str]] = {
            "company": COMPANY_PROPERTIES,
            "product": PRODUCT_PROPERTIES,
            "deal": tuple(dict.fromkeys((*DEAL_PROPERTIES, *optional, *written))),
        }
        overlap = self._overlap = settings.overlap_seconds * 1000
        self._told: dict[Removed, None] = {}
        self._taken: dict[tuple[str, str], int] = {}
        self._sweeps = {kind: Sweep(client, KINDS[kind], names, overlap) for kind, names in self._properties.items()}
        self._line_sweep = Sweep(client, LINES, ("hs_lastmodifieddate",), overlap)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Pages of one kind since a cursor."""
        held = await self._start(kind, parse_cursor(cursor) if cursor is not None else None)
        async for found in self._sweeps[kind].run(held.main):
            # What the first listing shows as merged into something was never known here.
            listing = held.main.at == "list"
            held = replace(held, main=found.position)
            rows = found.rows if listing else self._fresh(kind, found.rows)
            whole = await self._whole(kind, rows, merges=not listing)
            page = await self._page(kind, held, whole.changes)
            yield page
            self._remember(kind, found.rows, page.changes)
            self._remember(LINES, whole.lines, ())
        if held.lines is not None:
            async for found in self._line_sweep.run(held.lines):
                held = replace(held, lines=found.position)
                page = await self._page(kind, held, await self._deals_of_lines(self._fresh(LINES, found.rows)))
                yield page
                self._remember(LINES, found.rows, page.changes)

    async def _page(self, kind: str, held: Cursor, changes: Sequence[SourceChange]) -> Page:
        """A page; the last one of a reading tells what was deleted as well."""
        if not held.at_rest:
            return Page(changes=self._untold(changes), cursor=held.text())
        gone = await self._removed(kind, held.removed) if self._poll_deletions else []
        held = replace(held, removed=max([held.removed, *(moment for moment, _ in gone)]))
        told = self._untold([*changes, *(change for _, change in gone)])
        return Page(changes=told, cursor=held.text(), done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record, behind those that it names."""
        plural, properties = KINDS[kind], self._properties[kind]
        row = await self._client.get(plural, source_id, properties, archived=False)
        if row is None:
            gone = await self._client.get(plural, source_id, properties, archived=True)
            if gone is not None:
                return [archived_change(kind, gone)]
            raise SourceError(f"HubSpot does not show {kind} {source_id}.", retry_after=NOT_YET_SECONDS)
        winner = str(row.get("id"))
        merged: list[SourceChange] = []
        if winner != source_id:
            told = f"HubSpot answers for {kind} {source_id} with {winner}."
            merged = [Removed(kind=kind, source_id=source_id, evidence=told, merged_into=winner)]
        if kind != "deal":
            return [*merged, *(await self._whole(kind, [row], merges=False)).changes]
        parts = await self._parts([row])
        return [*merged, *await self._named_by(parts), *(deal_change(self._rules, part) for part in parts)]

    async def _start(self, kind: str, held: Cursor | None) -> Cursor:
        if held is None:
            # The lines' starting point is taken first, so that one that changes during the listing comes again.
            newest = await self._line_sweep.begin() if kind == "deal" else None
            lines = Position("rest", newest.since) if newest is not None else None
            main = await self._sweeps[kind].begin()
            return Cursor(main, lines, main.since)
        if not held.at_rest:
            return held
        lines = self._line_sweep.resume(held.lines) if held.lines is not None else None
        return Cursor(self._sweeps[kind].resume(held.main), lines, held.removed)

    async def _whole(self, kind: str, rows: Sequence[JsonObject], *, merges: bool) -> Whole:
        gone = [change for row in rows for change in merged_changes(kind, row)] if merges else []
        match kind:
            case "deal":
                parts = await self._parts(rows)
                lines = [row for part in parts for row in part.lines.values()]
                return Whole([*gone, *(deal_change(self._rules, part) for part in parts)], lines)
            case "company":
                return Whole([*gone, *map(company_change, rows)])
            case _:
                return Whole([*gone, *(product_change(self._rules, row) for row in rows)])

    def _untold(self, changes: Sequence[SourceChange]) -> Sequence[SourceChange]:
        return [change for change in changes if not isinstance(change, Removed) or change not in self._told]

    def _fresh(self, kind: str, rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """Those rows of an overlap that this adapter has not handed over as they are."""
        return [row for row in rows if self._taken.get((kind, str(row.get("id")))) != modified_ms(row)]

    def _remember(self, kind: str, rows: Sequence[JsonObject], changes: Sequence[SourceChange]) -> None:
        """Once its page was taken, the same row or removal need not be handed over again at each poll."""
        self._taken.update({(kind, str(row.get("id"))): modified_ms(row) for row in rows})
        self._told.update(dict.fromkeys(change for change in changes if isinstance(change, Removed)))
        _trim(self._taken)
        _trim(self._told)

    async def _parts(self, deals: Sequence[JsonObject]) -> Sequence[DealParts]:
        ids = [str(row.get("id")) for row in deals]
        if not ids:
            return []
        companies = await self._client.linked("deals", ids, "companies")
        links = await self._client.linked("deals", ids, LINES)
        wanted = [line_id for found in links.values() for line_id in found.ids]
        lines = await self._client.batch_read(LINES, wanted, LINE_PROPERTIES)
        return [
            _part(row, companies.get(source_id), links.get(source_id, Linked(())), lines)
            for source_id, row in zip(ids, deals, strict=True)
        ]

    async def _named_by(self, parts: Sequence[DealParts]) -> Sequence[SourceChange]:
        company_ids = [end for part in parts if part.companies for end in part.companies.ids]
        product_ids = [
            named
            for part in parts
            for row in part.lines.values()
            if (named := Properties("line item", row).text("hs_product_id")) is not None
        ]
        companies = await self._client.batch_read("companies", company_ids, COMPANY_PROPERTIES)
        products = await self._client.batch_read("products", product_ids, PRODUCT_PROPERTIES)
        return [
            *(company_change(row) for row in companies.values()),
            *(product_change(self._rules, row) for row in products.values()),
        ]

    async def _deals_of_lines(self, rows: Sequence[JsonObject]) -> Sequence[SourceChange]:
        """The deals that these line items are on: a line may change without its deal counting as modified."""
        links = await self._client.linked(LINES, [str(row.get("id")) for row in rows], "deals")
        ids = [deal_id for found in links.values() for deal_id in found.ids]
        deals = await self._client.batch_read("deals", ids, self._properties["deal"])
        return [deal_change(self._rules, part) for part in await self._parts(list(deals.values()))]

    async def _removed(self, kind: str, since: int) -> Sequence[tuple[int, SourceChange]]:
        """What HubSpot itself shows as deleted since an instant; what is merely not there proves nothing."""
        gone: list[tuple[int, SourceChange]] = []
        earliest = since - self._overlap
        after: str | None = None
        while True:
            page = await self._client.page(KINDS[kind], ("hs_lastmodifieddate",), after, archived=True)
            found = [(archived_ms(row), archived_change(kind, row)) for row in page.rows]
            gone.extend((moment, change) for moment, change in found if moment >= earliest)
            after = page.after
            if after is None:
                return gone


def _part(deal: JsonObject, companies: Linked | None, links: Linked, lines: Mapping[str, JsonObject]) -> DealParts:
    own = {line_id: lines[line_id] for line_id in links.ids if line_id in lines}
    return DealParts(deal, companies, links.ids, own)


def _trim(remembered: dict[T, V]) -> None:
    while len(remembered) > REMEMBERED_MAX:
        del remembered[next(iter(remembered))]
