"""Tillbook as a server: what its documents promise, and the people who work with it."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aiohttp import web

from counterfoil.emulating import BadRequestError, VendorEmulator, answer, body_of
from counterfoil.sources import WebhookRequest
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps

KEY, SECRET, STALL = "key-4711", "secret-0815", "stall-7"
BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)


class TillbookStub(VendorEmulator):
    """Rows by kind and id, shown in the order of (changed, id), a page at a time."""

    name = "tillbook"

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, dict[str, JsonObject]] = {"clients": {}, "sales": {}}
        self._time = BEGIN

    def put(self, table: str, row: JsonObject, *, pause: int = 60) -> JsonObject:
        """A row as somebody wrote it just now, `pause` seconds after the last."""
        self._time += timedelta(seconds=pause)
        made = {"stall": STALL, **self.tables[table].get(str(row["id"]), {}), **row, "changed": self._time.isoformat()}
        self.tables[table][str(row["id"])] = made
        return made

    def deliver(self, kind: str, source_id: str, event: str | None = None) -> WebhookRequest:
        """A signed delivery about a row."""
        body = dumps({"event": event or f"e-{kind}-{source_id}", "kind": kind, "record": source_id})
        time = str(int(self.clock.now().timestamp()))
        mac = hmac.new(SECRET.encode(), time.encode() + b"." + body, hashlib.sha256)
        headers = {"x-tillbook-time": time, "x-tillbook-signature": mac.hexdigest()}
        return WebhookRequest(method="POST", url="https://hooks.example.test/1/till", headers=headers, body=body)

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.get("/v1/{table}", self._list),
            web.get("/v1/{table}/{id}", self._get),
            web.patch("/v1/{table}/{id}", self._patch),
        ]

    def admit(self, request: web.Request) -> web.Response | None:
        good = request.headers.get("Authorization") == f"Bearer {KEY}"
        return None if good else self.refuse(401, "This key opens nothing.")

    def refuse(self, status: int, message: str) -> web.Response:
        return answer({"message": message}, status)

    def load(self, body: JsonObject) -> JsonObject:
        raise BadRequestError(f"Nothing is loaded here: {list(body)}.")

    async def _list(self, request: web.Request) -> web.Response:
        since, after, per = request.query.get("since"), request.query.get("after"), int(request.query["per"])
        first = datetime.fromisoformat(since) if since else BEGIN
        rows = sorted(self._table(request).values(), key=_order)
        found = [row for row in rows if datetime.fromisoformat(str(row["changed"])) >= first]
        page = [row for row in found if not after or "|".join(_order(row)) > after][:per]
        following: JsonValue = "|".join(_order(page[-1])) if len(page) == per else None
        return answer({"items": page, "next": following})

    async def _get(self, request: web.Request) -> web.Response:
        return answer(self._row(request))

    async def _patch(self, request: web.Request) -> web.Response:
        row, body = self._row(request), await body_of(request)
        held = row.get("books")
        new = body.get("books")
        row["books"] = {**(held if isinstance(held, dict) else {}), **(new if isinstance(new, dict) else {})}
        return answer(self.put(request.match_info["table"], row))

    def _table(self, request: web.Request) -> dict[str, JsonObject]:
        table = self.tables.get(request.match_info["table"])
        if table is None:
            raise BadRequestError("No such table.", status=404)
        return table

    def _row(self, request: web.Request) -> JsonObject:
        row = self._table(request).get(request.match_info["id"])
        if row is None:
            raise BadRequestError("No such row.", status=404)
        return row


def _order(row: JsonObject) -> tuple[str, str]:
    return str(row["changed"]), str(row["id"])
