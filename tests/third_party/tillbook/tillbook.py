"""Tillbook, the till of a market stall: its clients become customers, its sales invoices."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from aiolimiter import AsyncLimiter
from pydantic import BaseModel, SecretStr

from counterfoil import sources
from counterfoil_schema.exact_json import JsonObject, loads_object
from counterfoil_schema.records import Customer, Invoice, InvoiceLine, record_key


class Settings(BaseModel):
    base_url: str
    api_key: SecretStr
    webhook_secret: SecretStr
    stall: str
    page_rows: int = 100


class Tillbook(sources.PlainSource):
    name = "tillbook"

    def __init__(self, context: sources.SourceContext) -> None:
        self._context, self._settings = context, sources.read_settings(Settings, context, "Tillbook")
        key, limiter = sources.fixed_token(self._settings.api_key), AsyncLimiter(50, 1)
        self._http = sources.SourceHttp(context.http, self._settings.base_url, key, limiter, context.clock, "Tillbook")
        self._readers = {kind: sources.ChangesSince(partial(self._fetch, kind), _changed, _id) for kind in self.kinds()}

    def kinds(self) -> Sequence[str]:
        return ("client", "sale")

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[sources.Page]:
        async for found in self._readers[kind].pages(cursor):
            changes = [self._change(kind, row) for row in found.rows]
            yield sources.Page(changes=changes, cursor=found.cursor.text(), done=found.done)

    async def read(self, kind: str, source_id: str) -> Sequence[sources.SourceChange]:
        answer = await self._http.request("GET", f"/v1/{kind}s/{source_id}", expect={200, 404})
        if answer.status == 404:
            raise sources.SourceError(f"Tillbook does not show {kind} {source_id} yet.", retry_after=30)
        return [self._change(kind, answer.object())]

    def receive(self, request: sources.WebhookRequest) -> sources.Delivery:
        time = request.headers.get("x-tillbook-time", "")
        expected = sources.sign(self._settings.webhook_secret, time.encode() + b"." + request.body)
        sources.check_signature(request.headers.get("x-tillbook-signature"), expected, "Tillbook")
        sources.check_age(datetime.fromtimestamp(int(time), UTC), self._context.clock.now(), "Tillbook")
        event = {name: str(value) for name, value in sources.object_of(request.body, "Tillbook").items()}
        hint = sources.Hint(kind=event.get("kind", ""), source_id=event.get("record", ""), operation="update")
        return sources.Delivery(delivery_id=event.get("event", ""), hints=(hint,))

    async def write_back(self, request: sources.WriteBack) -> sources.WriteBackResult:
        path = f"/v1/{request.kind}s/{request.source_id}"
        return await sources.write_once(self._http, "PATCH", path, {"books": dict(request.values)}, request)

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        books = loads_object(raw).get("books")
        return kind in self.kinds() and isinstance(books, dict) and books.items() >= values.items()

    async def _fetch(self, kind: str, since: datetime | None, after: str | None) -> sources.Rows:
        params = {"per": str(self._settings.page_rows), "after": after or "", "since": str(since or "")}
        answer = (await self._http.request("GET", f"/v1/{kind}s", params=params)).object()
        return sources.Rows(sources.rows_of(answer, "items", "Tillbook"), sources.Fields(answer).text("next"))

    def _change(self, kind: str, row: JsonObject) -> sources.SourceChange:
        source_id, version, place = _id(row), _changed(row).isoformat(), f"Tillbook, {kind} {_id(row)}"
        if row.get("stall", self._settings.stall) != self._settings.stall:
            raise sources.SourceError(f"{place} is of another stall.", remedy="Check stall and api_key.")
        if row.get("gone") is True:
            into = sources.Fields(row).text("merged_into")
            return sources.Removed(kind=kind, source_id=source_id, evidence=f"gone since {version}", merged_into=into)
        normalise = self._client if kind == "client" else self._sale
        return sources.read_row(kind, source_id, version, row, normalise, place=place)

    def _client(self, row: sources.Fields) -> Customer:
        return Customer(name=row.needed("name"), email=row.text("email"))

    def _sale(self, row: sources.Fields) -> Invoice:
        client, state = record_key(self._context.connection, "client", row.needed("client")), row.needed("state")
        when, money, lines = row.instant("sold"), row.needed("currency"), tuple(map(_line, row.rows("lines")))
        return Invoice(
            customer=client, status=state, won=state == "paid", happened_at=when, currency=money, lines=lines
        )


def _line(row: sources.Fields) -> InvoiceLine:
    price, count = row.needed_amount("price"), row.needed_amount("count")
    return InvoiceLine(line_id=row.needed("id"), description=row.text("what"), quantity=count, unit_price=price)


def _id(row: JsonObject) -> str:
    return sources.Fields(row).needed("id")


def _changed(row: JsonObject) -> datetime:
    return sources.Fields(row).needed_instant("changed")
