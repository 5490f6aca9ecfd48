"""The control address: look at everything, move the clock, break things, act as a person in QuickBooks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from functools import partial

from aiohttp import web
from pydantic import ValidationError

from counterfoil.expectation import expected
from counterfoil.quickbooks.emulator import chart
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import BY_PATH, ENTITIES
from counterfoil.quickbooks.emulator.clock import EmulatorClock
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.injection import FaultBoard
from counterfoil.quickbooks.emulator.limits import Limiter, LimitNumbers
from counterfoil.quickbooks.emulator.oauth import TokenOffice
from counterfoil.quickbooks.emulator.orders import (
    ClockOrder,
    FaultOrder,
    LimitsOrder,
    OAuthOrder,
    WebhookOrder,
    complaint,
)
from counterfoil.quickbooks.emulator.page import books_page
from counterfoil.quickbooks.emulator.person import act, action_from
from counterfoil.quickbooks.emulator.requestids import RequestIds
from counterfoil.quickbooks.emulator.stats import Stats
from counterfoil.quickbooks.emulator.values import ZERO, as_object
from counterfoil.quickbooks.emulator.views import amount_of
from counterfoil.quickbooks.emulator.webhooks import WebhookSender
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads

PAGE_MAX = 100_000
DIGITS_MAX = 12
ENDPOINTS: JsonObject = {
    "GET /": "this list",
    "GET /health": "whether it serves",
    "GET /journal?after=0&limit=100000": "every effect on the books, oldest first",
    "GET /books": "the books as a page for people",
    "GET /snapshot": "the whole state, for --load",
    "GET /state[?entity=Invoice]": "all records, and what was deleted",
    "GET /totals": "trial balance, receivables by customer, documents and sums by entity",
    "GET /stats": "counts, limits, peaks",
    "GET /calls?after=0&limit=100000": "requests to the API and their outcomes",
    "GET|POST /faults": "what goes wrong on purpose; DELETE /faults[?number=N] ends it",
    "POST /books/{entity}": "a person's action in QuickBooks",
    "POST /books": "several such actions at once",
    "GET|POST /clock": "the emulator's time",
    "POST /preferences": "company settings, group by group",
    "GET|POST /webhooks": "subscriber, form, deliveries",
    "GET|POST /limits": "limits on or off, and their numbers",
    "POST /oauth": "expire access tokens, rotate, revoke, refuse the next consent",
}


@dataclass(frozen=True, slots=True)
class ControlParts:
    """What can be looked at and changed."""

    books: Books
    board: FaultBoard
    clock: EmulatorClock
    limiter: Limiter
    office: TokenOffice
    request_ids: RequestIds
    stats: Stats
    webhooks: WebhookSender
    state: Callable[[], JsonObject]


class ControlApi:
    """Handlers of the control address; JSON in, JSON out, 400 with a sentence for what cannot be done."""

    def __init__(self, parts: ControlParts) -> None:
        self._parts = parts

    def add_to(self, app: web.Application) -> None:
        get = partial(app.router.add_get, expect_handler=expected)
        post = partial(app.router.add_post, expect_handler=expected)
        get("/", self._index)
        get("/health", self._health)
        get("/journal", self._journal)
        get("/state", self._state)
        get("/totals", self._totals)
        get("/stats", self._stats)
        get("/calls", self._calls)
        get("/faults", self._faults)
        post("/faults", _answering(self._post_faults))
        app.router.add_delete("/faults", self._delete_faults, expect_handler=expected)
        post("/books", _answering(self._post_actions))
        post("/books/{entity}", _answering(self._post_action))
        get("/books", self._page)
        get("/snapshot", self._snapshot)
        get("/clock", self._clock)
        post("/clock", _answering(self._post_clock))
        post("/preferences", _answering(self._post_preferences))
        get("/webhooks", self._webhooks)
        post("/webhooks", _answering(self._post_webhooks))
        get("/limits", self._limits)
        post("/limits", _answering(self._post_limits))
        post("/oauth", _answering(self._post_oauth))

    async def _index(self, _request: web.Request) -> web.Response:
        return _json(ENDPOINTS)

    async def _health(self, _request: web.Request) -> web.Response:
        return _json({"status": "serving"})

    async def _journal(self, request: web.Request) -> web.Response:
        found = self._parts.books.journal.after(_number(request, "after", 0), _number(request, "limit", PAGE_MAX))
        return _json({"effects": [effect.as_json() for effect in found], "total": len(self._parts.books.journal)})

    async def _state(self, request: web.Request) -> web.Response:
        books = self._parts.books
        wanted = BY_PATH.get(request.query.get("entity", "").lower())
        names = [wanted.name] if wanted is not None else list(ENTITIES)
        state: JsonObject = {}
        deleted: JsonObject = {}
        for name in names:
            table = books.tables.table(name)
            rows: list[JsonValue] = [
                books.show(name, row) for row in sorted(table.rows.values(), key=lambda row: (len(row.id), row.id))
            ]
            state[name] = rows
            if table.deleted:
                deleted[name] = [*table.deleted]
        return _json({**state, "deleted": deleted})

    async def _totals(self, _request: web.Request) -> web.Response:
        books = self._parts.books
        accounts: list[JsonValue] = []
        for identifier, balance in sorted(books.ledger.accounts().items(), key=lambda pair: int(pair[0])):
            row = books.tables.find("Account", identifier)
            accounts.append(
                {"id": identifier, "name": row.body.get("FullyQualifiedName"), "debit_less_credit": balance}
            )
        customers: JsonObject = {
            row.id: books.ledger.party(row.id)
            for row in books.tables.table("Customer").rows.values()
            if books.ledger.party(row.id) != ZERO
        }
        documents: JsonObject = {}
        for name, spec in ENTITIES.items():
            if spec.kind == "transaction":
                rows = books.tables.table(name).rows.values()
                documents[name] = {
                    "count": len(rows),
                    "total": sum((amount_of(name, row.body) or ZERO for row in rows), ZERO),
                }
        return _json({"accounts": accounts, "receivable_by_customer": customers, "documents": documents})

    async def _stats(self, _request: web.Request) -> web.Response:
        parts = self._parts
        limiter, stats = parts.limiter, parts.stats
        return _json(
            {
                "requests": dict(stats.requests),
                "writes": stats.writes,
                "item_faults": stats.item_faults,
                "batches": stats.requests["batch"],
                "metered_reads": stats.metered_reads,
                "metered_in_month": stats.metered_in_month(parts.clock.now()),
                "throttled": sum(stats.throttled_by.values()),
                "throttled_by": dict(stats.throttled_by),
                "replayed": parts.request_ids.replayed,
                "peaks": {
                    "requests_in_60s": limiter.minute.peak,
                    "requests_in_1s": limiter.second.peak,
                    "batches_in_60s": limiter.batches.peak,
                    "at_once": limiter.peak_in_flight,
                },
                "limits": limiter.numbers.as_json(),
                "effects": len(parts.books.journal),
                "token_refreshes": parts.office.refreshes,
                "token_rotations": parts.office.rotations,
                "webhooks": {
                    "pending": parts.webhooks.pending,
                    "delivered": parts.webhooks.delivered,
                    "dropped": parts.webhooks.dropped,
                },
            }
        )

    async def _calls(self, request: web.Request) -> web.Response:
        found = self._parts.stats.calls(_number(request, "after", 0), _number(request, "limit", PAGE_MAX))
        return _json({"calls": [*found]})

    async def _faults(self, _request: web.Request) -> web.Response:
        return _json({"faults": [rule.as_json() for rule in self._parts.board.rules]})

    async def _post_faults(self, _request: web.Request, body: JsonValue) -> JsonObject:
        orders = [FaultOrder.model_validate(entry) for entry in (body if isinstance(body, list) else [body])]
        rules = [order.rule(self._parts.board.next_number()) for order in orders]
        for rule in rules:
            self._parts.board.post(rule)
        return {"numbers": [rule.number for rule in rules]}

    async def _delete_faults(self, request: web.Request) -> web.Response:
        number = _number(request, "number", 0) or None
        return _json({"removed": self._parts.board.clear(number)})

    async def _post_action(self, request: web.Request, body: JsonValue) -> JsonObject:
        return act(self._parts.books, action_from(body, request.match_info["entity"]))

    async def _post_actions(self, _request: web.Request, body: JsonValue) -> JsonObject:
        entries = body if isinstance(body, list) else [body]
        results: list[JsonValue] = [
            act(self._parts.books, action) for action in [action_from(entry) for entry in entries]
        ]
        return {"results": results}

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text=books_page(self._parts.books), content_type="text/html", charset="utf-8")

    async def _snapshot(self, _request: web.Request) -> web.Response:
        return _json(self._parts.state())

    async def _clock(self, _request: web.Request) -> web.Response:
        return _json(self._clock_state())

    async def _post_clock(self, _request: web.Request, body: JsonValue) -> JsonObject:
        order = ClockOrder.model_validate(body)
        manual = None if order.mode is None else order.mode == "manual"
        if manual is not None or order.scale is not None:
            self._parts.clock.change(scale=order.scale, manual=manual)
        if order.advance_seconds:
            self._parts.clock.advance(order.advance_seconds)
        return self._clock_state()

    def _clock_state(self) -> JsonObject:
        clock = self._parts.clock
        return {
            "now": clock.now().isoformat(),
            "company_date": self._parts.books.today().isoformat(),
            "company_zone": chart.COMPANY_ZONE,
            "mode": "manual" if clock.manual else "running",
            "scale": str(clock.scale),
        }

    async def _post_preferences(self, _request: web.Request, body: JsonValue) -> JsonObject:
        groups = {name: as_object(values) for name, values in as_object(body).items() if isinstance(values, dict)}
        return self._parts.books.set_preferences(groups)

    async def _webhooks(self, _request: web.Request) -> web.Response:
        sender = self._parts.webhooks
        return _json(
            {
                "url": sender.settings.url,
                "format": sender.settings.format,
                "gather_seconds": str(sender.settings.gather_seconds),
                "coalesce": sender.settings.coalesce,
                "pending": sender.pending,
                "deliveries": [*sender.deliveries],
            }
        )

    async def _post_webhooks(self, _request: web.Request, body: JsonValue) -> JsonObject:
        order = WebhookOrder.model_validate(body)
        settings = self._parts.webhooks.settings
        for field in order.model_fields_set:
            setattr(settings, field, getattr(order, field))
        if "url" in order.model_fields_set:
            self._parts.webhooks.subscribed()
        return {"url": settings.url, "format": settings.format}

    async def _limits(self, _request: web.Request) -> web.Response:
        return _json(self._parts.limiter.numbers.as_json())

    async def _post_limits(self, _request: web.Request, body: JsonValue) -> JsonObject:
        order = LimitsOrder.model_validate(body)
        known = {field.name for field in fields(LimitNumbers)}
        changes = {name: getattr(order, name) for name in order.model_fields_set & known}
        self._parts.limiter.numbers = replace(self._parts.limiter.numbers, **changes)
        return self._parts.limiter.numbers.as_json()

    async def _post_oauth(self, _request: web.Request, body: JsonValue) -> JsonObject:
        order = OAuthOrder.model_validate(body)
        office = self._parts.office
        if order.expire_access:
            office.expire_access()
        if order.rotate:
            office.rotate()
        if order.revoke:
            office.disconnect()
        if "deny" in order.model_fields_set:
            office.deny_next = order.deny
        return {"refresh_token": office.refresh_token}


def _answering(
    handler: Callable[[web.Request, JsonValue], Awaitable[JsonObject]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            raw = await request.read()
            return _json(await handler(request, loads(raw) if raw else {}))
        except QuickBooksFaultError as fault:
            return _json({"Fault": fault.body()}, status=400)
        except ValidationError as error:
            return _json({"error": complaint(error)}, status=400)
        except (ValueError, RecursionError) as error:
            return _json({"error": str(error)}, status=400)

    return answer


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else default


def _json(body: JsonObject, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=dumps(body), content_type="application/json", charset="utf-8")
