"""`counterfoil onboard --approve`: from here on a company's documents may go out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import console, money, write_json
from counterfoil.cli.tasks.asking import login_name
from counterfoil.cli.tasks.figures import PlannedFor, is_approved, planned_for_books
from counterfoil.dispatch.approval import needs_approval
from counterfoil.errors import ConfigurationError
from counterfoil.log import Append, NewEvent
from counterfoil.settings import CompanySettings, Settings
from counterfoil.state.rows import CompanyRow
from counterfoil_schema.events.receipts import CompanyApproved


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What came of one company; `planned` is what goes out from here on, as far as it is planned."""

    company: int
    name: str
    outcome: Literal["approved", "approved before", "needs none"]
    author: str | None
    planned: Sequence[PlannedFor]


async def approve(settings: Settings, author: str, *, as_json: bool) -> int:
    """Record the approval of each company that needs one.

    Raises:
        ConfigurationError: one of them has not previewed anything yet, so that nobody can have looked.
    """
    author = author or await asyncio.to_thread(login_name)
    async with open_state(settings) as opened:
        rows = {one.company: await opened.store.one(CompanyRow, one.company) for one in settings.companies}
        for company in settings.companies:
            _require_preview(company, rows[company.company])
        done = [await _approve(opened, one, author) for one in settings.companies]
    if as_json:
        write_json({"companies": done})
    else:
        for one in done:
            console().print(Text(_words(one)), soft_wrap=True)
    return ExitCode.OK


def _require_preview(settings: CompanySettings, row: CompanyRow | None) -> None:
    if needs_approval(settings) and (row is None or row.realm_id is None):
        raise ConfigurationError(
            f"Company {settings.company} has not previewed anything yet, so nothing can be approved.",
            remedy="Run `counterfoil sync` first: it plans everything and sends nothing. Look at it, then approve.",
        )


async def _approve(opened: Opened, settings: CompanySettings, author: str) -> Approved:
    company = settings.company
    planned = await planned_for_books(opened.store, company)
    if not needs_approval(settings):
        return Approved(company=company, name=settings.name, outcome="needs none", author=None, planned=planned)
    if await is_approved(opened.store, opened.reader, company):
        return Approved(company=company, name=settings.name, outcome="approved before", author=None, planned=planned)
    head = (await opened.reader.heads([company]))[company].position
    writer = await opened.writer(company)
    await writer.append(Append(company, [NewEvent(CompanyApproved(author=author, previewed=head))]))
    return Approved(company=company, name=settings.name, outcome="approved", author=author, planned=planned)


def _words(one: Approved) -> str:
    head = f"{one.name} (company {one.company}):"
    match one.outcome:
        case "needs none":
            return f"{head} it is not in production, and needs no approval."
        case "approved before":
            return f"{head} it was approved before; nothing was recorded."
        case "approved":
            sums = [
                f"{each.operation} {each.documents:,} {each.entity}"
                + (f" ({money(each.amount, each.currency)})" if each.amount is not None else "")
                for each in one.planned
            ]
            goes = "; ".join(sums) or "nothing yet"
            return f"{head} approved by {one.author}. The next sync, or serve, sends what is planned: {goes}."
