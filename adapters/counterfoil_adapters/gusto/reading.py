"""How a kind is read: the lists once, then what events announce."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from counterfoil.ports import Clock
from counterfoil.sources import Page, Removed, Seen, SourceChange, SourceError, Unreadable
from counterfoil_adapters.gusto import employee as people
from counterfoil_adapters.gusto import payroll as payrolls
from counterfoil_adapters.gusto.api import REREAD_SECONDS, EventLostError, GustoApi, Listing, NotShownError, identity
from counterfoil_adapters.gusto.cursor import Cursor
from counterfoil_adapters.gusto.grouping import Grouping
from counterfoil_adapters.gusto.redaction import employee_raw, payroll_raw
from counterfoil_adapters.gusto.webhook import hint_of
from counterfoil_schema.exact_json import JsonObject, dumps

Kind = Literal["employee", "payroll"]
WINDOW = timedelta(days=364)
"""Gusto: a window of payrolls is a year at most."""

AHEAD = timedelta(days=60)
"""Processed payrolls are paid within weeks; Gusto allows windows up to three months ahead."""

REREAD = timedelta(days=183)
"""Without events, how far back each poll reads payrolls again."""

EVENTS_KEPT = timedelta(days=29)
EVENTS_PER = 100
RESTARTS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one payroll's departments and state are looked up in; `missing` are people whom Gusto lists no more."""

    departments: Mapping[str, str]
    reversals: Sequence[JsonObject]
    missing: frozenset[str] = frozenset()


class Reader:
    """Reads one company's employees and payrolls."""

    def __init__(
        self,
        api: GustoApi,
        clock: Clock,
        company_uuid: str,
        since: date | None,
        unassigned: str,
        grouping: Grouping,
        connection: str,
    ) -> None:
        self._grouping = grouping
        self._connection = connection
        self._api = api
        self._clock = clock
        self._company_uuid = company_uuid
        self._since = since
        self._unassigned = unassigned

    async def pages(self, kind: Kind, cursor: Cursor | None) -> AsyncIterator[Page]:
        """Pages from a cursor; all of it where there is none, or where its events are gone."""
        if cursor is not None and cursor.phase == "events":
            if not self._api.sees_events:
                cursor = await self._begin(kind, again=True)
            elif self._clock.now() - cursor.at > EVENTS_KEPT:
                cursor = None
        if cursor is not None and cursor.phase == "events":
            try:
                async for page in self._announced(kind, cursor):
                    yield page
            except EventLostError:
                cursor = None
            else:
                return
        listed = cursor if cursor is not None else await self._begin(kind)
        async for page in self._listed(kind, listed):
            yield page

    async def one(self, kind: Kind, source_id: str, setting: Setting | None = None) -> SourceChange:
        """One record as it is now, or Gusto's word that it was deleted.

        Args:
            setting: what payrolls are looked up in, where it was read for several of them; else it is read now.

        Raises:
            NotShownError: Gusto shows neither.
        """
        try:
            if kind == "employee":
                person = await self._api.employee(source_id)
                needed = people.department_of(person, {}) is None and person.get("department_uuid") is not None
                return self._employee(person, await self._api.departments() if needed else {})
            payload = await self._api.payroll(source_id)
            return self._payroll(payload, setting or await self._setting())
        except NotShownError:
            for event in await self._api.events(f"{kind}.deleted", None, newest_first=True):
                if event.get("entity_uuid") == source_id:
                    return _removed(kind, source_id, event)
            raise

    async def _begin(self, kind: Kind, *, again: bool = False) -> Cursor:
        newest = await self._api.events(f"{kind}.*", None, newest_first=True)
        now = self._clock.now()
        start = self._since or now.date() - timedelta(days=365)
        if again:
            start = max(start, now.date() - REREAD)
        after = identity(newest[0], "/v1/events") if newest else None
        return Cursor(phase="list", after=after, at=now, start=start if kind == "payroll" else None)

    async def _listed(self, kind: Kind, cursor: Cursor) -> AsyncIterator[Page]:
        setting = await self._setting() if kind == "payroll" else Setting(departments={}, reversals=())
        titles = await self._api.departments() if kind == "employee" else {}
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
                if kind == "employee":
                    changes.append(self._employee(row, titles))
                else:
                    setting = await self._knowing(row, setting, changes)
            cursor = self._next(kind, cursor, listing)
            done = cursor.phase == "events"
            yield Page(changes=changes, cursor=cursor.text(), done=done)
            if done:
                return

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
        changes.append(self._payroll(payload, setting))
        return setting

    async def _listing(self, kind: Kind, cursor: Cursor) -> Listing:
        if kind == "employee":
            return await self._api.employees(cursor.page)
        start = cursor.start or self._clock.now().date()
        return await self._api.payrolls(start, min(start + WINDOW, self._last_day()), cursor.page)

    def _last_day(self) -> date:
        return self._clock.now().date() + AHEAD

    def _next(self, kind: Kind, cursor: Cursor, listing: Listing) -> Cursor:
        if listing.more:
            return replace(cursor, page=cursor.page + 1, total=listing.total)
        if kind == "payroll" and cursor.start is not None and cursor.start + WINDOW < self._last_day():
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
        if event.get("event_type") == f"{kind}.deleted":
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
            identity(person, "its employees"): people.department_of(person, titles) or self._unassigned
            for person in everybody
        }
        return Setting(departments=departments, reversals=await self._api.reversals())

    def _employee(self, payload: JsonObject, titles: Mapping[str, str]) -> SourceChange:
        source_id = self._own(payload, "employee")
        raw = employee_raw(payload)
        try:
            record = people.employee(payload, titles)
        except people.EmployeeError as error:
            return Unreadable(
                kind="employee",
                source_id=source_id,
                place=f"Gusto employee {source_id}",
                problem=f"The employee cannot be read: {error}.",
                fix="Complete the employee in Gusto.",
                raw=raw,
            )
        version = people.version_of(payload, record)
        return Seen(kind="employee", source_id=source_id, version=version, record=record, raw=raw)

    def _payroll(self, payload: JsonObject, setting: Setting) -> SourceChange:
        source_id = self._own(payload, "payroll")
        raw = payroll_raw(payload)
        try:
            record = payrolls.pay_run(
                payload, setting.departments, setting.reversals, self._unassigned, self._connection
            )
        except payrolls.FigureError as error:
            # Sums of so few people would be their pay.
            few = payrolls.people_paid(payload) < self._grouping.minimum_people
            problem = "its figures do not add up" if few else str(error)
            return Unreadable(
                kind="payroll",
                source_id=source_id,
                place=f"Gusto payroll {source_id}, check date {payload.get('check_date')}",
                problem=f"The payroll cannot be trusted: {problem}.",
                fix="Compare it with the payroll journal in Gusto; enter it by hand if Gusto's figures are right.",
                raw=raw,
            )
        record = record.model_copy(update={"lines": self._grouping.apply(record.lines)})
        if self._grouping.shows_few(record.lines):
            return Unreadable(
                kind="payroll",
                source_id=source_id,
                place=f"Gusto payroll {source_id}, check date {payload.get('check_date')}",
                problem=f"One of its sums would be what fewer than {self._grouping.minimum_people} people are paid or "
                "have withheld.",
                fix="Enter it by hand; or set minimum_people = 1 under [payroll] in the mapping (or name the part in "
                "shown_alone) and read the source afresh (`counterfoil sync --full`).",
                raw=raw,
            )
        version = payrolls.version_of(payload, record)
        return Seen(kind="payroll", source_id=source_id, version=version, record=record, raw=raw)

    def _own(self, payload: JsonObject, kind: Kind) -> str:
        """The uuid of a payload that belongs to this company."""
        source_id = identity(payload, f"one {kind}")
        company = payload.get("company_uuid", self._company_uuid)
        if company != self._company_uuid:
            raise SourceError(
                f"Gusto shows {kind} {source_id} of another company than this connection's.",
                remedy="Check company_uuid in the connection's settings against the token.",
            )
        return source_id


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
