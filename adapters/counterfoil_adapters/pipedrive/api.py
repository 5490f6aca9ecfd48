"""The calls to Pipedrive's API that the adapter needs, each counted against the day's tokens before it is made.

Version 2 throughout; `users/me` has no version 2.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from counterfoil.sources.http import HttpAnswer, RefusedError, SourceHttp
from counterfoil.sources.port import SourceError
from counterfoil_adapters.pipedrive.budget import READ_LIST, READ_ONE, READ_STAGES, READ_USER, WRITE, TokenBudget
from counterfoil_schema.exact_json import JsonObject, JsonValue

Listed = Literal["organizations", "persons", "products", "deals"]
Owner = Literal["organization", "person", "product", "deal"]

IDS_MAX = 100
LIST_MAX = 500
PAGES_MAX = 1_000
NOT_FOUND = 404
GONE = 410
BAD_REQUEST = 400
FORBIDDEN = 403
BLOCKED_SECONDS = 600.0

_SCOPES: Mapping[str, str] = {
    "organizations": "contacts:read",
    "persons": "contacts:read",
    "products": "products:read",
    "deals": "deals:read",
    "dealFields": "deals:read",
    "organizationFields": "contacts:read",
    "personFields": "contacts:read",
    "productFields": "products:read",
    "stages": "deals:read",
    "users": "base",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows, and the mark of the next (None: there is none)."""

    rows: Sequence[JsonObject]
    cursor: str | None


class PipedriveApi:
    """Typed calls over the common HTTP client."""

    def __init__(self, http: SourceHttp, budget: TokenBudget, page_rows: int = LIST_MAX) -> None:
        self._http = http
        self._budget = budget
        self._page_rows = page_rows

    async def changed(
        self, kind: Listed, since: datetime | None, cursor: str | None, *, deleted: bool = False
    ) -> Listing:
        """A page of a list in the order of changes, from an instant on and itself included (None: all)."""
        params = {"limit": str(self._page_rows), "sort_by": "update_time", "sort_direction": "asc"}
        if since is not None:
            # In whole seconds, cut off: what changed within that second comes along.
            params["updated_since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if deleted:
            params["status"] = "deleted"
        path = f"/api/v2/{kind}"
        if cursor is None:
            return _listing(await self._ask(READ_LIST, kind, path, params))
        try:
            return _listing(await self._ask(READ_LIST, kind, path, {**params, "cursor": cursor}))
        except RefusedError as error:
            if error.status != BAD_REQUEST:
                raise
            # A mark that was kept and that Pipedrive knows no longer: the same rows again, from their beginning.
            return _listing(await self._ask(READ_LIST, kind, path, params))

    async def get(self, kind: Listed, source_id: str) -> JsonObject | None:
        """One row; None where Pipedrive has none of that id.

        Raises:
            SourceError: what came bears another id.
        """
        if not source_id.isascii() or not source_id.isdigit():
            return None
        path = f"/api/v2/{kind}/{source_id}"
        answer = await self._ask(READ_ONE, kind, path, expect={200, NOT_FOUND, GONE}, urgent=True)
        if answer.status in {NOT_FOUND, GONE}:
            return None
        row = _data(answer)
        if not isinstance(row, dict) or str(row.get("id")) != source_id:
            raise _stranger(path, row.get("id") if isinstance(row, dict) else None)
        return row

    async def several(self, kind: Listed, ids: Iterable[str]) -> Sequence[JsonObject]:
        """Rows by id, as far as Pipedrive shows them."""
        found: list[JsonObject] = []
        for part in chunks(sorted(set(ids), key=_order)):
            params = {"ids": ",".join(part), "limit": str(IDS_MAX)}
            rows = _listing(await self._ask(READ_LIST, kind, f"/api/v2/{kind}", params, urgent=True)).rows
            _only(part, rows, "id", kind)
            found.extend(rows)
        return found

    async def of_deals(
        self, part: Literal["products", "installments"], ids: Iterable[str], *, urgent: bool
    ) -> dict[str, list[JsonObject]]:
        """The products on deals, or their instalments, by the deal's id; deals without any are absent.

        Raises:
            SourceError: what came belongs to another deal.
        """
        found: dict[str, list[JsonObject]] = {}
        for asked in chunks(sorted(set(ids), key=_order)):
            cursor: str | None = None
            for _ in range(PAGES_MAX):
                params = [("deal_ids", deal_id) for deal_id in asked]
                params += [("limit", str(LIST_MAX)), ("sort_by", "id"), ("sort_direction", "asc")]
                params += [("cursor", cursor)] if cursor is not None else []
                path = f"/api/v2/deals/{part}"
                listing = _listing(await self._ask(READ_LIST, "deals", path, params, urgent=urgent))
                _only(asked, listing.rows, "deal_id", path)
                for row in listing.rows:
                    found.setdefault(str(row.get("deal_id")), []).append(row)
                cursor = listing.cursor
                if cursor is None:
                    break
        return found

    async def fields(self, owner: Owner) -> Sequence[JsonObject]:
        """The definitions of all fields of a kind, custom ones included."""
        name = f"{owner}Fields"
        rows: list[JsonObject] = []
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            params = {"limit": str(LIST_MAX), **({"cursor": cursor} if cursor is not None else {})}
            listing = _listing(await self._ask(READ_LIST, name, f"/api/v2/{name}", params, urgent=True))
            rows.extend(listing.rows)
            cursor = listing.cursor
            if cursor is None:
                break
        return rows

    async def add_deal_field(self, name: str, field_type: str) -> JsonObject:
        """A new custom field of deals, asked for once: a second one of the same name would be a second field."""
        body: JsonObject = {
            "field_name": name,
            "field_type": field_type,
            "description": "Written by Counterfoil from QuickBooks.",
        }
        answer = await self._ask(
            WRITE, "deal-fields:full", "/api/v2/dealFields", body=body, method="POST", urgent=True, tries=1
        )
        row = _data(answer)
        return row if isinstance(row, dict) else {}

    async def stages(self) -> Mapping[str, str]:
        """Names of all stages by id."""
        answer = await self._ask(READ_STAGES, "stages", "/api/v2/stages", {"limit": str(LIST_MAX)}, urgent=True)
        return {str(row.get("id")): str(row.get("name")) for row in _listing(answer).rows}

    async def update_deal(self, deal_id: str, custom_fields: JsonObject, deadline: float | None) -> JsonObject:
        """Set custom fields, once and before the deadline: a lost answer is the caller's to judge."""
        body: JsonObject = {"custom_fields": custom_fields}
        path = f"/api/v2/deals/{deal_id}"
        answer = await self._ask(
            WRITE, "deals:full", path, body=body, method="PATCH", urgent=True, tries=1, deadline=deadline
        )
        row = _data(answer)
        return row if isinstance(row, dict) else {}

    async def me(self) -> JsonObject:
        """Whom the token is for, and of which company."""
        row = _data(await self._ask(READ_USER, "users", "/v1/users/me", urgent=True))
        return row if isinstance(row, dict) else {}

    async def _ask(
        self,
        cost: int,
        about: str,
        path: str,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        *,
        body: JsonObject | None = None,
        method: str = "GET",
        expect: frozenset[int] | set[int] = frozenset({200, 201}),
        urgent: bool = False,
        tries: int | None = None,
        deadline: float | None = None,
    ) -> HttpAnswer:
        self._budget.spend(cost, urgent=urgent)
        try:
            answer = await self._http.request(
                method, path, params=params, json=body, expect=expect, tries=tries, deadline=deadline
            )
        except RefusedError as error:
            if error.status == FORBIDDEN:
                raise _forbidden(error, _SCOPES.get(about, about)) from None
            raise
        self._budget.learn(answer.headers)
        return answer


def chunks(items: Sequence[str], size: int = IDS_MAX) -> Iterator[Sequence[str]]:
    """Parts of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _forbidden(error: RefusedError, scope: str) -> SourceError:
    if not error.body.lstrip().startswith(b"{"):
        # Not the API but the edge in front of it: who goes on calling after 429s is shut out for a while.
        return SourceError(
            "Pipedrive has shut this address out for a while (403, and not by the API itself).",
            remedy="It ends by itself; lower calls_per_2_seconds if it comes again.",
            retry_after=BLOCKED_SECONDS,
        )
    return RefusedError(
        error.message,
        status=error.status,
        body=error.body,
        remedy=f"Give the app the scope {scope}, or the token's user the right to see this.",
    )


def _order(source_id: str) -> tuple[int, str]:
    return (len(source_id), source_id)


def _data(answer: HttpAnswer) -> JsonValue:
    body = answer.object()
    if body.get("success") is False or "data" not in body:
        raise SourceError("Pipedrive's answer has another form than it should: no data.", retry_after=10.0)
    return body["data"]


def _listing(answer: HttpAnswer) -> Listing:
    rows = _data(answer)
    if rows is None:
        rows = []
    if not isinstance(rows, list):
        raise SourceError("Pipedrive's answer has another form than it should: no list.", retry_after=10.0)
    more = answer.object().get("additional_data")
    following = more.get("next_cursor") if isinstance(more, dict) else None
    return Listing([row for row in rows if isinstance(row, dict)], str(following) if following else None)


def _only(asked: Sequence[str], rows: Sequence[JsonObject], name: str, what: str) -> None:
    for row in rows:
        if str(row.get(name)) not in asked:
            raise _stranger(what, row.get(name))


def _stranger(what: str, found: JsonValue) -> SourceError:
    return SourceError(
        f"Pipedrive answered {what} with a record that nobody asked for ({str(found)[:40]}): nothing of it is used.",
        remedy="Check which company the token is for, and what stands between Pipedrive and this machine.",
        retry_after=60.0,
    )
