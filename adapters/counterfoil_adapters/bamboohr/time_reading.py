"""How time is read: a week at a time, and the last weeks again with each poll, for corrections and deletions."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from counterfoil.sources import Page, Removed, SourceChange
from counterfoil.sources.since import Handed
from counterfoil_adapters.bamboohr.api import REREAD_SECONDS, BambooApi, NotShownError
from counterfoil_adapters.bamboohr.people import People, jobs_by_employee
from counterfoil_adapters.bamboohr.settings import DAYS_KEPT, BambooSettings
from counterfoil_adapters.bamboohr.timesheets import KIND, Group, change_of, doubtful, packed, sheets_of, unpacked
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

WEEK = timedelta(days=7)
Week = tuple[list[SourceChange], dict[str, str]]
Jobs = Mapping[str, Sequence[JsonObject]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cursor: the next day to read (None: the reading is done), and the groups that were handed over.

    BambooHR tells of nothing that is deleted from a time sheet. So what was handed over is remembered for as long as
    it is read again.
    """

    day: date | None = None
    groups: frozenset[Group] = field(default_factory=frozenset)

    def text(self) -> str:
        day = self.day.isoformat() if self.day is not None else None
        return dumps({"day": day, "groups": packed(self.groups)}).decode()

    @classmethod
    def parse(cls, text: str | None) -> "Place | None":
        """A stored cursor; None where there is none, or none that this release can read: then all is read again."""
        try:
            stored = loads_object(text or "")
            day = stored.get("day")
            return cls(
                day=date.fromisoformat(day) if isinstance(day, str) else None,
                groups=frozenset(unpacked(str(stored["groups"]))),
            )
        except (KeyError, ValueError):
            return None


class Times:
    """Reads one company's approved time."""

    def __init__(
        self, api: BambooApi, people: People, connection: str, settings: BambooSettings, *, tracks: bool
    ) -> None:
        self._api = api
        self._people = people
        self._connection = connection
        self._settings = settings
        self._tracks = tracks
        self._handed = Handed()

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        """Weeks from a cursor on; of a reading that is done, the last weeks once more."""
        today = self._people.today()
        oldest = today - timedelta(days=DAYS_KEPT)
        first = max(self._settings.since or oldest, oldest)
        again = max(first, today - timedelta(days=self._settings.reread_days))
        place = Place.parse(cursor)
        if place is None:
            self._handed = Handed()
        day = first if place is None else place.day or again
        day = max(day, oldest)
        groups = {group for group in (place.groups if place else ()) if group.day >= again}
        jobs = await self._jobs()
        while True:
            end = min(day + WEEK - timedelta(days=1), today)
            found, marks = await self._week(day, end, groups, jobs, again)
            day, done = end + timedelta(days=1), end >= today
            left = Place(day=None if done else day, groups=frozenset(one for one in groups if one.day >= again))
            yield Page(changes=found, cursor=left.text(), done=done)
            for key, mark in marks.items():
                self._handed.note(key, mark)
            if done:
                return

    async def one(self, source_id: str) -> SourceChange:
        """One group as it is now.

        Raises:
            NotShownError: BambooHR lists no such entry, which alone says nothing of why.
        """
        group = Group.parse(source_id)
        sheets = sheets_of(await self._api.time(group.day, group.day, [group.employee_id]))
        if group not in sheets:
            raise NotShownError(f"BambooHR lists no time {source_id}.", retry_after=REREAD_SECONDS)
        return change_of(self._connection, group, sheets[group], await self._jobs(), tracks=self._tracks)

    async def _jobs(self) -> Jobs:
        return jobs_by_employee(await self._api.table("all", "jobInfo")) if self._tracks else {}

    async def _week(self, start: date, end: date, groups: set[Group], jobs: Jobs, again: date) -> Week:
        """What is news of a week, and marks of it; `groups`, known before, is brought up to date."""
        sheets = sheets_of(await self._api.time(start, end)) if start <= end else {}
        known = {group for group in groups if start <= group.day <= end}
        changes: list[SourceChange] = []
        marks: dict[str, str] = {}
        for group, sheet in sorted(sheets.items()):
            # A draft that was never approved concerns nobody; one that was approved once, does.
            if sheet.approved or group in known:
                groups.add(group)
                mark = repr((sheet.entries, jobs.get(group.employee_id) if jobs else None))
                mark = hashlib.sha256(mark.encode(errors="replace")).hexdigest()
                if self._handed.is_news(group.text(), mark):
                    changes.append(change_of(self._connection, group, sheet, jobs, tracks=self._tracks))
                    marks[group.text()] = mark
        for group in sorted(known - sheets.keys()):
            gone = await self._gone(group, again)
            changes.append(gone)
            if isinstance(gone, Removed):
                groups.discard(group)
            marks[group.text()] = ""  # should it come back, it is news
        return changes, marks

    async def _gone(self, group: Group, again: date) -> SourceChange:
        """What it means that a group is not listed any more.

        A missing row proves nothing: the caller may have lost sight of the employee. So BambooHR is asked for this
        employee by name, and must show other time of theirs, and not this.
        """
        since = min(again, group.day)
        sheets = sheets_of(await self._api.time(since, self._people.today(), [group.employee_id]))
        if group in sheets:
            return change_of(self._connection, group, sheets[group], await self._jobs(), tracks=self._tracks)
        if not sheets:
            return doubtful(group)
        others = sum(len(sheet.entries) for sheet in sheets.values())
        return Removed(
            kind=KIND,
            source_id=group.text(),
            evidence=f"BambooHR, asked for the time of employee {group.employee_id} since {since.isoformat()}, lists "
            f"{others} other entries and none of this",
        )
