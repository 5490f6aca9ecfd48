"""BambooHR's endpoints as far as they are used, one method each; what they answer is checked for its form here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from counterfoil.sources import SourceError
from counterfoil.sources.http import HttpAnswer, Params, RefusedError, SourceHttp
from counterfoil_adapters.bamboohr.permissions import fix_for
from counterfoil_schema.exact_json import JsonObject, JsonValue

ROOT = "/api/v1"
FORBIDDEN, NOT_FOUND = 403, 404
REREAD_SECONDS = 10.0
Rows = Sequence[JsonObject]


class NotShownError(SourceError):
    """BambooHR does not show a record: it is not there yet, not there any more, or not for this caller."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One entry of the list of changed employees."""

    employee_id: str
    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """Who changed, and when BambooHR says it is; None where it does not say."""

    entries: Sequence[Changed]
    told_at: datetime | None


class BambooApi:
    """Calls of one company."""

    def __init__(self, http: SourceHttp) -> None:
        self._http = http

    async def employee(self, employee_id: str, fields: Sequence[str]) -> JsonObject:
        """One employee: the fields that were asked for, as far as the caller may see them.

        Raises:
            NotShownError: BambooHR does not show the employee.
            SourceError: it shows another one.
        """
        path = f"{ROOT}/employees/{employee_id}"
        shown = _object(await self._found(path, {"fields": ",".join(fields)}), path)
        if str(shown.get("id")) != employee_id:
            raise SourceError(
                f"BambooHR was asked for employee {employee_id} and shows employee {shown.get('id')}.",
                remedy="Check company_domain in the connection's settings against the key.",
            )
        return shown

    async def changed(self, since: datetime, kind: str = "all") -> Changes:
        """Employees changed since an instant, those that were deleted included, in no order."""
        path = f"{ROOT}/employees/changed"
        answer = await self._http.request("GET", path, params={"since": _instant(since), "type": kind})
        entries = _object(answer, path).get("employees")
        if entries == []:  # PHP writes an empty map as an empty list
            entries = {}
        if not isinstance(entries, dict):
            raise drift(path)
        return Changes([_changed(identity, entry, path) for identity, entry in entries.items()], _told_at(answer))

    async def table(self, employee_id: str, table: str) -> Rows | None:
        """One employee's rows of a table (`all`: everybody's), in no order; None where the caller may not see it."""
        path = f"{ROOT}/employees/{employee_id}/tables/{table}"
        try:
            rows = _rows(await self._http.request("GET", path), path)
        except RefusedError as refused:
            if refused.status in {FORBIDDEN, NOT_FOUND}:
                return None
            raise
        if employee_id != "all":
            _own_rows(rows, employee_id, table)
        return rows

    async def changed_table(self, table: str, since: datetime) -> Mapping[str, tuple[datetime, Rows]] | None:
        """All rows of a table of everybody changed since an instant; None where the caller may not see it."""
        path = f"{ROOT}/employees/changed/tables/{table}"
        try:
            shown = _object(await self._http.request("GET", path, params={"since": _instant(since)}), path)
        except RefusedError as refused:
            if refused.status in {FORBIDDEN, NOT_FOUND}:
                return None
            raise
        people = shown.get("employees")
        found: dict[str, tuple[datetime, Rows]] = {}
        for identity, entry in people.items() if isinstance(people, dict) else ():
            rows = entry.get("rows") if isinstance(entry, dict) else None
            if isinstance(entry, dict) and isinstance(rows, list):
                _own_rows([row for row in rows if isinstance(row, dict)], identity, table)
                found[identity] = (_at(entry, path), [row for row in rows if isinstance(row, dict)])
        return found

    async def time(self, start: date, end: date, employee_ids: Sequence[str] = ()) -> Rows:
        """Entries of time sheets between two days, both included.

        Raises:
            SourceError: it shows entries of somebody who was not asked for.
        """
        path = f"{ROOT}/time_tracking/timesheet_entries"
        query = {"start": start.isoformat(), "end": end.isoformat()}
        if employee_ids:
            query["employeeIds"] = ",".join(employee_ids)
        try:
            rows = _rows(await self._http.request("GET", path, params=query), path)
        except RefusedError as refused:
            if refused.status == FORBIDDEN:
                raise RefusedError(
                    refused.message, status=refused.status, body=refused.body, remedy=fix_for(["timesheet_entries"])
                ) from None
            raise
        if employee_ids and any(str(row.get("employeeId")) not in employee_ids for row in rows):
            raise SourceError(f"BambooHR shows time of other employees than {', '.join(employee_ids)}.")
        return rows

    async def field_names(self) -> frozenset[str]:
        """Ids and aliases of all fields that the company has and the caller may know of."""
        path = f"{ROOT}/meta/fields"
        rows = _rows(await self._http.request("GET", path), path)
        return frozenset(str(row[name]) for row in rows for name in ("id", "alias") if row.get(name) is not None)

    async def update(self, employee_id: str, values: Mapping[str, str], deadline: float | None) -> None:
        """Set fields of an employee. Setting them twice leaves what setting them once leaves."""
        await self._http.request("POST", f"{ROOT}/employees/{employee_id}", json=dict(values), deadline=deadline)

    async def subscribe(self, url: str, fields: Sequence[str]) -> tuple[str, str]:
        """Make a webhook for employees; its id, and the key of its signatures, which is shown only now."""
        path = f"{ROOT}/webhooks"
        body = {
            "name": "Counterfoil",
            "url": url,
            "format": "json",
            "monitorFields": list(fields),
            "events": ["employee.created", "employee.updated", "employee.deleted"],
        }
        made = _object(await self._http.request("POST", path, json=body, tries=1), path)
        identity, key = made.get("id"), made.get("privateKey")
        if not isinstance(identity, str) or not isinstance(key, str):
            raise drift(path)
        return identity, key

    async def _found(self, path: str, query: Params) -> HttpAnswer:
        try:
            return await self._http.request("GET", path, params=query)
        except RefusedError as refused:
            if refused.status in {FORBIDDEN, NOT_FOUND}:
                raise NotShownError(
                    refused.message, remedy="See that the connection may see the employee.", retry_after=REREAD_SECONDS
                ) from refused
            raise


def drift(path: str) -> SourceError:
    """An answer of another form than it should have."""
    return SourceError(
        f"BambooHR's answer to {path} has another form than it should.",
        remedy="Check company_domain and base_url in the connection's settings; if they are right, report this.",
    )


def _own_rows(rows: Rows, employee_id: str, table: str) -> None:
    if any(str(row.get("employeeId", employee_id)) != employee_id for row in rows):
        raise SourceError(
            f"BambooHR shows rows of another employee than {employee_id} in {table}.",
            remedy="Check company_domain in the connection's settings against the key.",
        )


def _told_at(answer: HttpAnswer) -> datetime | None:
    try:
        told = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _changed(identity: str, entry: JsonValue, path: str) -> Changed:
    action = entry.get("action") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(action, str):
        raise drift(path)
    return Changed(identity, action.casefold(), _at(entry, path))


def _at(entry: JsonObject, path: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(entry.get("lastChanged")))
    except ValueError:
        raise drift(path) from None
    if at.tzinfo is None:
        raise drift(path)
    return at


def _object(answer: HttpAnswer, path: str) -> JsonObject:
    value = answer.json()
    if not isinstance(value, dict):
        raise drift(path)
    return value


def _rows(answer: HttpAnswer, path: str) -> list[JsonObject]:
    value = answer.json()
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise drift(path)
    return [row for row in value if isinstance(row, dict)]
