"""Documents of ours that are seen before our own answer to their creation is recorded: which trace they belong to."""

from collections.abc import Sequence

from counterfoil.dispatch.books import Shown
from counterfoil.dispatch.ids import markers_in
from counterfoil.dispatch.in_flight import InFlight
from counterfoil.dispatch.outbox import marker_for
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.planning.ownership import note_field
from counterfoil.state.rows import IN_FLIGHT, IntentRow, LinkRow
from counterfoil.state.store import StateStore

CREATES_MAX = 1_000
"""Far more than can be in flight at once."""

Sign = tuple[str, str]
"""An entity, and what a document of it bears: our mark, or where there is no memo for one, the key of its name."""


class EarlyEchoes:
    """Knows documents by what the creates of one company that are in flight leave on them."""

    def __init__(
        self, *, company: int, store: StateStore, events: EventSource, view: ViewLoader, in_flight: InFlight
    ) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._view = view
        self._in_flight = in_flight

    async def traces(self, shown: Sequence[Shown]) -> dict[tuple[str, ...], str | None]:
        """By entity and id: the trace of the plan of those documents that a create in flight seems to have made."""
        signs: dict[tuple[str, ...], list[Sign]] = {
            (one.entity, one.document_id): await signs_of(one, self._view) for one in shown
        }
        if not any(signs.values()):
            return {}
        made = await self._made()
        found = {key: made[sign] for key, borne in signs.items() for sign in borne if sign in made}
        plans = await self._events.recorded_many(self._company, [row.planned for row in found.values()])
        return {key: plans[row.planned].trace for key, row in found.items()}

    async def _made(self) -> dict[Sign, IntentRow]:
        """By its sign, the intent behind each document that may be there already."""
        flying = await self._store.some(IntentRow, "intents_in", self._company, sorted(IN_FLIGHT), CREATES_MAX)
        # What was sent just now may still read as ready.
        loaded = await self._store.load(self._company, IntentRow.table, [(one,) for one in self._in_flight])
        rows = [*flying, *(row for row in loaded.values() if isinstance(row, IntentRow))]
        creates = [row for row in rows if row.operation == "create"]
        links = await self._store.load(self._company, LinkRow.table, [(row.record_key,) for row in creates])
        made: dict[Sign, IntentRow] = {}
        for row in creates:
            link = links.get((row.record_key,))
            made[row.entity, marker_for(row, link if isinstance(link, LinkRow) else None)] = row
            if row.name_key is not None:
                made[row.entity, row.name_key] = row
        return made


async def signs_of(one: Shown, view: ViewLoader) -> list[Sign]:
    """What a document bears by which it may be known as ours."""
    name = one.document.get("DisplayName") or one.document.get("Name")
    borne = [(one.entity, mark) for mark in markers_in(str(one.document.get(note_field(one.entity), "")))]
    return [*borne, (one.entity, await view.name_key(name))] if isinstance(name, str) else borne
