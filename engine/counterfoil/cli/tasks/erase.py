"""`counterfoil erase`: what becomes unreadable, what stays, and then, if it is wanted, the erasure."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, money, table, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.progress import progress_bars
from counterfoil.errors import ConfigurationError
from counterfoil.explain import Finder
from counterfoil.log import StaleDecisionError
from counterfoil.privacy import Erasure, Held, NotErasableError, People, Person, scan
from counterfoil.privacy import erase as erase_person
from counterfoil.privacy.erasing import open_plans
from counterfoil.privacy.mentions import says
from counterfoil.privacy.scanning import Retained, words_of
from counterfoil.recovery import operators_work
from counterfoil.settings import Settings
from counterfoil.state.rows import ErasureRow, IntentRow

SHOWN_MAX = 20
REASON_CHARACTERS_MAX = 500
BACKUPS = (
    "Backups of the table sealing_keys that were made before still open it, with the master key, and so does "
    "Postgres' archived WAL: keep them no longer than you may. Where one is restored, the engine destroys the keys "
    "again as it starts, for erasures that the restored log knows of."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for."""

    person: str
    apply: bool
    author: str
    reason: str
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A person, what is held on them, plans about them that have not gone out, and their erasure if there was one."""

    person: Person
    held: Held
    plans: list[IntentRow]
    before: ErasureRow | None = None


async def erase(settings: Settings, asked: Asked) -> int:
    """Show what an erasure comes to; with `apply`, do it.

    Raises:
        ConfigurationError: no reason, or it names the person; or they are known in several companies.
        NoPersonError, UnknownKeyError: what was named is no person, or unknown.
        NotErasableError: something of theirs is on its way.
    """
    if asked.apply and not 0 < len(asked.reason.strip()) <= REASON_CHARACTERS_MAX:
        raise ConfigurationError("An erasure needs its reason, in a sentence.", remedy='--reason "request 2026-31"')
    async with open_state(settings) as opened:
        _, person = await one_person(opened, asked.person)
        async with operators_work(opened.pool, opened.names, person.company, "erase"):
            found = await look(opened, person, hidden=asked.as_json)
            done = await _apply(opened, found, asked) if asked.apply else None
    if asked.as_json:
        write_json(_as_json(found, done))
    else:
        _show(found, done)
    return ExitCode.OK


async def _apply(opened: Opened, found: Found, asked: Asked) -> Erasure:
    words = await words_of(found.person, opened.reader, opened.codec)
    if says(asked.reason, words) or says(asked.reason, (one.casefold() for one in asked.person.split(":")[2:])):
        raise ConfigurationError(
            "The reason names the person, and would be recorded for good.", remedy="Give the number of the request."
        )
    try:
        return await erase_person(
            found.person,
            found.held,
            store=opened.store,
            writer=await opened.writer(),  # also where the log is damaged: a person's right does not wait for that
            keyring=opened.keyring,
            clock=opened.clock,
            author=asked.author or await asyncio.to_thread(login_name),
            reason=asked.reason.strip(),
        )
    except StaleDecisionError:
        raise NotErasableError(
            "Something about this person came in while the log was read.", remedy="Run it again. Nothing was changed."
        ) from None


async def one_person(opened: Opened, key: str) -> tuple[People, Person]:
    """The person whom a key means, in the one company that knows it.

    Raises:
        ConfigurationError: several companies know it.
        NoPersonError, UnknownKeyError: it is no person, or unknown.
    """
    finder = Finder(opened.store, opened.pool, opened.names)
    people = People(store=opened.store, reader=opened.reader, pool=opened.pool, names=opened.names, finder=finder)
    numbers = [one.company for one in opened.settings.companies]
    found = [one for company in numbers if (one := await people.find(company, key)) is not None]
    if not found:
        raise await finder.unknown(numbers, key)
    if len(found) > 1:
        several = ", ".join(str(one.company) for one in found)
        raise ConfigurationError(f"{key} is known in the companies {several}.", remedy="Say which one: --company.")
    return people, found[0]


async def look(opened: Opened, person: Person, *, hidden: bool) -> Found:
    """What is held on a person, read from the whole log, with a bar unless `hidden`."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with progress_bars(*columns, hidden=hidden) as bars:
        task = bars.add_task("Reading the log twice", total=None)

        def told(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        held = await scan(person, reader=opened.reader, codec=opened.codec, told=told)
    return Found(
        person=person,
        held=held,
        plans=await open_plans(opened.store, held, person.company),
        before=await opened.store.one(ErasureRow, person.company, person.asked),
    )


def _as_json(found: Found, done: Erasure | None) -> dict[str, object]:
    person, held = found.person, found.held
    return {
        "company": person.company,
        "person": person.subjects,
        "sources": person.sources,
        "unreadable": {
            "events": held.events,
            "records": sorted(held.records),
            "keys": len(held.subjects),
            "payload_keys": sorted(held.payload_keys),
            "payloads_of_others": held.payloads,
        },
        "stays": {"retained": held.retained, "in_the_clear": held.clear},
        "erased_before": found.before.erased_on if found.before is not None and found.before.is_person else None,
        "plans": [row.record_key for row in found.plans],
        "backups": BACKUPS,
        "erased": done,
    }


def _show(found: Found, done: Erasure | None) -> None:
    out, person, held = console(), found.person, found.held
    names = ", ".join(_named(one) for one in person.subjects)
    out.print(Text(f"Company {person.company}: {names}", style="bold"), soft_wrap=True)
    would = "is" if done else "would be"
    sources = ", ".join(person.sources) or "no source"
    unreadable = f"{held.events:,} events about {len(held.records):,} records from {sources}"
    for sentence in (
        _before(found),
        f"Unreadable for good {would}: the personal parts of {unreadable}, under {len(held.subjects):,} keys.",
        _payloads(held),
        _plans(found),
        "Staying: amounts, dates, numbers, accounts, lines, and the chain of the log, which verifies as before.",
        _retained(found),
        _clear(held),
        BACKUPS,
    ):
        if sentence:
            out.print(Text(f"  {sentence}"), soft_wrap=True)
    if held.retained:
        shown = table("Documents that stay in QuickBooks", "document", "number", "date", ">total")
        for one in held.retained[:SHOWN_MAX]:
            add_row(shown, f"{one.entity} {one.document_id}", one.number, one.dated, money(one.total, None))
        out.print(shown)
        if len(held.retained) > SHOWN_MAX:
            out.print(Text(f"and {len(held.retained) - SHOWN_MAX:,} more; --json has them all"))
    out.print()
    if done is None:
        out.print(Text("Nothing was changed. With --apply and --reason it is done, and cannot be taken back."))
    else:
        out.print(Text(f"Erased, at position {done.position}: {done.keys:,} keys destroyed."))


def _named(subject: str) -> str:
    return subject.removeprefix("quickbooks:").replace(":", " ", 1) if subject.startswith("quickbooks:") else subject


def _before(found: Found) -> str:
    row = found.before
    if row is None or not row.is_person:
        return ""
    return (
        f"This person was erased before, on {row.erased_on}: what follows has no living key, but for what came since."
    )


def _payloads(held: Held) -> str:
    if not held.payload_keys:
        return ""
    keys = ", ".join(sorted(held.payload_keys))
    return (
        f"Payloads as they came in are sealed by the month: with {keys} go {held.payloads:,} payloads about others "
        "too. Nothing is decided by them; what was read from them stays."
    )


def _plans(found: Found) -> str:
    if not found.plans:
        return ""
    keys = ", ".join(sorted({row.record_key for row in found.plans})[:SHOWN_MAX])
    return f"Not sent yet, and parked instead of being sent without what is personal: {keys}."


def _retained(found: Found) -> str:
    parties = ", ".join(f"{entity} {document_id}" for entity, document_id in found.person.documents)
    if not parties:
        return ""
    if not found.held.retained:
        return f"In QuickBooks {parties} stays as it is, and is party to no document known here: erase it there."
    return (
        f"In QuickBooks {parties} stays, named as party of what bookkeeping law has kept, here "
        f"{', '.join(_counts(found.held.retained))}: until that time is over, the name there may not go."
    )


def _counts(retained: Sequence[Retained]) -> list[str]:
    return [f"{count:,} {entity}" for entity, count in sorted(Counter(one.entity for one in retained).items())]


def _clear(held: Held) -> str:
    if not held.clear:
        return ""
    places = ", ".join(f"{one.position} ({one.record_key or one.event_type})" for one in held.clear[:SHOWN_MAX])
    return (
        f"Named in the clear by words that are part of the accounts, as a memo or a line, in {len(held.clear):,} "
        f"events: {places}. These stay readable."
    )
