"""Pages of changes and single records: the sweeps, put together to whole records."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from counterfoil.errors import ConfigurationError
from counterfoil.sources.port import Page, Removed, SourceChange, SourceError
from counterfoil_adapters.hubspot.assembling import Assembler
from counterfoil_adapters.hubspot.client import HubSpotClient
from counterfoil_adapters.hubspot.kinds import KINDS, LINES, MODIFIED, OF_PAYMENTS, PARTIES, SALES, named_in
from counterfoil_adapters.hubspot.normalise import Rules, archived_change, merged_changes
from counterfoil_adapters.hubspot.settings import HubSpotSettings
from counterfoil_adapters.hubspot.sweep import Position, Sweep, archived_ms, modified_ms, parse_position
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

NOT_YET_SECONDS = 5.0
REMEMBERED_MAX = 20_000

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the reading of one kind stands.

    `main` is about its objects, `lines` (of sales only) about line items, which change by themselves, `removed` (ms)
    the newest deletion that was told.
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


def rules_of(connection: str, settings: HubSpotSettings, mapping: Mapping[str, Any]) -> Rules:
    """By which objects are read.

    Raises:
        ConfigurationError: the mapping takes quotes for two things.
    """
    offered, sold = named_in(mapping, "estimate"), named_in(mapping, "invoice")
    if "quote" in offered and "quote" in sold:
        raise ConfigurationError(
            f"The mapping of {connection} takes quotes for estimates and for invoices.",
            remedy="Name quote in [estimate] from, or in [invoice] from.",
        )
    held = mapping.get("connection")
    zone = held.get("zone") if isinstance(held, Mapping) else None
    return Rules(
        connection=connection,
        currency=settings.currency,
        number_property=settings.number_property,
        due_property=settings.due_property,
        rate_property=settings.rate_property,
        customers=tuple(kind for kind in named_in(mapping, "customer") if kind in PARTIES),
        sold=tuple(kind for kind in sold if kind in SALES),
        offered=tuple(kind for kind in offered if kind == "quote"),
        paid_out="payout" in named_in(mapping, "payout"),
        zone=zone if isinstance(zone, str) else "UTC",
    )


def properties_of(rules: Rules, written: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """What is asked for of each kind.

    Args:
        written: the properties that are written back, by kind, so that our own values are known again.
    """
    deal = (rules.number_property, rules.due_property)
    chosen: dict[str, Sequence[str]] = {}
    for name, kind in KINDS.items():
        more = (*(deal if name == "deal" else ()), *((rules.rate_property,) if name in SALES else ()))
        optional = (one for one in more if one)
        chosen[name] = tuple(dict.fromkeys((*kind.properties, *optional, *written.get(name, ()))))
    return chosen


class Reader:
    """Reads whole records: a sale with its customers and lines, in as few calls as can be.

    Args:
        written: the properties that are written back, by kind.
    """

    def __init__(
        self, client: HubSpotClient, rules: Rules, settings: HubSpotSettings, written: Mapping[str, Sequence[str]]
    ) -> None:
        self._client = client
        self._poll_deletions = settings.poll_deletions
        self._pays_out = rules.paid_out
        self._properties = properties_of(rules, written)
        self._assembler = Assembler(client, rules, self._properties)
        overlap = self._overlap = settings.overlap_seconds * 1000
        self._told: dict[Removed, None] = {}
        self._taken: dict[tuple[str, str], int] = {}
        self._sweeps = {
            name: Sweep(client, kind.plural, self._properties[name], overlap, kind.modified)
            for name, kind in KINDS.items()
        }
        self._line_sweep = Sweep(client, LINES, (MODIFIED,), overlap)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Pages of one kind since a cursor."""
        held = await self._start(kind, parse_cursor(cursor) if cursor is not None else None)
        lines_of = f"{LINES} of {kind}"
        async for found in self._sweeps[kind].run(held.main):
            # What the first listing shows as merged into something was never known here.
            listing = held.main.at == "list"
            held = replace(held, main=found.position)
            rows = found.rows if listing else self._fresh(kind, found.rows)
            gone = [] if listing else [change for row in rows for change in merged_changes(kind, row)]
            whole = await self._assembler.whole(kind, rows)
            page = await self._page(kind, held, [*gone, *whole.changes])
            yield page
            self._remember(kind, found.rows, page.changes)
            self._remember(lines_of, whole.lines, ())
        if held.lines is not None:
            async for found in self._line_sweep.run(held.lines):
                held = replace(held, lines=found.position)
                changes = await self._assembler.sales_of_lines(kind, self._fresh(lines_of, found.rows))
                page = await self._page(kind, held, changes)
                yield page
                self._remember(lines_of, found.rows, page.changes)

    async def _page(self, kind: str, held: Cursor, changes: Sequence[SourceChange]) -> Page:
        """A page; the last one of a reading tells what was deleted as well."""
        if not held.at_rest:
            return Page(changes=self._untold(changes), cursor=held.text())
        gone = await self._removed(kind, held.removed) if self._poll_deletions else []
        held = replace(held, removed=max([held.removed, *(moment for moment, _ in gone)]))
        told = self._untold([*changes, *(change for _, change in gone)])
        return Page(changes=told, cursor=held.text(), done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record, behind those that it names; a refund with its payment and all others of that."""
        object_id = source_id.partition("-")[0] if kind == "refund" else source_id
        plural, properties = KINDS[kind].plural, self._properties[kind]
        if kind in OF_PAYMENTS and self._pays_out:
            properties = self._properties["payout"]
        row = await self._client.get(plural, object_id, properties, archived=False)
        if row is None:
            gone = await self._client.get(plural, object_id, properties, archived=True)
            if gone is not None:
                return [archived_change(kind, gone)]
            raise SourceError(f"HubSpot does not show {kind} {source_id}.", retry_after=NOT_YET_SECONDS)
        winner = str(row.get("id"))
        merged: list[SourceChange] = []
        if winner != object_id:
            told = f"HubSpot answers for {kind} {source_id} with {winner}."
            merged = [Removed(kind=kind, source_id=source_id, evidence=told, merged_into=winner)]
        return [*merged, *await self._assembler.with_named(kind, row)]

    async def _start(self, kind: str, held: Cursor | None) -> Cursor:
        if held is None:
            # The lines' starting point is taken first, so that one that changes during the listing comes again.
            newest = await self._line_sweep.begin() if kind in SALES else None
            lines = Position("rest", newest.since) if newest is not None else None
            main = await self._sweeps[kind].begin()
            return Cursor(main, lines, main.since)
        if not held.at_rest:
            return held
        lines = self._line_sweep.resume(held.lines) if held.lines is not None else None
        return Cursor(self._sweeps[kind].resume(held.main), lines, held.removed)

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

    async def _removed(self, kind: str, since: int) -> Sequence[tuple[int, SourceChange]]:
        """What HubSpot itself shows as deleted since an instant; what is merely not there proves nothing."""
        gone: list[tuple[int, SourceChange]] = []
        earliest = since - self._overlap
        after: str | None = None
        while True:
            page = await self._client.page(KINDS[kind].plural, (KINDS[kind].modified,), after, archived=True)
            found = [(archived_ms(row), archived_change(kind, row)) for row in page.rows]
            gone.extend((moment, change) for moment, change in found if moment >= earliest)
            after = page.after
            if after is None:
                return gone


def _trim(remembered: dict[T, V]) -> None:
    while len(remembered) > REMEMBERED_MAX:
        del remembered[next(iter(remembered))]
