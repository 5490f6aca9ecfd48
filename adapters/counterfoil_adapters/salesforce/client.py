"""The calls to Salesforce's REST API that the adapter needs."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from counterfoil.ports import Clock
from counterfoil.sources.http import BusyError, HttpAnswer, Params, RefusedError
from counterfoil.sources.port import SourceError, UnknownNameError
from counterfoil_adapters.salesforce.session import Session, SignIn
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

IDS_MAX = 200
"""Ids in one query: the address of a request stays well below Salesforce's 16,384 characters."""

PAGES_MAX = 10_000
LIMIT_SECONDS = 900.0
AGAIN_SECONDS = 10.0
NOT_FOUND = 404
FORBIDDEN = 403
PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Description:
    """An object as this user sees it: its fields with their types, and where its relationships lead."""

    object: str
    types: Mapping[str, str]
    relations: Mapping[str, str] = field(default_factory=dict)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of these fields that are not there, or not for this user."""
        return [name for name in names if name not in self.types]

    def nearest(self, name: str) -> str:
        """A sentence with the nearest known name, or nothing."""
        near = get_close_matches(name, self.types, n=1)
        return f"Did you mean {near[0]}? " if near else ""


@dataclass(frozen=True, slots=True)
class Replicated:
    """An answer of getUpdated or getDeleted; `covered` is how far it is complete."""

    rows: Sequence[JsonObject]
    covered: datetime
    earliest: datetime | None = None


class SalesforceClient:
    """Typed calls over the common HTTP client."""

    def __init__(self, sign_in: SignIn, version: str, clock: Clock) -> None:
        self._sign_in = sign_in
        self._root = f"/services/data/v{version}"
        self._clock = clock
        self._described: dict[str, Description] = {}
        self._ahead = 0.0
        self.used_percent = 0

    async def session(self) -> Session:
        """Signed in; see `SignIn.session`."""
        return await self._sign_in.session()

    def server_now(self) -> datetime:
        """Salesforce's time, as its last answer told it: the spans that we ask for are on its clock, not on ours."""
        return datetime.fromtimestamp(self._clock.now().timestamp() + self._ahead, UTC)

    async def describe(self, name: str) -> Description:
        """An object's fields, asked for once.

        Raises:
            SourceError: there is no such object, or not for this user.
        """
        if name not in self._described:
            try:
                answer = await self._call("GET", f"/sobjects/{quote(name, safe='')}/describe")
            except RefusedError as error:
                if error.status != NOT_FOUND:
                    raise
                raise UnknownNameError(
                    f"Salesforce shows this user no object {name}.",
                    name=name,
                    remedy=f"Correct its name in the mapping, or give the user's permission set read access to {name}.",
                ) from error
            fields = answer.object().get("fields")
            rows = [row for row in (fields if isinstance(fields, list) else []) if isinstance(row, dict)]
            self._described[name] = Description(
                name,
                {str(row.get("name")): str(row.get("type")) for row in rows},
                {str(row.get("relationshipName")): _target(row) for row in rows if row.get("relationshipName")},
            )
        return self._described[name]

    def forget_descriptions(self) -> None:
        """Ask again: an administrator may have changed something."""
        self._described.clear()

    async def query(self, text: str, *, deleted: bool = False) -> list[JsonObject]:
        """All rows of a query, however many answers they come in."""
        answer = await self._call("GET", "/queryAll" if deleted else "/query", params={"q": text})
        rows: list[JsonObject] = []
        for _ in range(PAGES_MAX):
            body = answer.object()
            records = body.get("records")
            if not isinstance(records, list):
                raise SourceError("Salesforce's answer to a query has no records.", retry_after=AGAIN_SECONDS)
            rows.extend(row for row in records if isinstance(row, dict))
            following = body.get("nextRecordsUrl")
            if body.get("done") is True or not isinstance(following, str):
                return rows
            answer = await self._call("GET", following, whole_path=True)
        raise SourceError(f"Salesforce's answer to a query did not end after {PAGES_MAX} parts.")

    async def by_ids(
        self, select: str, name: str, column: str, ids: Iterable[str], *, where: str = "", deleted: bool = False
    ) -> list[JsonObject]:
        """Rows of an object whose column holds one of these ids; live ones only, unless `deleted` takes all."""
        rows: list[JsonObject] = []
        for part in chunks(sorted(set(ids)), IDS_MAX):
            listed = ", ".join(f"'{one}'" for one in part if is_id(one))
            if listed:
                text = soql(select, name, [f"{column} IN ({listed})", where], "Id")
                rows += await self.query(text, deleted=deleted)
        return rows

    async def updated(self, name: str, start: datetime, end: datetime) -> Replicated:
        """How far everything that changed from `start` on is visible."""
        body = (await self._call("GET", f"/sobjects/{name}/updated", params=_span(start, end))).object()
        return Replicated((), _instant(body, "latestDateCovered"))

    async def deleted(self, name: str, start: datetime, end: datetime) -> Replicated:
        """What was deleted from `start` on."""
        body = (await self._call("GET", f"/sobjects/{name}/deleted", params=_span(start, end))).object()
        records = body.get("deletedRecords")
        rows = [row for row in (records if isinstance(records, list) else []) if isinstance(row, dict)]
        return Replicated(rows, _instant(body, "latestDateCovered"), _instant(body, "earliestDateAvailable"))

    async def save(
        self, name: str, external_id: str | None, record: Mapping[str, object], deadline: float | None
    ) -> JsonObject:
        """Update a record by its id, or upsert one by an external id; the record's own result.

        Raises:
            UnansweredError, RefusedError, SourceError: the request as a whole failed.
        """
        path = "/composite/sobjects" + (f"/{quote(name)}/{quote(external_id)}" if external_id else "")
        body = {"allOrNone": True, "records": [{"attributes": {"type": name}, **record}]}
        answer = (await self._call("PATCH", path, json=body, tries=1, deadline=deadline)).json()
        first = answer[0] if isinstance(answer, list) and answer else None
        if not isinstance(first, dict):
            raise SourceError("Salesforce's answer to a write has no result.", retry_after=AGAIN_SECONDS)
        return first

    async def look_at_usage(self) -> None:
        """Ask how many of the day's calls are spent."""
        await self._call("GET", "/limits")

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        tries: int | None = None,
        deadline: float | None = None,
        whole_path: bool = False,
    ) -> HttpAnswer:
        http = (await self.session()).http
        try:
            answer = await http.request(
                method,
                path if whole_path else self._root + path,
                params=params,
                json=json,
                tries=tries,
                deadline=deadline,
            )
        except RefusedError as error:
            raise _understood(error) from error
        self._note(answer)
        return answer

    def _note(self, answer: HttpAnswer) -> None:
        told = _USAGE.search(answer.headers.get("sforce-limit-info", ""))
        if told is not None and int(told[2]) > 0:
            self.used_percent = int(told[1]) * 100 // int(told[2])
        try:
            moment = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return
        if moment.tzinfo is not None:
            self._ahead = moment.timestamp() - self._clock.now().timestamp()


def soql(select: str, name: str, conditions: Sequence[str], order: str, limit: int | None = None) -> str:
    """A query; blank conditions do not count. Names come from descriptions, values are ids and instants: no text."""
    parts = ["SELECT", select, "FROM", name]
    given = [condition for condition in conditions if condition]
    if given:
        parts += ["WHERE", " AND ".join(given)]
    parts += ["ORDER BY", order]
    return " ".join(parts if limit is None else [*parts, "LIMIT", str(limit)])


def _target(row: JsonObject) -> str:
    targets = row.get("referenceTo")
    return str(targets[0]) if isinstance(targets, list) and targets else ""


def is_id(text: str) -> bool:
    """Whether a text can be the id of a record; nothing else gets into a query."""
    return _ID.fullmatch(text) is not None


def codes_of(body: bytes) -> list[str]:
    """Salesforce's own codes in the body of a refusal."""
    try:
        value = exact_json.loads(body)
    except ValueError:
        return []
    return [str(one.get("errorCode")) for one in (value if isinstance(value, list) else []) if isinstance(one, dict)]


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Parts of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def instant_of(value: JsonValue) -> datetime:
    """An instant as Salesforce writes it.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("an instant without its zone")
    return moment.astimezone(UTC)


def literal(moment: datetime) -> str:
    """An instant as queries and spans write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _span(start: datetime, end: datetime) -> Params:
    return {"start": literal(start), "end": literal(end)}


def _instant(body: JsonObject, name: str) -> datetime:
    try:
        return instant_of(body.get(name))
    except ValueError:
        raise SourceError(f"Salesforce's answer has no {name}.", retry_after=AGAIN_SECONDS) from None


def _understood(error: RefusedError) -> SourceError:
    """What a refusal means for whoever called."""
    codes = codes_of(error.body)
    if "REQUEST_LIMIT_EXCEEDED" in codes:
        # Salesforce names no time; the count slides over 24 hours.
        return BusyError(error.message, status=error.status, told=LIMIT_SECONDS)
    if PASSING.intersection(codes):
        return BusyError(error.message, status=error.status, told=AGAIN_SECONDS)
    if error.status == FORBIDDEN and "INVALID_SESSION_ID" in codes:
        fix = "Give the app the OAuth scope api (Manage user data via APIs)."
        return RefusedError(error.message, status=error.status, body=error.body, remedy=fix)
    if "INVALID_FIELD" in codes or "INVALID_TYPE" in codes:
        fix = "Correct the name in the mapping, or give the user's permission set read access to it."
        return RefusedError(error.message, status=error.status, body=error.body, remedy=fix)
    return error
