"""Entries of time sheets put together: one record for each employee, day, project and task."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple
from zoneinfo import ZoneInfo

from counterfoil.sources import Seen, SourceChange, SourceError, Unreadable
from counterfoil_adapters.bamboohr.tables import RowError, job_on
from counterfoil_schema.exact_json import JsonObject, JsonValue, canonical, dumps
from counterfoil_schema.records import TimeEntry, WorkedTime, record_key

KIND = "time"
NOTHING = "-"
MINUTES_PER_HOUR = 60
APART_MAX = Decimal("0.6")
"""Minutes by which a clock's beginning and end may differ from the stated hours, which are rounded to hundredths."""

MEMORY_BYTES_MAX = 8 * 1024 * 1024


class Group(NamedTuple):
    """What stands for a time activity; the parts of a record's id."""

    employee_id: str
    day: date
    project: str
    task: str

    def text(self) -> str:
        return f"{self.employee_id}/{self.day.isoformat()}/{self.project}/{self.task}"

    @classmethod
    def parse(cls, text: str) -> "Group":
        """Undo `text`.

        Raises:
            SourceError: no id of such a record.
        """
        parts = text.split("/")
        try:
            employee_id, day, project, task = parts
            return cls(employee_id, date.fromisoformat(day), project, task)
        except ValueError:
            raise SourceError(
                f"BambooHR has no time {text[:80]!r}.", remedy="It is employee/day/project/task."
            ) from None


@dataclass(slots=True)
class Sheet:
    """A group's entries."""

    entries: list[JsonObject] = field(default_factory=list)

    @property
    def approved(self) -> list[JsonObject]:
        return [entry for entry in self.entries if entry.get("approved") is True]


def sheets_of(rows: Iterable[JsonObject]) -> dict[Group, Sheet]:
    """Entries by group; what is no entry stops the reading.

    Raises:
        SourceError: an entry without employee, day or id.
    """
    found: dict[Group, Sheet] = {}
    for row in rows:
        project, task = _named(row, "project"), _named(row, "task")
        try:
            day = date.fromisoformat(str(row["date"]))
            group = Group(str(_whole(row["employeeId"])), day, project[0], task[0])
            _whole(row["id"])
        except (KeyError, ValueError):
            raise SourceError(
                "BambooHR shows an entry of a time sheet without employee, day or id.", remedy="Report this."
            ) from None
        found.setdefault(group, Sheet()).entries.append(row)
    return found


def change_of(
    connection: str,
    group: Group,
    sheet: Sheet,
    jobs: Mapping[str, Sequence[JsonObject]] | None,
    *,
    tracks: bool,
) -> SourceChange:
    """The record of a group, or why there is none.

    Args:
        jobs: everybody's rows of the job table, None where the caller may not see it.
        tracks: whether the mapping wants departments at all.
    """
    entries = sorted(sheet.approved, key=lambda entry: _whole(entry["id"]))
    shown = sorted(sheet.entries, key=lambda entry: _whole(entry["id"]))
    raw = dumps({"entries": [*shown]}).decode()
    try:
        own = None if jobs is None else jobs.get(group.employee_id, ())
        job, withheld = job_on(own, group.day) if tracks else ({}, ())
        record = TimeEntry(
            employee=record_key(connection, "employee", group.employee_id),
            dated=group.day,
            project=_named(shown[0], "project")[1],
            task=_named(shown[0], "task")[1],
            approved=bool(entries),
            parts=tuple(WorkedTime(entry_id=str(entry["id"]), minutes=_minutes(entry)) for entry in entries),
            note="; ".join(note for entry in entries if (note := _note(entry))) or None,
            department=job.get("department"),
            location=job.get("location"),
            job=job.get("job"),
            withheld=withheld,
        )
    except RowError as error:
        return Unreadable(
            kind=KIND,
            source_id=group.text(),
            place=f"BambooHR time sheet of employee {group.employee_id}, {group.day.isoformat()}",
            problem=f"The time cannot be read: {error}.",
            fix="Correct the time sheet in BambooHR.",
            raw=raw,
        )
    version = hashlib.sha256(canonical([raw, record.model_dump(mode="json")])).hexdigest()
    return Seen(kind=KIND, source_id=group.text(), version=version, record=record, raw=raw)


def doubtful(group: Group) -> Unreadable:
    """A group of which nothing is shown any more, of an employee of whom no time at all is shown."""
    who, day = group.employee_id, group.day.isoformat()
    return Unreadable(
        kind=KIND,
        source_id=group.text(),
        place=f"BambooHR time sheet of employee {who}, {day}",
        problem=f"BambooHR shows no time of employee {who} any more: deleted, or hidden from this connection.",
        fix="If it was deleted, delete the time activity in QuickBooks; else let the connection see that time.",
        raw=dumps({"group": group.text()}).decode(),
    )


def packed(groups: Collection[Group]) -> str:
    """What was handed over, as a cursor keeps it: sorted and compressed, some three bytes for each."""
    whole = "\n".join(group.text() for group in sorted(groups)).encode()
    return base64.b85encode(zlib.compress(whole, 9)).decode()


def unpacked(text: str) -> set[Group]:
    """Undo `packed`.

    Raises:
        ValueError: it is nothing of the sort.
    """
    try:
        step = zlib.decompressobj()
        whole = step.decompress(base64.b85decode(text), MEMORY_BYTES_MAX)
        if step.unconsumed_tail:
            raise ValueError("too much of it")
        return {Group.parse(line) for line in whole.decode().split("\n") if line}
    except (binascii.Error, zlib.error, SourceError) as error:
        raise ValueError("no packed groups") from error


def _named(row: JsonObject, what: str) -> tuple[str, str | None]:
    """Id and name of an entry's project or task."""
    info = row.get("projectInfo")
    found = info.get(what) if isinstance(info, dict) else None
    if not isinstance(found, dict) or found.get("id") is None:
        return NOTHING, None
    name = found.get("name")
    return str(found["id"]), name.strip() if isinstance(name, str) and name.strip() else str(found["id"])


def _minutes(entry: JsonObject) -> Decimal:
    """Minutes of an entry: of a clock from its beginning to its end, else the stated hours."""
    start, end = _instant(entry, "start"), _instant(entry, "end")
    stated = _hours(entry)
    clocked = None if start is None or end is None else Decimal(round((end - start).total_seconds())) / 60
    if clocked is not None and clocked < 0:
        raise RowError(f"entry {entry['id']} ends before it starts")
    if clocked is not None and stated is not None and abs(clocked - stated) > APART_MAX:
        raise RowError(f"entry {entry['id']} states hours that do not fit its beginning and end")
    minutes = clocked if clocked is not None else stated
    if minutes is None:
        raise RowError(f"entry {entry['id']} is approved and has no hours")
    return minutes


def _hours(entry: JsonObject) -> Decimal | None:
    value = entry.get("hours")
    if value is None:
        return None
    try:
        hours = Decimal(value) if isinstance(value, int | str | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        hours = None
    if hours is None or not hours.is_finite() or hours < 0:
        raise RowError(f"the hours of entry {entry['id']} are no number, or less than none")
    return hours * MINUTES_PER_HOUR


def _instant(entry: JsonObject, name: str) -> datetime | None:
    value = entry.get(name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(str(value))
        return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(str(entry.get("timezone"))))
    except (ValueError, LookupError, OSError):
        raise RowError(f"the {name} of entry {entry['id']} is no instant") from None


def _note(entry: JsonObject) -> str:
    note = entry.get("note")
    return note.strip() if isinstance(note, str) else ""


def _whole(value: JsonValue) -> int:
    return int(str(value))  # "True" is no number
