"""`counterfoil limits`: how each company stands inside Intuit's limits, and what the month and the backlog come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.connections import budget_of
from counterfoil.dispatch.batch_size import BatchSize
from counterfoil.dispatch.limiter import Lane, LimiterSettings, ReadBudget
from counterfoil.dispatch.limiter.budget import COMPANIES_SEEN, WHAT_STOPS
from counterfoil.dispatch.limiter.forecast import BUILDER_READS_PER_MONTH, backlog_seconds
from counterfoil.dispatch.outbox import SINGLE_ENTITIES
from counterfoil.settings import CompanySettings, Settings, reads_of
from counterfoil_schema import exact_json

FRESH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One company.

    Attributes:
        seen_at: when an engine last showed it; None if none ever did. The figures of the minute are of that moment.
        used, allowed: calls that counted against the minute, and how many the ceiling lets pass.
        ceiling: share of Intuit's limits in use; a 429 lowers it for a while.
        waiting: callers at the gate, by lane.
        throttled: answers 429 since that engine began, each of which paused the company.
        waited_seconds: time that all callers stood at the gate since then.
        paused_until: end of a pause.
        metered: reads that Intuit meters, by month; `forecast` is what the present one comes to.
        budget: of the month, the one that runs out first: of the company or of the app; None where none bounds it.
            `spent` of it are gone, by all whom it binds.
        stopped: what reads nothing for want of budget, by lane, and until when.
        backlog: writes that still have to go out; `backlog_ends_in_seconds` is the least that the limits allow.
        batch_items: how many of them go into a batch.
    """

    company: int
    name: str
    seen_at: datetime | None
    used: int
    allowed: int
    ceiling: Decimal
    waiting: Mapping[str, int]
    throttled: int
    waited_seconds: Decimal
    paused_until: datetime | None
    metered: Mapping[str, int]
    forecast: int
    budget: int | None
    spent: int
    stopped: Mapping[str, datetime]
    backlog: int
    backlog_ends_in_seconds: int
    batch_items: int


async def limits(settings: Settings, *, as_json: bool) -> int:
    """Print it; 1 if a month's forecast is beyond what Intuit's free tier allows."""
    async with open_state(settings) as opened:
        found = [await limits_of(opened, company) for company in settings.companies]
        now = opened.clock.now()
    total = sum(one.forecast for one in found)
    if as_json:
        write_json({"companies": found, "forecast": total, "builder_tier": BUILDER_READS_PER_MONTH})
    else:
        for one in found:
            _show(one, now)
        share = f"{total:,} of the {BUILDER_READS_PER_MONTH:,} metered reads of Intuit's free tier"
        console().print(Text(f"This month all companies come to {share}, if it goes on like this."))
    return ExitCode.OK if total <= BUILDER_READS_PER_MONTH else ExitCode.UNSETTLED


async def limits_of(opened: Opened, company: CompanySettings) -> Limits:
    """How one company stands."""
    number = company.company
    rows = await opened.store.records("gauges", number)
    row = rows[0] if rows else None
    waiting = {str(one["entity"]): int(one["intents"]) for one in await opened.store.records("backlog", number)}
    singles = sum(count for entity, count in waiting.items() if entity in SINGLE_ENTITIES)
    total = sum(waiting.values())
    size = await BatchSize(company=number, store=opened.store, clock=opened.clock).items_max()
    configured = LimiterSettings(requests_per_minute=company.quickbooks.requests_per_minute)
    ceiling = Decimal(row["ceiling"]) if row else (company.quickbooks.ceiling or Decimal(str(configured.ceiling)))
    budget = await budget_as_seen(opened, company)
    tightest = budget.tightest()
    seconds = backlog_seconds(
        singles, total - singles, settings=configured, items_max=size, ceiling=max(0.01, float(ceiling))
    )
    return Limits(
        company=number,
        name=company.name,
        seen_at=row["saved_at"] if row else None,
        used=row["used"] if row else 0,
        allowed=row["allowed"] if row else int(configured.requests_per_minute * ceiling),
        ceiling=ceiling,
        waiting=_counts(row["waiting"]) if row else {},
        throttled=row["throttled"] if row else 0,
        waited_seconds=Decimal(row["waited_seconds"]) if row else Decimal(0),
        paused_until=row["paused_until"] if row else None,
        metered=budget.counted,
        forecast=budget.forecast(),
        budget=tightest.reads_per_month if tightest else None,
        spent=tightest.spent if tightest else budget.used(),
        stopped={lane.name.lower(): until for lane, until in budget.stopped().items()},
        backlog=total,
        backlog_ends_in_seconds=round(seconds),
        batch_items=size,
    )


async def budget_as_seen(opened: Opened, company: CompanySettings) -> ReadBudget:
    """The month's budget of metered reads, as an engine that held the company would reckon now."""
    app = reads_of(opened.settings.metered_reads_per_month)
    budget = budget_of(company.quickbooks, app, opened.clock)
    for row in await opened.store.records("gauges", company.company):
        budget.restore(_counts(row["metered"]))
    arguments = (budget.month(), opened.clock.now() - COMPANIES_SEEN, company.company)
    (others,) = await opened.store.records("metered_elsewhere", *arguments)
    budget.learn(spent=others["spent"], companies=others["companies"])
    return budget


def _counts(text: str) -> dict[str, int]:
    return {name: int(str(count)) for name, count in exact_json.loads_object(text.encode()).items()}


def _show(one: Limits, now: datetime) -> None:
    shown = table(f"{one.name} (company {one.company})", "", ">", "")
    by_lane = ", ".join(f"{count} {lane}" for lane, count in one.waiting.items() if count)
    month = one.metered.get(f"{now:%Y-%m}", 0)
    least = timedelta(seconds=one.backlog_ends_in_seconds)
    ends = f"at the least {least}, {one.batch_items} to a batch" if one.backlog else ""
    add_row(shown, "calls in a minute", f"{one.used} of {one.allowed}", _when(one, now))
    add_row(shown, "share of Intuit's limits", f"{one.ceiling:.0%}", "lowered by a 429, raised again slowly")
    add_row(shown, "at the gate", f"{sum(one.waiting.values())}", by_lane)
    add_row(shown, "answers 429", f"{one.throttled:,}", "since that engine began")
    add_row(shown, "metered reads", f"{month:,}", f"this month; {one.forecast:,} by its end")
    if one.budget is not None:
        add_row(shown, "of a budget of", f"{one.budget:,}", f"{one.spent:,} spent by all whom it binds")
    add_row(shown, "still to go out", f"{one.backlog:,}", ends)
    out = console()
    out.print(shown)
    for lane, until in one.stopped.items():
        what = WHAT_STOPS[Lane[lane.upper()]]
        out.print(Text(f"For want of budget {what} rest until {until:%d %b %H:%M} UTC; what writes need goes on."))
    if one.paused_until is not None and one.paused_until > now:
        out.print(Text(f"Paused until {one.paused_until:%H:%M:%S} UTC after a 429; nothing is lost."))
    out.print()


def _when(one: Limits, now: datetime) -> str:
    if one.seen_at is None:
        return "no engine has worked yet"
    return "now" if now - one.seen_at < FRESH else f"as of {one.seen_at:%d %b %H:%M} UTC"
