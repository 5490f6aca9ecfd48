"""`counterfoil approve`, `retry`, `skip`: records what a person asks for; whoever holds the lease decides it."""

import asyncio
import getpass
from dataclasses import dataclass
from typing import Literal

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, tell, write_json
from counterfoil.cli.tasks.figures import held, parked, refused_notes
from counterfoil.cli.tasks.quiet import until_quiet
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.explain.finding import Finder
from counterfoil.log import Append, NewEvent
from counterfoil.settings import Settings
from counterfoil.state.rows import RequestRow
from counterfoil_schema.events.receipts import OperatorRequested

Action = Literal["approve", "retry", "skip"]
EVENTS_PER_APPEND = 500
LOOK_SECONDS = 0.3
SERVED_SECONDS = 4.0
"""For how long somebody else may take a request up before this process does the work itself."""

_WAITING_FOR: dict[Action, str] = {
    "approve": "waits for approval",
    "retry": "is parked",
    "skip": "is parked or waits for approval",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asks for."""

    action: Action
    record: str | None
    all_of_them: bool
    author: str
    reason: str | None
    wait: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it was recorded."""

    company: int
    record_key: str
    position: int
    taken: bool = False


async def ask(settings: Settings, question: Question) -> int:
    """Record the request, wait for it if that is wanted; 1 if it was not taken up."""
    if (question.record is None) == (not question.all_of_them):
        raise ConfigurationError(
            "Say which record, or --all.", remedy=f"For example: counterfoil {question.action} hubspot:deal:512"
        )
    async with open_state(settings) as opened:
        asked = [one for each in settings.companies for one in await _record(opened, each.company, question)]
        if not asked and question.record is not None:
            raise ConfigurationError(
                f"{question.record} is known, but nothing of it {_WAITING_FOR[question.action]}.",
                remedy="`counterfoil parked` and `counterfoil review` list what does.",
            )
        if question.wait and asked:
            asked = await _until_taken(opened, asked)
            if not all(one.taken for one in asked):
                await _work(settings)
                asked = await _look(opened, asked)
    _tell(question, asked)
    return ExitCode.UNSETTLED if question.wait and not all(one.taken for one in asked) else ExitCode.OK


async def _record(opened: Opened, company: int, question: Question) -> list[Asked]:
    wanted = await _wanted(opened, company, question)
    author = question.author or await asyncio.to_thread(login_name)
    asked: list[Asked] = []
    if not wanted:
        return asked
    writer = await opened.writer()
    for start in range(0, len(wanted), EVENTS_PER_APPEND):
        part = wanted[start : start + EVENTS_PER_APPEND]
        events = [
            NewEvent(
                OperatorRequested(action=question.action, record_key=key, author=author, reason=question.reason),
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
    if question.action in {"approve", "skip"}:
        waiting += [one.record_key for one in await held(opened.store, company)]
    if question.action in {"retry", "skip"}:
        waiting += [one.record_key for one in await parked(opened.store, opened.reader, company)]
        waiting += [one.record_key for one in await refused_notes(opened.store, company)]
    waiting = list(dict.fromkeys(waiting))
    if question.record is None or question.record in waiting:
        return waiting if question.record is None else [question.record]
    finder = Finder(opened.store, opened.pool, opened.names)
    target = await finder.find(company, question.record)
    if target is None:
        if len(opened.settings.companies) > 1:
            return []
        raise await finder.unknown([company], question.record)
    return [key for key in target.record_keys if key in waiting]


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


async def _look(opened: Opened, asked: list[Asked]) -> list[Asked]:
    seen = []
    for one in asked:
        row = await opened.store.one(RequestRow, one.company, str(one.position))
        taken = row is not None and row.taken is not None
        seen.append(Asked(company=one.company, record_key=one.record_key, position=one.position, taken=taken))
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
        then = "taken up" if one.taken else "taken up when the company is next worked for"
        console().print(f"{question.action}: {one.record_key} (company {one.company}); {then}.")
