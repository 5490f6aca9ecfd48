"""`approve`, `retry`, `skip`, `deadletters map`: records what a person asks for; the holder of the lease decides it."""

import asyncio
import getpass
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, tell, write_json
from counterfoil.cli.tasks.figures import held, refused_notes
from counterfoil.cli.tasks.quiet import until_quiet
from counterfoil.dispatch.rollback.again import ROLLED_BACK, is_rolled_back
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.explain.finding import Finder
from counterfoil.log import Append, NewEvent
from counterfoil.planning.mapping_errors import unknown_name
from counterfoil.planning.ownership import ENTITIES
from counterfoil.recovery.dead_letters import by_cause, has_cause, letters_of
from counterfoil.settings import Settings
from counterfoil.state.rows import ChangeRow, LinkRow, RequestRow
from counterfoil_schema.events.receipts import OperatorRequested

Action = Literal["approve", "retry", "skip", "map"]
EVENTS_PER_APPEND = 500
LOOK_SECONDS = 0.3
SERVED_SECONDS = 4.0
"""For how long somebody else may take a request up before this process does the work itself."""

_WAITING_FOR: dict[Action, str] = {
    "approve": "waits for approval",
    "retry": "is parked",
    "skip": "is parked or waits for approval",
    "map": "is parked",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asks for.

    Attributes:
        cause: all dead letters of that cause.
        letters: of what is parked, not of what waits for approval.
        document: what is to stand for the record, as a person names it.
    """

    action: Action
    records: tuple[str, ...]
    all_of_them: bool
    author: str
    reason: str | None = None
    wait: bool = False
    as_json: bool = False
    cause: str | None = None
    letters: bool = False
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it was recorded; `outcome` is what whoever took it up says became of it."""

    company: int
    record_key: str
    position: int
    taken: bool = False
    outcome: str = ""


async def ask(settings: Settings, question: Question) -> int:
    """Record the request, wait for it if that is wanted; 1 if it was not taken up."""
    if sum((bool(question.records), question.all_of_them, question.cause is not None)) != 1:
        cause = ", --cause CAUSE" if question.letters else ""
        command = f"deadletters {question.action}" if question.letters else question.action
        raise ConfigurationError(
            f"Say which record{cause}, or --all.", remedy=f"For example: counterfoil {command} hubspot:deal:512"
        )
    async with open_state(settings) as opened:
        asked = [one for each in settings.companies for one in await _record(opened, each.company, question)]
        if not asked and not question.all_of_them:
            raise await _nothing(opened, question)
        if question.wait and asked:
            asked = await taken(settings, opened, asked)
        done = not question.wait or await _is_done(opened, question, asked)
    _tell(question, asked)
    return ExitCode.OK if done else ExitCode.UNSETTLED


async def _is_done(opened: Opened, question: Question, asked: list[Asked]) -> bool:
    """Whether all was taken up, and what was to be linked is."""
    if not all(one.taken for one in asked):
        return False
    if question.action != "map":
        return True
    links = [await opened.store.one(LinkRow, one.company, one.record_key) for one in asked]
    return all(link is not None for link in links)


async def _record(opened: Opened, company: int, question: Question) -> list[Asked]:
    wanted = await _wanted(opened, company, question)
    author = question.author or await asyncio.to_thread(login_name)
    asked: list[Asked] = []
    if not wanted:
        return asked
    document = None if question.document is None else await _document(opened, company, question.document)
    writer = await opened.writer(company)
    for start in range(0, len(wanted), EVENTS_PER_APPEND):
        part = wanted[start : start + EVENTS_PER_APPEND]
        events = [
            NewEvent(
                OperatorRequested(
                    action=question.action,
                    record_key=key,
                    author=author,
                    reason=question.reason,
                    document=document,
                ),
                record_key=key,
            )
            for key in part
        ]
        appended = await writer.append(Append(company, events))
        asked += [
            Asked(company=company, record_key=key, position=position)
            for position, key in enumerate(part, appended.first_position)
        ]
    return asked


async def _wanted(opened: Opened, company: int, question: Question) -> list[str]:
    """The records that the question is about, among those that wait for such an answer."""
    waiting: list[str] = []
    if question.action in {"approve", "skip"} and not question.letters:
        waiting += [one.record_key for one in await held(opened.store, company)]
    if question.action != "approve":
        letters = await letters_of(opened.store, opened.reader, company)
        chosen = [one for one in letters if question.cause is None or has_cause(one, question.cause)]
        # What was rolled back is brought back by its name or its cause, and by no --all.
        by_word = question.records or question.cause is not None or question.action != "retry"
        waiting += [one.record_key for one in chosen if by_word or one.code not in ROLLED_BACK]
    if question.action in {"retry", "skip"} and question.cause is None:
        waiting += [one.record_key for one in await refused_notes(opened.store, company)]
    waiting = list(dict.fromkeys(waiting))
    if not question.records:
        return waiting
    named = [key for record in question.records for key in await _named(opened, company, record, waiting, question)]
    return list(dict.fromkeys(named))


async def _named(opened: Opened, company: int, record: str, waiting: Sequence[str], question: Question) -> list[str]:
    """The records among those that wait which a person means by a word."""
    if record in waiting:
        return [record]
    finder = Finder(opened.store, opened.pool, opened.names)
    target = await finder.find(company, record)
    if target is None:
        if len(opened.settings.companies) > 1:
            return []
        raise await finder.unknown([company], record)
    back = [
        key for key in target.record_keys if question.action == "retry" and await _rolled_back(opened, company, key)
    ]
    return [key for key in target.record_keys if key in waiting or key in back]


async def _rolled_back(opened: Opened, company: int, record_key: str) -> bool:
    """Whether what a record's newest change wrote was taken back; it is brought back by its name, never by --all."""
    changes = await opened.store.some(ChangeRow, "changes_of_record", company, record_key)
    return any(is_rolled_back(row) for row in changes[-1:])


async def _nothing(opened: Opened, question: Question) -> ConfigurationError:
    """That nothing is as the question says, and what is."""
    if question.cause is None:
        named, is_one = ", ".join(question.records), len(question.records) == 1
        known, it = ("is known", "it") if is_one else ("are known", "them")
        remedy = "`counterfoil parked` and `counterfoil review` list what does."
        return ConfigurationError(
            f"{named} {known}, but nothing of {it} {_WAITING_FOR[question.action]}.", remedy=remedy
        )
    causes: list[str] = []
    for each in opened.settings.companies:
        causes += [one.cause for one in by_cause(await letters_of(opened.store, opened.reader, each.company))]
    says = f"Nothing is parked for the cause {question.cause!r}"
    return ConfigurationError(unknown_name(says, question.cause, causes), remedy="See `counterfoil deadletters list`.")


async def _document(opened: Opened, company: int, named: str) -> str:
    """`Entity:Id` of what a person names by its Id, or by its name where that is no person's."""
    entity, separator, rest = named.replace(":", " ", 1).strip().partition(" ")
    entity = next((one for one in ENTITIES.values() if one.casefold() == entity.casefold()), entity)
    rest = rest.strip()
    if not separator or not rest or entity not in ENTITIES.values():
        raise ConfigurationError(f"{named!r} names no document.", remedy='Write "Item 45", "Customer 58".')
    by_name = await opened.store.answer("document_named", company, entity, rest)
    if by_name is not None:
        return f"{entity}:{by_name}"
    if not rest.isdecimal():
        raise ConfigurationError(
            f"The books have no {entity} called {rest!r}.", remedy="Name it by its Id in QuickBooks."
        )
    return f"{entity}:{rest}"


def login_name() -> str:
    """Who is at the keyboard, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


async def _until_taken(opened: Opened, asked: list[Asked]) -> list[Asked]:
    began = opened.clock.monotonic()
    while True:
        asked = await _look(opened, asked)
        if all(one.taken for one in asked) or opened.clock.monotonic() - began > SERVED_SECONDS:
            return asked
        await asyncio.sleep(LOOK_SECONDS)


async def taken(settings: Settings, opened: Opened, asked: list[Asked]) -> list[Asked]:
    """These requests once they are taken up: by whoever works for their companies, or else by work done here."""
    asked = await _until_taken(opened, asked)
    if not all(one.taken for one in asked):
        await _work(settings)
        asked = await _look(opened, asked)
    return asked


async def _look(opened: Opened, asked: list[Asked]) -> list[Asked]:
    seen = []
    for one in asked:
        row = await opened.store.one(RequestRow, one.company, str(one.position))
        outcome = ""
        if row is not None and row.taken is not None:
            [taken] = await opened.reader.get_many(one.company, [row.taken])
            outcome = str(taken.light().get("outcome", ""))
        seen.append(replace(one, taken=bool(outcome), outcome=outcome))
    return seen


async def _work(settings: Settings) -> None:
    """Nobody serves: do the work here, until it is done."""
    async with Engine(settings) as engine:
        watched = await until_quiet(engine, engine.clock, timeout_seconds=None)
        for one in watched.values():
            if one.ending != "quiet" and one.runner.error:
                tell(one.runner.error)


def _tell(question: Question, asked: list[Asked]) -> None:
    if question.as_json:
        write_json({"action": question.action, "requests": asked})
        return
    if not asked:
        console().print(f"Nothing {_WAITING_FOR[question.action]}.")
    for one in asked:
        then = f"taken up: {one.outcome.rstrip('.')}" if one.taken else "taken up when the company is next worked for"
        console().print(f"{question.action}: {one.record_key} (company {one.company}); {then}.")
