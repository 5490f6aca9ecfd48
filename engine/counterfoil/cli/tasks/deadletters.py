"""`counterfoil deadletters list` and `show`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, money, pretty, table, write_json
from counterfoil.errors import ConfigurationError
from counterfoil.explain import Finder
from counterfoil.planning.mapping_errors import unknown_name
from counterfoil.recovery.conflicts import Version, versions_of
from counterfoil.recovery.dead_letters import Cause, Letter, at_stake, by_cause, has_cause, letters_of
from counterfoil.recovery.edits import fields_of
from counterfoil.settings import Settings
from counterfoil.state.rows import IntentRow, RecordRow
from counterfoil_schema.events.decisions import IntentRejected
from counterfoil_schema.events.receipts import SourceObserved, SourceUnreadable
from counterfoil_schema.exact_json import JsonObject

WAITING_SHOWN_MAX = 50
TIMELINE_EVENTS = 1_000
_REFUSALS = frozenset({IntentRejected.event_type, SourceUnreadable.event_type})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal as it came in.

    Attributes:
        raw: the body of the answer, or what a source brought that cannot be read.
        intuit_tid: under what Intuit's support finds the call.
    """

    code: str
    kind: str
    reason: str
    raw: str | None
    intuit_tid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A dead letter with what is behind it.

    Attributes:
        waiting: record keys whose plans wait for its document.
        record: as last observed, or corrected; None where it may not be shown, or there is none.
    """

    letter: Letter
    fault: Fault | None
    waiting: tuple[str, ...]
    record: JsonObject | None


async def show_causes(settings: Settings, *, as_json: bool) -> int:
    """Print the causes; 1 if there is any."""
    async with open_state(settings) as opened:
        found = await _all(opened)
    causes, sums = by_cause(found), at_stake(found)
    if as_json:
        write_json({"causes": causes, "letters": len(found), "at_stake": sums})
        return ExitCode.UNSETTLED if found else ExitCode.OK
    out = console()
    if not found:
        out.print(Text("There are no dead letters."))
        return ExitCode.OK
    columns = (
        ">letters",
        "cause",
        "first seen",
        "last seen",
        ">at stake",
        ">waiting",
        "why (the newest)",
        "what to do",
    )
    shown = table(f"Dead letters: {len(found):,} in {len(causes):,} causes", *columns)
    for one in causes:
        seen = (f"{one.first_seen:%Y-%m-%d %H:%M}Z", f"{one.last_seen:%Y-%m-%d %H:%M}Z")
        add_row(shown, one.letters, one.cause, *seen, _stake(one), one.waiting or "", one.reason, one.fix)
    out.print(shown)
    out.print(Text(f"Together {_sums(sums)}. Each of a cause: `counterfoil deadletters list --cause CAUSE`."))
    return ExitCode.UNSETTLED


async def show_letters(settings: Settings, cause: str, *, as_json: bool) -> int:
    """Print every letter of a cause; 1 if there is any.

    Raises:
        ConfigurationError: nothing is parked for that cause.
    """
    async with open_state(settings) as opened:
        every = await _all(opened)
    found = [one for one in every if has_cause(one, cause)]
    if not found:
        says = f"Nothing is parked for the cause {cause!r}"
        known = [one.cause for one in by_cause(every)]
        raise ConfigurationError(unknown_name(says, cause, known), remedy="`counterfoil deadletters list` names them.")
    if as_json:
        write_json({"cause": cause, "letters": found, "at_stake": at_stake(found)})
        return ExitCode.UNSETTLED
    shown = table(f"{cause}: {len(found):,}", "company", "record", ">amount", "since", ">waiting", "why", "what to do")
    for one in found:
        since = f"{one.first_seen:%Y-%m-%d %H:%M}Z"
        amount = money(one.amount, one.currency)
        add_row(shown, one.company, one.record_key, amount, since, one.waiting or "", one.reason, one.fix)
    console().print(shown)
    return ExitCode.UNSETTLED


async def show_letter(settings: Settings, record: str, *, personal: bool, as_json: bool) -> int:
    """Print one letter whole, in each company that has one of that record; 1 since it is still there.

    Raises:
        UnknownKeyError: nothing is known under that name.
        ConfigurationError: it is known, and not parked.
    """
    async with open_state(settings) as opened:
        letters = await letters_named(opened, record)
        found = [await _whole(opened, one, personal=personal) for one in letters]
    if as_json:
        write_json({"key": record, "letters": found})
    else:
        for one in found:
            _show(one)
    return ExitCode.UNSETTLED


async def letters_named(opened: Opened, record: str) -> list[Letter]:
    """The letters of a record, by whatever name a person gives it.

    Raises:
        UnknownKeyError, ConfigurationError: there is none.
    """
    finder = Finder(opened.store, opened.pool, opened.names)
    numbers = [one.company for one in opened.settings.companies]
    targets = {number: await finder.find(number, record) for number in numbers}
    if not any(targets.values()):
        raise await finder.unknown(numbers, record)
    found = [
        letter
        for number, target in targets.items()
        if target is not None
        for letter in await letters_of(opened.store, opened.reader, number)
        if letter.record_key in target.record_keys
    ]
    if not found:
        raise ConfigurationError(
            f"{record} is known, but nothing of it is parked.", remedy="`counterfoil deadletters list` shows what is."
        )
    return found


async def _all(opened: Opened) -> list[Letter]:
    return [
        one for each in opened.settings.companies for one in await letters_of(opened.store, opened.reader, each.company)
    ]


async def _whole(opened: Opened, letter: Letter, *, personal: bool) -> Whole:
    rows = await opened.store.some(
        IntentRow, "intents_waiting_for", letter.company, letter.record_key, WAITING_SHOWN_MAX
    )
    if personal and letter.versions:
        opened_ones = await versions_of(opened.store, opened.reader, letter.company, letter.decided, personal=True)
        letter = replace(letter, versions=opened_ones)
    return Whole(
        letter=letter,
        fault=await _fault(opened, letter),
        waiting=tuple(dict.fromkeys(row.record_key for row in rows)),
        record=await _record(opened, letter) if personal else None,
    )


async def _fault(opened: Opened, letter: Letter) -> Fault | None:
    """The refusal behind a letter, if it was one: the last since its change was observed."""
    rows = await opened.store.intents_of_changes(letter.company, letter.record_key)
    keys = dict.fromkeys((letter.record_key, *(row.record_key for row in rows if row.change == letter.position)))
    timelines = [
        await opened.reader.record_timeline(letter.company, key, letter.position - 1, TIMELINE_EVENTS) for key in keys
    ]
    refusals = [one for timeline in timelines for one in timeline if one.event_type in _REFUSALS]
    if not refusals:
        return None
    match await max(refusals, key=lambda one: one.position).event():
        case IntentRejected() as event:
            return Fault(
                code=event.code, kind=event.kind, reason=event.reason, raw=event.raw, intuit_tid=event.intuit_tid
            )
        case SourceUnreadable() as event:
            return Fault(code=letter.code, kind="source", reason=event.problem, raw=event.raw)
        case _:
            return None


async def _record(opened: Opened, letter: Letter) -> JsonObject | None:
    row = await opened.store.one(RecordRow, letter.company, letter.record_key)
    if row is None:
        return None
    [recorded] = await opened.reader.get_many(letter.company, [row.position])
    event = await recorded.event()
    return fields_of(event.record) if isinstance(event, SourceObserved) else None


def _show(whole: Whole) -> None:
    out, letter = console(), whole.letter
    amount = f", {money(letter.amount, letter.currency)}" if letter.amount is not None else ""
    out.print(Text(f"{letter.record_key} (company {letter.company}{amount})", style="bold"), soft_wrap=True)
    lines = [
        ("cause", letter.cause),
        ("why", letter.reason),
        ("what to do", letter.fix),
        ("first seen", f"{letter.first_seen:%Y-%m-%d %H:%M:%S}Z, position {letter.position}"),
        ("last parked", f"{letter.last_seen:%Y-%m-%d %H:%M:%S}Z, position {letter.decided}"),
    ]
    if whole.waiting:
        more = " and more" if len(whole.waiting) < letter.waiting else ""
        lines.append(("waits for it", ", ".join(whole.waiting) + more))
    if whole.fault is not None:
        tid = f", intuit_tid {whole.fault.intuit_tid}" if whole.fault.intuit_tid else ""
        lines.append(("refused", f"{whole.fault.code} ({whole.fault.kind}){tid}: {whole.fault.reason}"))
        lines.append(("as it came in", whole.fault.raw or "nothing was kept"))
    for name, text in lines:
        out.print(Text(f"  {name:<14}{text}"), soft_wrap=True)
    for one in letter.versions:
        out.print(_versions(one))
    if whole.record is not None:
        out.print(Text(pretty(whole.record)), soft_wrap=True)


def _versions(one: Version) -> Table:
    """Three versions of one field, one below the other."""
    hidden = "(personal: --personal shows it)"
    shown = table(f"{one.field}, changed on both sides", "version", "value", "since")
    by = f" by {one.books_by}" if one.books_by else ""
    for name, value, at, who in (
        ("written last", one.base, one.base_at, ""),
        ("the source now", one.source, one.source_at, ""),
        ("QuickBooks now", one.books, one.books_at, by),
    ):
        add_row(shown, name, hidden if value is None else value, f"{at:%Y-%m-%d %H:%M:%S}Z{who}" if at else who)
    return shown


def _stake(cause: Cause) -> str:
    unknown = f"{cause.without_amount} without" if cause.without_amount and cause.at_stake else ""
    return " + ".join(one for one in (_sums(cause.at_stake) if cause.at_stake else "", unknown) if one)


def _sums(sums: Mapping[str, Decimal]) -> str:
    return "; ".join(money(amount, currency) for currency, amount in sums.items()) or "nothing that states an amount"
