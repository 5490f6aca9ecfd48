"""How a kind is read: the lists once, then what events announce."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, assert_never

from counterfoil.ports import Clock
from counterfoil.sources import Page, Removed, Seen, SourceChange, SourceError, Unreadable
from counterfoil_adapters.gusto import contractor as contractors
from counterfoil_adapters.gusto import employee as people
from counterfoil_adapters.gusto.api import REREAD_SECONDS, EventLostError, GustoApi, Listing, NotShownError, identity
from counterfoil_adapters.gusto.cursor import Cursor
from counterfoil_adapters.gusto.ledger import Ledgers
from counterfoil_adapters.gusto.normalising import Normaliser, Setting
from counterfoil_adapters.gusto.webhook import hint_of
from counterfoil_schema.exact_json import JsonObject, dumps
from counterfoil_schema.records import ContractorPayment, PayRun, split_key

Kind = Literal["employee", "contractor", "payroll", "contractor_payment"]
DATED = frozenset({"payroll", "contractor_payment"})
"""Kinds that are listed by windows of dates."""

ENDINGS: Mapping[Kind, str] = {
    "employee": "employee.deleted",
    "contractor": "contractor.deleted",
    "payroll": "payroll.deleted",
    "contractor_payment": "contractor_payment.cancelled",
}
"""Gusto's own words for: it is gone."""

WINDOW = timedelta(days=364)
"""Gusto: a window of payrolls is a year at most."""

AHEAD = timedelta(days=60)
"""Processed payrolls are paid within weeks; Gusto allows windows up to three months ahead."""

REREAD = timedelta(days=183)
"""Without events, how far back each poll reads payrolls again."""

EVENTS_KEPT = timedelta(days=29)
EVENTS_PER = 100
RESTARTS_MAX = 5


class Reader:
    """Reads one company."""

    def __init__(
        self, api: GustoApi, clock: Clock, normaliser: Normaliser, since: date | None, ledgers: Ledgers | None = None
    ) -> None:
        self._ledgers = ledgers
        self._api = api
        self._clock = clock
        self._normaliser = normaliser
        self._since = since

    async def pages(self, kind: Kind, cursor: Cursor | None) -> AsyncIterator[Page]:
        """Pages from a cursor; all of it where there is none, or where its events are gone."""
        afresh = ""
        if cursor is not None and cursor.phase == "events":
            if not self._api.sees_events:
                cursor = await self._begin(kind, again=True)
            elif self._clock.now() - cursor.at > EVENTS_KEPT:
                afresh = f"Gusto keeps events for thirty days, and the last were read on {cursor.at:%Y-%m-%d}."
                cursor = None
        if cursor is not None and cursor.phase == "events":
            try:
                async for page in self._announced(kind, cursor):
                    yield page
            except EventLostError as lost:
                cursor, afresh = None, str(lost)
            else:
                return
        listed = cursor if cursor is not None else await self._begin(kind)
        async for page in self._listed(kind, listed):
            yield replace(page, afresh=afresh)
            afresh = ""

    async def read(self, kind: Kind, source_id: str) -> list[SourceChange]:
        """One record, after the contractor whom a payment pays."""
        change = await self.one(kind, source_id)
        if isinstance(change, Seen) and isinstance(change.record, ContractorPayment):
            contractor = split_key(change.record.contractor)[2]
            try:
                return [await self.one("contractor", contractor), change]
            except NotShownError:
                pass  # the payment tells by itself that nobody is shown whom it pays
        return [change]

    async def one(self, kind: Kind, source_id: str, setting: Setting | None = None) -> SourceChange:
        """One record as it is now, or Gusto's word that it was deleted.

        Args:
            setting: what payrolls are looked up in, where it was read for several of them; else it is read now.

        Raises:
            NotShownError: Gusto shows neither.
        """
        try:
            match kind:
                case "employee":
                    person = await self._api.employee(source_id)
                    needed = people.department_of(person, {}) is None and person.get("department_uuid") is not None
                    return self._normaliser.employee(person, await self._api.departments() if needed else {})
                case "contractor":
                    return self._normaliser.contractor(await self._api.contractor(source_id))
                case "contractor_payment":
                    payment = await self._api.contractor_payment(source_id)
                    return self._normaliser.contractor_payment(payment, await self._department(payment))
                case "payroll":
                    payload = await self._api.payroll(source_id)
                    return await self._compared(self._normaliser.payroll(payload, setting or await self._setting()))
                case _:
                    assert_never(kind)
        except NotShownError:
            for event in await self._api.events(ENDINGS[kind], None, newest_first=True):
                if event.get("entity_uuid") == source_id:
                    return _removed(kind, source_id, event)
            raise

    async def _compared(self, change: SourceChange) -> SourceChange:
        """A pay run with Gusto's own ledger beside it, where the mapping compares the two."""
        if self._ledgers is None or not isinstance(change, Seen) or not isinstance(change.record, PayRun):
            return change
        run = change.record
        if not run.processed:
            return change
        ledger = await self._ledgers.of(change.source_id, run.lines, reversal=run.reverses is not None)
        return replace(change, record=run.model_copy(update={"ledger": ledger}))

    async def _department(self, payment: JsonObject) -> str | None:
        """The department of whom a payment pays; none where Gusto does not show the contractor any more."""
        found = contractors.contractor_of(payment)
        try:
            contractor = await self._api.contractor(found) if found is not None else {}
        except NotShownError:
            return None
        needed = contractors.department(contractor, {}) is None and contractor.get("department_uuid") is not None
        return contractors.department(contractor, await self._api.departments() if needed else {})

    async def _begin(self, kind: Kind, *, again: bool = False) -> Cursor:
        newest = await self._api.events(f"{kind}.*", None, newest_first=True)
        now = self._clock.now()
        start = self._since or now.date() - timedelta(days=365)
        if again:
            start = max(start, now.date() - REREAD)
        after = identity(newest[0], "/v1/events") if newest else None
        return Cursor(phase="list", after=after, at=now, start=start if kind in DATED else None)

    async def _listed(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        setting = await self._setting() if kind == "payroll" else Setting(departments={}, reversals=())
        titles = await self._titles(kind)
        restarts = 0
        while True:
            listing = await self._listing(kind, cursor)
            if cursor.page > 1 and cursor.total != listing.total:
                # A row came or went, so later rows moved between pages: read this list from its start again.
                restarts += 1
                if restarts > RESTARTS_MAX:
                    raise SourceError(f"Gusto's list of {kind} records keeps changing.", retry_after=REREAD_SECONDS)
                cursor = replace(cursor, page=1, total=None)
                continue
            changes: list[SourceChange] = []
            for row in listing.rows:
                match kind:
                    case "employee":
                        changes.append(self._normaliser.employee(row, titles))
                    case "contractor":
                        changes.append(self._normaliser.contractor(row))
                    case "contractor_payment":
                        department = titles.get(contractors.contractor_of(row) or "")
                        changes.append(self._normaliser.contractor_payment(row, department))
                    case "payroll":
                        setting = await self._knowing(row, setting, changes)
                    case _:
                        assert_never(kind)
            cursor = self._next(kind, cursor, listing)
            done = cursor.phase == "events"
            yield Page(changes=changes, cursor=cursor.text(), done=done)
            if done:
                return

    async def _titles(self, kind: Kind) -> dict[str, str]:
        """Departments by what a list of the kind names them by: their own uuids, or those of contractors."""
        if kind not in ("employee", "contractor_payment"):
            return {}
        titles = await self._api.departments()
        if kind == "employee":
            return titles
        found = {
            identity(one, "its contractors"): contractors.department(one, titles)
            for one in await self._api.all_contractors()
        }
        return {contractor: title for contractor, title in found.items() if title is not None}

    async def _knowing(self, row: JsonObject, setting: Setting, changes: list[SourceChange]) -> Setting:
        """Read a listed payroll; where it pays somebody hired since, look up the departments again first."""
        payload = await self._api.payroll(identity(row, "its payrolls"))
        paid = payload["employee_compensations"]
        everybody = {
            str(person["employee_uuid"])
            for person in (paid if isinstance(paid, list) else [])
            if isinstance(person, dict) and "employee_uuid" in person
        }
        if everybody - setting.departments.keys() - setting.missing:
            fresh = await self._setting()
            missing = (setting.missing | everybody) - fresh.departments.keys()
            setting = replace(fresh, missing=missing)
        changes.append(await self._compared(self._normaliser.payroll(payload, setting)))
        return setting

    async def _listing(self, kind: Kind, cursor: Cursor) -> Listing:
        if kind == "employee":
            return await self._api.employees(cursor.page)
        if kind == "contractor":
            return await self._api.contractors(cursor.page)
        start = cursor.start or self._clock.now().date()
        listed = self._api.payrolls if kind == "payroll" else self._api.contractor_payments
        return await listed(start, min(start + WINDOW, self._last_day()), cursor.page)

    def _last_day(self) -> date:
        return self._clock.now().date() + AHEAD

    def _next(self, kind: Kind, cursor: Cursor, listing: Listing) -> Cursor:
        if listing.more:
            return replace(cursor, page=cursor.page + 1, total=listing.total)
        if kind in DATED and cursor.start is not None and cursor.start + WINDOW < self._last_day():
            return replace(cursor, page=1, total=None, start=cursor.start + WINDOW + timedelta(days=1))
        return Cursor(phase="events", after=cursor.after, at=cursor.at)

    async def _announced(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        while True:
            asked_at = self._clock.now()
            events = await self._api.events(f"{kind}.*", cursor.after)
            done = len(events) < EVENTS_PER
            latest = _latest(events)
            setting = await self._setting() if kind == "payroll" and latest else None
            changes = [await self._after(kind, source_id, event, setting) for source_id, event in latest.items()]
            cursor = Cursor(
                phase="events", after=identity(events[-1], "/v1/events") if events else cursor.after, at=asked_at
            )
            yield Page(changes=changes, cursor=cursor.text(), done=done)
            if done:
                return

    async def _after(self, kind: Kind, source_id: str, event: JsonObject, setting: Setting | None) -> SourceChange:
        if event.get("event_type") == ENDINGS[kind]:
            return _removed(kind, source_id, event)
        try:
            return await self.one(kind, source_id, setting)
        except NotShownError:
            # Neither shown nor deleted: said, so that a person can look; a later event replaces it.
            return Unreadable(
                kind=kind,
                source_id=source_id,
                place=f"Gusto {kind} {source_id}",
                problem=f"Gusto announced {event.get('event_type')} and does not show the record.",
                fix="Open it in Gusto; check that the connection may read it.",
                raw=dumps(event).decode(),
            )

    async def _setting(self) -> Setting:
        titles = await self._api.departments()
        everybody = await self._api.all_employees()
        departments = {
            identity(person, "its employees"): people.department_of(person, titles) or self._normaliser.unassigned
            for person in everybody
        }
        return Setting(departments=departments, reversals=await self._api.reversals())


def _latest(events: Sequence[JsonObject]) -> dict[str, JsonObject]:
    """The last event of each record, in the order of these."""
    latest: dict[str, JsonObject] = {}
    for event in events:
        hint = hint_of(event)
        if hint is not None:
            latest.pop(hint.source_id, None)
            latest[hint.source_id] = event
    return latest


def _removed(kind: Kind, source_id: str, event: JsonObject) -> Removed:
    return Removed(
        kind=kind, source_id=source_id, evidence=f"Gusto event {event.get('event_type')} {event.get('uuid')}"
    )
