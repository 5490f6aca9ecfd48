"""What `counterfoil rollback` is asked about, found out before anything is looked at or done."""

from datetime import datetime
from zoneinfo import ZoneInfo

from counterfoil.cli.opening import Opened
from counterfoil.errors import ConfigurationError
from counterfoil.explain.finding import Finder
from counterfoil.settings import CompanySettings
from counterfoil.state.rows import CompanyRow
from counterfoil.state.runs import number_of
from counterfoil_schema.events.rollbacks import RollbackScope


async def scope_of(
    opened: Opened,
    company: CompanySettings,
    *,
    run: str | None,
    since: str | None,
    until: str | None,
    source: str | None,
    record: str | None,
) -> RollbackScope:
    """The scope, with everything in it known to exist.

    Raises:
        ConfigurationError: nothing is said, or what is said is unknown or makes no sense.
        UnknownKeyError: the record is not known.
    """
    if until is not None and since is None:
        raise ConfigurationError("--until needs --since.", remedy="Say from when on: --since TIME --until TIME.")
    if run is None and since is None and source is None and record is None:
        raise ConfigurationError(
            "Say what is to be taken back: --run, --since, --source or --record.",
            remedy="`counterfoil runs` lists the runs.",
        )
    row = await opened.store.one(CompanyRow, company.company)
    zone = ZoneInfo(row.zone if row is not None else company.zone)
    begin, end = _instant("--since", since, zone), _instant("--until", until, zone)
    if begin is not None and end is not None and begin >= end:
        raise ConfigurationError(
            f"--since {since} is not before --until {until}.", remedy="Give the earlier time as --since."
        )
    if begin is not None and begin > opened.clock.now():
        raise ConfigurationError(f"--since {since} lies in the future.", remedy="Give a time that has been.")
    if run is not None:
        await _known_run(opened, company, run)
    if source is not None and source not in company.sources:
        known = ", ".join(sorted(company.sources)) or "none"
        raise ConfigurationError(
            f"No connection is called {source}; configured are: {known}.", remedy="Correct the name."
        )
    records = await _records(opened, company.company, record) if record is not None else ()
    return RollbackScope(run=run, since=begin, until=end, source=source, records=records)


def _instant(option: str, given: str | None, zone: ZoneInfo) -> datetime | None:
    if given is None:
        return None
    try:
        instant = datetime.fromisoformat(given)
    except ValueError:
        raise ConfigurationError(
            f"{option} {given} is no time.", remedy="Write it as 2026-11-30T09:00, or with an offset: …T09:00+01:00."
        ) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)


async def _known_run(opened: Opened, company: CompanySettings, run: str) -> None:
    known = {row["run"] for row in await opened.store.records("runs_written", company.company)}
    if run in known:
        return
    if number_of(run) is None:
        raise ConfigurationError(f"{run} is no name of a run.", remedy="`counterfoil runs` lists them: session-12.")
    raise ConfigurationError(
        f"No run {run} wrote anything into the books of company {company.company}.",
        remedy="`counterfoil runs` lists those that did.",
    )


async def _records(opened: Opened, company: int, record: str) -> tuple[str, ...]:
    finder = Finder(opened.store, opened.pool, opened.names)
    target = await finder.find(company, record)
    if target is None:
        raise await finder.unknown([company], record)
    keys: dict[str, None] = {}
    for key in target.record_keys:
        keys[key] = None
        for row in await opened.store.intents_of_changes(company, key):
            if row.target == "quickbooks":
                keys[row.record_key] = None
    if not keys:
        raise ConfigurationError(
            f"{record} comes from no source of ours: nothing of it was written by Counterfoil.",
            remedy="It is a person's to change, in QuickBooks.",
        )
    return tuple(keys)
