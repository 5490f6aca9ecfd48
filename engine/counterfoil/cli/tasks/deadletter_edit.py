"""`counterfoil deadletters edit`: a correction becomes an event; whoever works for the company decides it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.deadletters import letters_named
from counterfoil.dispatch.sources import CONTENT_RULE
from counterfoil.errors import ConfigurationError
from counterfoil.log import Append, NewEvent
from counterfoil.recovery.dead_letters import Letter
from counterfoil.recovery.edits import assigned, changed_places, replaced, value_at
from counterfoil.settings import Settings
from counterfoil.state.rows import RecordRow
from counterfoil_schema.events.receipts import SourceEdited, SourceObserved
from counterfoil_schema.exact_json import JsonValue
from counterfoil_schema.records import Record, content_of

FILE_BYTES_MAX = 4_000_000


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person wants corrected: by places, or as a whole from a file."""

    record: str
    assignments: tuple[str, ...]
    file: Path | None
    author: str
    reason: str
    dry_run: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is corrected at one place."""

    place: str
    before: JsonValue
    after: JsonValue


async def correct(settings: Settings, correction: Correction) -> int:
    """Record the correction.

    Raises:
        ConfigurationError: it cannot be made, and why.
        EditError: what it would make is no such record.
    """
    if bool(correction.assignments) == (correction.file is not None):
        raise ConfigurationError("Say what to correct: --set PLACE=VALUE, or --file.", remedy="One of both.")
    if not correction.reason.strip():
        raise ConfigurationError("A correction needs its reason.", remedy='--reason "agreed by phone"')
    async with open_state(settings) as opened:
        letter = _one(await letters_named(opened, correction.record), correction.record)
        changes, position = await record_correction(opened, letter, correction)
    if correction.as_json:
        write_json({"record_key": letter.record_key, "company": letter.company, "position": position, "edit": changes})
    else:
        _show(letter, changes, position)
    return ExitCode.OK


async def record_correction(opened: Opened, letter: Letter, correction: Correction) -> tuple[list[Change], int | None]:
    """What is corrected of a parked record, and where that is recorded; None for a trial.

    Raises:
        ConfigurationError: it cannot be made, and why.
        EditError: what it would make is no such record.
    """
    row, event = await _corrected(opened, letter)
    record = await _edited(event.record, correction)
    places = changed_places(event.record, record)
    if not places:
        raise ConfigurationError(f"{letter.record_key} says that already.", remedy="Nothing was recorded.")
    changes = [Change(place=one, before=value_at(event.record, one), after=value_at(record, one)) for one in places]
    position = None if correction.dry_run else await _append(opened, letter, row, event, record, correction, places)
    return changes, position


def _one(letters: list[Letter], named: str) -> Letter:
    if len(letters) > 1:
        several = ", ".join(f"{one.record_key} (company {one.company})" for one in letters)
        raise ConfigurationError(f"{named} is more than one: {several}.", remedy="Name the record, and --company.")
    return letters[0]


async def _corrected(opened: Opened, letter: Letter) -> tuple[RecordRow, SourceObserved]:
    """The row of the record that is to be corrected, and what it rests on."""
    row = await opened.store.one(RecordRow, letter.company, letter.record_key)
    found = await opened.reader.get_many(letter.company, [row.position]) if row is not None else []
    event = await found[0].event() if found else None
    if row is None or not isinstance(event, SourceObserved):
        what = "came from the books" if letter.side == "books" else "could not be read, or is gone at its source"
        raise ConfigurationError(
            f"{letter.record_key} {what}, so that there is no record to correct.", remedy=letter.fix
        )
    return row, event


async def _edited(record: Record, correction: Correction) -> Record:
    if correction.file is None:
        return assigned(record, correction.assignments)
    path = correction.file
    try:
        data = await asyncio.to_thread(_read, path)
        return replaced(record, data.decode("utf-8-sig"))
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be read: {problem.strerror}.", remedy="Name a JSON file.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8.", remedy="Save it as UTF-8, then try again.") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise ConfigurationError(f"{path} is larger than {FILE_BYTES_MAX:,} bytes.", remedy="Name one record's file.")
    return data


async def _append(
    opened: Opened,
    letter: Letter,
    row: RecordRow,
    event: SourceObserved,
    record: Record,
    correction: Correction,
    places: tuple[str, ...],
) -> int:
    content_hash = await opened.keyring.keyed_hash(letter.company, content_of(record))
    edited = SourceEdited(
        connection=event.connection,
        source_kind=event.source_kind,
        source_id=event.source_id,
        version=event.version,
        content_hash=CONTENT_RULE + content_hash,
        how="edit",
        record=record,
        corrects=row.position,
        observed_hash=row.content_hash,
        fields=places,
        author=correction.author or await asyncio.to_thread(login_name),
        reason=correction.reason,
    )
    writer = await opened.writer(letter.company)
    new = NewEvent(edited, record_key=letter.record_key, cause=row.position)
    return (await writer.append(Append(letter.company, [new]))).first_position


def _show(letter: Letter, changes: list[Change], position: int | None) -> None:
    out = console()
    shown = table(f"{letter.record_key} (company {letter.company})", "place", "before", "after")
    for one in changes:
        add_row(shown, one.place, _words(one.before), _words(one.after))
    out.print(shown)
    if position is None:
        out.print(Text("Nothing was recorded; without --dry-run it is."))
    else:
        out.print(Text(f"Recorded at position {position}; decided when the company is next worked for."))


def _words(value: JsonValue) -> str:
    return "(nothing)" if value is None else str(value)
