"""`counterfoil deadletters resolve`: a person says which version of what both sides changed counts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, write_json
from counterfoil.cli.tasks.asking import Asked, login_name, taken
from counterfoil.cli.tasks.deadletter_edit import Correction, record_correction
from counterfoil.cli.tasks.deadletters import letters_named
from counterfoil.errors import ConfigurationError
from counterfoil.log import Append, NewEvent
from counterfoil.planning.mapping_errors import unknown_name
from counterfoil.planning.types import Side
from counterfoil.recovery.conflicts import parked_conflict
from counterfoil.recovery.dead_letters import Letter
from counterfoil.settings import Settings
from counterfoil_schema.events.decisions import IntentParked
from counterfoil_schema.events.receipts import OperatorRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person chose.

    Attributes:
        keep: whose version; None where they corrected the record instead, whose version then counts.
        fields: of which; of all where none is named.
        assignments: corrections of the source's record: `dated=2026-04-02`.
    """

    record: str
    keep: str | None
    fields: tuple[str, ...]
    assignments: tuple[str, ...]
    author: str
    reason: str
    wait: bool
    as_json: bool


async def resolve(settings: Settings, answer: Answer) -> int:
    """Record the answer, wait for it if that is wanted; 1 if it was not taken up.

    Raises:
        ConfigurationError: there is no such conflict, or the answer says too little or too much.
    """
    keep = _side(answer)
    if not answer.reason.strip():
        raise ConfigurationError("An answer needs its reason.", remedy='--reason "the new date was agreed by phone"')
    async with open_state(settings) as opened:
        letter, parked = await _conflict(opened, answer.record)
        fields = _fields(parked, answer.fields)
        if answer.assignments:
            await record_correction(opened, letter, _correction(answer))
        asked = [await _append(opened, letter, answer, keep, fields)]
        if answer.wait:
            asked = await taken(settings, opened, asked)
    if answer.as_json:
        write_json({"action": "resolve", "keep": keep, "fields": fields, "requests": asked})
    else:
        _tell(asked[0], keep, fields)
    return ExitCode.OK if not answer.wait or asked[0].taken else ExitCode.UNSETTLED


def _side(answer: Answer) -> Side:
    if (answer.keep is None) == (not answer.assignments):
        raise ConfigurationError(
            "Say which version counts: --keep source, --keep books, or --set PLACE=VALUE.", remedy="One of the three."
        )
    match answer.keep:
        case "source" | None:
            return "source"
        case "books":
            return "books"
        case other:
            raise ConfigurationError(f"--keep {other} names no side.", remedy="--keep source or --keep books.")


async def _conflict(opened: Opened, record: str) -> tuple[Letter, IntentParked]:
    letters = await letters_named(opened, record)
    if len(letters) > 1:
        several = ", ".join(f"{one.record_key} (company {one.company})" for one in letters)
        raise ConfigurationError(f"{record} is more than one: {several}.", remedy="Name the record, and --company.")
    parked = await parked_conflict(opened.reader, letters[0].company, letters[0].decided)
    if parked is None:
        raise ConfigurationError(
            f"{letters[0].record_key} is parked for another reason ({letters[0].code}).", remedy=letters[0].fix
        )
    return letters[0], parked


def _fields(parked: IntentParked, wanted: Sequence[str]) -> tuple[str, ...]:
    known = [one.field for one in parked.conflicts]
    for name in wanted:
        if name not in known:
            says = f"No conflict about {name} is parked"
            raise ConfigurationError(unknown_name(says, name, known), remedy=f"There is one about {', '.join(known)}.")
    return tuple(wanted) or tuple(known)


def _correction(answer: Answer) -> Correction:
    return Correction(
        answer.record, answer.assignments, None, answer.author, answer.reason, dry_run=False, as_json=answer.as_json
    )


async def _append(opened: Opened, letter: Letter, answer: Answer, keep: Side, fields: tuple[str, ...]) -> Asked:
    request = OperatorRequested(
        action="resolve",
        record_key=letter.record_key,
        author=answer.author or await asyncio.to_thread(login_name),
        reason=answer.reason,
        keep=keep,
        fields=fields,
        parked=letter.decided,
    )
    writer = await opened.writer(letter.company)
    new = NewEvent(request, record_key=letter.record_key, cause=letter.decided)
    position = (await writer.append(Append(letter.company, [new]))).first_position
    return Asked(company=letter.company, record_key=letter.record_key, position=position)


def _tell(asked: Asked, keep: Side, fields: Sequence[str]) -> None:
    then = f"taken up: {asked.outcome.rstrip('.')}" if asked.taken else "taken up when the company is next worked for"
    whose = "the source's version" if keep == "source" else "the books' version"
    console().print(Text(f"resolve: {asked.record_key} keeps {whose} of {', '.join(fields)}; {then}."), soft_wrap=True)
