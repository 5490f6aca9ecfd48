"""How employees are read: who changed since, and whose rows begin today."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from counterfoil.ports import Clock
from counterfoil.sources import Page, Removed, SourceChange, SourceError, Unreadable
from counterfoil.sources.since import ChangesSince, Rows
from counterfoil_adapters.bamboohr.api import BambooApi, Changed, NotShownError
from counterfoil_adapters.bamboohr.employee import FIELDS, change_of
from counterfoil_adapters.bamboohr.settings import Asked
from counterfoil_adapters.bamboohr.tables import beginning
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

PEOPLE_PER_PAGE = 50
"""Each is read by a call of its own; what a page holds is recorded before the next."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
DELETED_SINCE = timedelta(days=365)
SETTLED = timedelta(seconds=5)
"""BambooHR tells of changes by the second: one that is as fresh as this may be followed by another of that second."""

TABLES = ("jobInfo", "employmentStatus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cursor: the day up to which beginnings of rows were followed, and where the changes stand."""

    day: date
    changes: str | None

    def text(self) -> str:
        return dumps({"day": self.day.isoformat(), "changes": self.changes}).decode()

    @classmethod
    def parse(cls, text: str | None, today: date) -> "Place":
        """A stored cursor; the beginning where there is none, or none that this release can read."""
        try:
            stored = loads_object(text or "{}")
            changes = stored.get("changes")
            day = date.fromisoformat(str(stored["day"]))
        except (KeyError, ValueError):
            return cls(day=today, changes=None)
        return cls(day=day, changes=changes if isinstance(changes, str) else None)


class People:
    """Reads one company's employees."""

    def __init__(self, api: BambooApi, clock: Clock, asked: Asked, *, with_pay: bool) -> None:
        self._api = api
        self._clock = clock
        self._asked = asked
        self._with_pay = with_pay
        self._fields = [*FIELDS, *([asked.id_field] if asked.id_field else [])]
        self._asks = 0
        self._tables: dict[str, Mapping[str, tuple[datetime, Sequence[JsonObject]]] | None] = {}
        self._changes = ChangesSince(
            self._fetch,
            lambda row: datetime.fromisoformat(str(row["at"])),
            lambda row: str(row["id"]),
            version=lambda row: str(row["version"]),
        )

    def today(self) -> date:
        """The day that the calendar of the mapping's zone shows."""
        return self._clock.now().astimezone(self._asked.zone).date()

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        """Whose rows have begun since the day of the cursor; then who changed, the earliest change first."""
        today = self.today()
        place = Place.parse(cursor, today)
        if place.day < today:
            async for page in self._begun(place, today):
                yield page
        async for found in self._changes.pages(place.changes):
            changes = [await self._of(row) for row in found.rows]
            yield Page(changes=changes, cursor=Place(day=today, changes=found.cursor.text()).text(), done=found.done)

    async def one(self, employee_id: str) -> SourceChange:
        """One employee as of today, or BambooHR's word that it was deleted.

        Raises:
            NotShownError: BambooHR shows neither.
        """
        try:
            return await self._read(employee_id, {})
        except NotShownError as hidden:
            try:
                deleted = await self._api.changed(self._clock.now() - DELETED_SINCE, "deleted")
            except SourceError:
                raise hidden from None  # it says nothing of the employee
            for entry in deleted.entries:
                if entry.employee_id == employee_id:
                    return _removed(entry)
            raise

    async def _begun(self, place: Place, today: date) -> AsyncIterator[Page]:
        """Employees of whom something begins by now that was in the future when they were read."""
        due: set[str] = set()
        for table in TABLES:
            due |= beginning(await self._api.table("all", table) or (), place.day, today)
        waiting = sorted(due, key=lambda one: (len(one), one))
        for start in range(0, len(waiting), PEOPLE_PER_PAGE):
            part = waiting[start : start + PEOPLE_PER_PAGE]
            changes = [await self._shown_or_not(employee_id, {}, "a row begins") for employee_id in part]
            # The day moves only once all are read: after a crash they are read again.
            yield Page(changes=changes, cursor=place.text())

    async def _fetch(self, since: datetime | None, after: str | None) -> Rows:
        """A page of the list of changes, which comes whole; the tables of its people once a reading."""
        begin = since or BEGINNING
        told = await self._api.changed(begin)
        # How fresh a change is, is measured by the clock that dates it.
        told_at = told.told_at or self._clock.now()
        entries = sorted(told.entries, key=_order)
        if after is None:
            self._tables = {name: await self._api.changed_table(name, begin) for name in self._table_names()}
        ahead = [entry for entry in entries if after is None or _keyset(entry) > after]
        page = ahead[:PEOPLE_PER_PAGE]
        self._asks += 1
        rows = [_row(entry, told_at, self._asks) for entry in page]
        return Rows(rows, _keyset(page[-1]) if len(ahead) > len(page) else None)

    def _table_names(self) -> tuple[str, ...]:
        return (*TABLES, "compensation") if self._with_pay else TABLES

    async def _of(self, row: JsonObject) -> SourceChange:
        entry = Changed(str(row["id"]), str(row["action"]), datetime.fromisoformat(str(row["at"])))
        if entry.action == "deleted":
            return _removed(entry)
        return await self._shown_or_not(entry.employee_id, self._known(entry), entry.action)

    def _known(self, entry: Changed) -> dict[str, Sequence[JsonObject] | None]:
        """Rows of the tables that were read together, if they are as new as the change."""
        found: dict[str, Sequence[JsonObject] | None] = {}
        for name, people in self._tables.items():
            if people is None:
                found[name] = None
            elif entry.employee_id in people and people[entry.employee_id][0] >= entry.at:
                found[name] = people[entry.employee_id][1]
        return found

    async def _shown_or_not(
        self, employee_id: str, known: Mapping[str, Sequence[JsonObject] | None], why: str
    ) -> SourceChange:
        try:
            return await self._read(employee_id, known)
        except NotShownError as hidden:
            # Neither shown nor deleted: said, so that a person can look; a later reading replaces it.
            return Unreadable(
                kind="employee",
                source_id=employee_id,
                place=f"BambooHR employee {employee_id}",
                problem=f"BambooHR tells of a change ({why}) and does not show the employee.",
                fix="Open the employee in BambooHR; see that the access level of the connection's user includes them.",
                raw=dumps({"id": employee_id, "said": hidden.message}).decode(),
            )

    async def _read(self, employee_id: str, known: Mapping[str, Sequence[JsonObject] | None]) -> SourceChange:
        shown = await self._api.employee(employee_id, self._fields)
        tables = {
            name: known[name] if name in known else await self._api.table(employee_id, name)
            for name in self._table_names()
        }
        return change_of(employee_id, shown, tables, self.today(), self._asked.id_field, with_pay=self._with_pay)


def jobs_by_employee(rows: Iterable[JsonObject] | None) -> dict[str, list[JsonObject]] | None:
    """Everybody's rows by employee."""
    if rows is None:
        return None
    found: dict[str, list[JsonObject]] = {}
    for row in rows:
        found.setdefault(str(row.get("employeeId")), []).append(row)
    return found


def _removed(entry: Changed) -> Removed:
    return Removed(
        kind="employee",
        source_id=entry.employee_id,
        evidence=f"BambooHR employees/changed: Deleted at {entry.at.isoformat()}",
    )


def _order(entry: Changed) -> tuple[datetime, int, str]:
    return entry.at, len(entry.employee_id), entry.employee_id


def _keyset(entry: Changed) -> str:
    """A text that sorts as the entries do; ids are numbers of a length that fits."""
    if len(entry.employee_id) > len("999999999999"):
        raise SourceError(f"BambooHR names an employee {entry.employee_id[:40]!r}, which is no number.")
    return f"{entry.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}|{entry.employee_id:0>12}"


def _row(entry: Changed, told_at: datetime, asked: int) -> JsonObject:
    at = entry.at.isoformat()
    settled = told_at - entry.at >= SETTLED
    # Whether somebody counts as inserted depends on what is asked for; what is not settled is news each time.
    state = "gone" if entry.action == "deleted" else "there"
    version = f"{state} {at}" if settled else f"{state} {at}, asked {asked}"
    return {"id": entry.employee_id, "action": entry.action, "at": at, "version": version}
