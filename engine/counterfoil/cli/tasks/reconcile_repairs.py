"""What a repair would do, and the requests for it."""

import asyncio
from collections.abc import Sequence

from rich.text import Text

from counterfoil.cli.opening import open_state
from counterfoil.cli.output import add_row, console, money, table
from counterfoil.cli.tasks.asking import EVENTS_PER_APPEND, Asked, login_name, taken
from counterfoil.cli.tasks.reconcile_show import Shown
from counterfoil.engine import Engine
from counterfoil.log import Append, NewEvent
from counterfoil.planning.reconciling.drifts import IN_WORDS, Drift
from counterfoil.settings import Settings
from counterfoil_schema.events.receipts import OperatorRequested

ROWS_SHOWN_MAX = 60


async def ask_for_repairs(engine: Engine, shown: Sequence[Shown], author: str) -> list[Asked]:
    """Record a request for each record that a repair can do something about."""
    who = author or await asyncio.to_thread(login_name)
    asked: list[Asked] = []
    for one in shown:
        company = one.company.company
        keys = list(dict.fromkeys(drift.about for drift in one.report.drifts if drift.repair is not None))
        for start in range(0, len(keys), EVENTS_PER_APPEND):
            part = keys[start : start + EVENTS_PER_APPEND]
            requests = [OperatorRequested(action="repair", record_key=key, author=who) for key in part]
            events = [NewEvent(each, record_key=each.record_key) for each in requests]
            appended = await engine.log.append(Append(company, events))
            asked += [
                Asked(company=company, record_key=key, position=position)
                for position, key in enumerate(part, appended.first_position)
            ]
    return asked


async def until_done(settings: Settings, asked: list[Asked]) -> list[Asked]:
    """The same once they are taken up."""
    async with open_state(settings) as opened:
        return await taken(settings, opened, asked)


def show_repairs(one: Shown, asked: Sequence[Asked]) -> None:
    """What would be done, or was asked for, and what cannot be."""
    drifts, out = one.report.drifts, console()
    able = [drift for drift in drifts if drift.repair is not None]
    if able:
        shown = table(f"Repair: {len(able):,}", "record", "document", "what would be done", ">amount")
        for drift in able[:ROWS_SHOWN_MAX]:
            document = f"{drift.entity} {drift.number or drift.document_id or ''}".strip()
            amount = money(-drift.amount, drift.currency) if drift.amount is not None else ""
            add_row(shown, drift.record_key or "", document, _what(one, drift), amount)
        out.print(shown)
        if len(able) > ROWS_SHOWN_MAX:
            out.print(Text(f"… and {len(able) - ROWS_SHOWN_MAX:,} more."))
    unable = [drift for drift in drifts if drift.repair is None]
    for drift in unable[:ROWS_SHOWN_MAX]:
        document = f"{drift.entity} {drift.number or drift.document_id or ''}".strip()
        said = f"Not repaired: {drift.record_key or document}, {IN_WORDS[drift.kind]}. {drift.why_not}"
        out.print(Text(said), style="yellow", soft_wrap=True)
    if asked:
        done = sum(each.taken for each in asked)
        then = f"{done:,} taken up" if done else "taken up when the company is next worked for"
        out.print(Text(f"Repairs asked for: {len(asked):,}; {then}. `counterfoil reconcile` shows what is left."))
    elif able:
        out.print(Text("Nothing was changed. `counterfoil reconcile --repair --apply` has it done."))
    else:
        out.print(Text("Nothing that a repair could do."))
    out.print()


def _what(one: Shown, drift: Drift) -> str:
    match drift.repair:
        case "create":
            return "enter it anew"
        case "read":
            return "read the record anew, and plan what follows"
        case _:
            restored = [each for each in drift.fields if each.restored]
            return "; ".join(f"restore {each.field}: {one.masked(drift, each.field, each.ours)}" for each in restored)
