"""`counterfoil onboard --undo`: adoptions are taken back by events; nothing is written on either side."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import console, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.mapping_trials import without_traces
from counterfoil.cli.tasks.onboard_apply import EVENTS_PER_APPEND, show_refused
from counterfoil.dispatch.worker import Rooms
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.onboarding.sheet import read_sheet
from counterfoil.onboarding.undoing import Asked, Refusal, Resting, Standing, Undoing, undoing
from counterfoil.settings import Settings
from counterfoil.state.rows import IntentRow, LinkRow
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import IntentWithdrawn, RecordAdopted, RecordReleased
from counterfoil_schema.events.receipts import BooksMerged

EVENTS_READ = 500
TOLD_SHOWN_MAX = 5
_MOVING = frozenset({"sent", "uncertain", "refetch", "adopt"})
_UNSENT = frozenset({"held", "ready", "parked", "reconnect"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What came of it. Where any adoption is `refused`, nothing was done.

    Attributes:
        before: of a file, what stood for nothing already.
        told: records whose source bears values of what was adopted.
    """

    company: int
    name: str
    undone: Sequence[str]
    before: int
    told: Sequence[str]
    refused: Sequence[Refusal]


async def undo(settings: Settings, wanted: Sequence[str], author: str, *, as_json: bool) -> int:
    """Take adoptions back; 2 and every refusal if any has to stay.

    Args:
        wanted: record keys, and reviewed files: of those all that they adopt.

    Raises:
        ConfigurationError: a file cannot be read, or the company is not named.
    """
    if len(settings.companies) != 1:
        raise ConfigurationError("Of which company?", remedy="Say so with --company NUMBER.")
    (company,) = settings.companies
    author = author or await asyncio.to_thread(login_name)
    asked = [one for what in wanted for one in await asyncio.to_thread(_asked, what)]
    async with (
        Engine(without_traces(settings)) as engine,
        engine.runners[company.company].aside() as (session, rooms),
    ):
        links = await rooms.store.some(LinkRow, "all_links", company.company)
        live = {row.record_key: row for row in links if row.status == "live"}
        keys = [one.record_key for one in asked if one.record_key in live]
        intents = await rooms.store.some(IntentRow, "intents_of_records", company.company, keys)
        judged = undoing(asked, await _standing(rooms, company.company, live, keys, intents), sorted(live))
        if not judged.refused:
            events = _events(judged, intents, author)
            for start in range(0, len(events), EVENTS_PER_APPEND):
                await session.decide(events[start : start + EVENTS_PER_APPEND])
            await rooms.folder.to_head()
    undone = [] if judged.refused else [one.record_key for one in judged.take_back]
    outcome = Undone(
        company=company.company,
        name=company.name,
        undone=undone,
        before=judged.before,
        told=_told(judged, intents) if undone else (),
        refused=judged.refused,
    )
    if as_json:
        write_json(outcome)
    else:
        _show(outcome)
    return ExitCode.USAGE if judged.refused else ExitCode.OK


def _asked(what: str) -> list[Asked]:
    """The adoptions that a word means: one record's, or all of a reviewed file."""
    path = Path(what)
    if not what.casefold().endswith(".csv"):
        return [Asked(record_key=what)]
    try:
        rows, wrong = read_sheet(path.read_bytes())
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be read: {problem.strerror}.", remedy="Name the file that was applied, or a record."
        ) from None
    if wrong:
        raise ConfigurationError(
            f"{path}, line {wrong[0].line}: {wrong[0].says}", remedy="Name the file as it was applied."
        )
    return [Asked(record_key=row.record_key, document_id=row.books_id) for row in rows if row.decision == "adopt"]


async def _standing(
    rooms: Rooms, company: int, live: Mapping[str, LinkRow], keys: Sequence[str], intents: Sequence[IntentRow]
) -> Mapping[str, Standing]:
    images = await _images(rooms, company, [live[key] for key in keys])
    moving = {row.record_key for row in intents if row.state in _MOVING}
    resting = await _resting(rooms, company, live, keys)
    found: dict[str, Standing] = {}
    for key in keys:
        row, image = live[key], images.get(live[key].image)
        is_adopted = isinstance(image, RecordAdopted) and image.record_key == key
        found[key] = Standing(
            record_key=key,
            entity=row.entity,
            document_id=row.document_id,
            adopted=row.image if is_adopted else None,
            merged=row.shared_with is not None or isinstance(image, BooksMerged),
            busy=key in moving,
            resting=tuple(resting.get(key, ())),
        )
    return found


async def _resting(
    rooms: Rooms, company: int, live: Mapping[str, LinkRow], keys: Sequence[str]
) -> Mapping[str, Sequence[Resting]]:
    """What rests on each: written by us by its plan's needs, adopted by whose it was found to be."""
    found: dict[str, list[Resting]] = {}
    for record in await rooms.store.records("resting_on", company, keys):
        row = live[record["record_key"]]
        found.setdefault(record["named"], []).append(_rests(row, is_adopted=False))
    if not any(live[key].entity == "Customer" for key in keys):
        return found
    adopted = [row for row in live.values() if row.adopted and row.entity == "Invoice"]
    images = await _images(rooms, company, adopted)
    for row in adopted:
        image = images.get(row.image)
        if isinstance(image, RecordAdopted) and image.person is not None:
            found.setdefault(image.person, []).append(_rests(row, is_adopted=True))
    return found


def _rests(row: LinkRow, *, is_adopted: bool) -> Resting:
    return Resting(record_key=row.record_key, entity=row.entity, document_id=row.document_id, is_adopted=is_adopted)


async def _images(rooms: Rooms, company: int, rows: Sequence[LinkRow]) -> Mapping[int, Event]:
    """The events that show the documents as they were after our last word on them."""
    found: dict[int, Event] = {}
    positions = sorted({row.image for row in rows})
    for start in range(0, len(positions), EVENTS_READ):
        page = await rooms.events.recorded_many(company, positions[start : start + EVENTS_READ])
        found |= {position: await recorded.event() for position, recorded in page.items()}
    return found


def _told(judged: Undoing, intents: Sequence[IntentRow]) -> Sequence[str]:
    """Records whose source was told of what was adopted."""
    adopted = {one.record_key: one.adopted for one in judged.take_back}
    told = {
        row.record_key
        for row in intents
        if row.operation == "write_back"
        and row.state == "accepted"
        and row.planned > (adopted.get(row.record_key) or row.planned)
    }
    return sorted(told)


def _events(judged: Undoing, intents: Sequence[IntentRow], author: str) -> list[Event]:
    taken = {one.record_key for one in judged.take_back}
    # What the source was to be told of it is told no more; what was planned for the books the fold itself withdraws.
    withdrawn = [
        IntentWithdrawn(
            change=row.change,
            record_key=row.record_key,
            intent_id=row.intent_id,
            code="onboarding",
            reason="The adoption that it tells of was taken back.",
        )
        for row in intents
        if row.record_key in taken and row.operation == "write_back" and row.state in _UNSENT
    ]
    released = [
        RecordReleased(
            record_key=one.record_key,
            entity=one.entity,
            document_id=one.document_id,
            adopted=one.adopted,
            author=author,
        )
        for one in judged.take_back
        if one.adopted is not None
    ]
    return [*withdrawn, *released]


def _show(outcome: Undone) -> None:
    out = console()
    if outcome.refused:
        rows = [(one.record_key, one.says) for one in outcome.refused]
        show_refused(f"{len(rows):,} adoptions have to stay", "record", rows)
        out.print(Text("Nothing was done."))
        return
    before = f", {outcome.before:,} undone before" if outcome.before else ""
    head = f"{outcome.name} (company {outcome.company}): {len(outcome.undone):,} adoptions undone{before}."
    out.print(Text(head), soft_wrap=True)
    if outcome.told:
        what = f"Of {len(outcome.told):,} the source shows what was adopted until another document stands for them"
        out.print(Text(f"{what}: {', '.join(outcome.told[:TOLD_SHOWN_MAX])}."))
    out.print(Text("Nothing was written on either side. Each is parked (`undecided`) until you decide on it:"))
    out.print(Text("counterfoil onboard"))
