"""Webhook routes: verify, append, acknowledge. Nothing is read or decided while the sender waits.

POST /quickbooks                        all realms; each event goes to the company that its realm is pinned to
POST /sources/{company}/{connection}    one connection of one company
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from pydantic import SecretStr

from counterfoil.errors import CounterfoilError
from counterfoil.log import Append, Delivery, LogError, LogWriter, NewEvent
from counterfoil.ports import Clock
from counterfoil.quickbooks.online.webhooks import SIGNATURE_HEADER, Notification, parse_notifications, verify_signature
from counterfoil.sources import BadSignatureError, MalformedDeliveryError, SourceAdapter, WebhookRequest
from counterfoil.telemetry.ports import current_trace
from counterfoil_schema import exact_json
from counterfoil_schema.events.receipts import Hint, WebhookReceived

BODY_BYTES_MAX = 1_000_000
UNROUTED_COMPANY = 0
"""Deliveries that fit no company are kept here, and seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Where deliveries go.

    Attributes:
        verifier_tokens: QuickBooks verifier tokens; any of them may sign.
        company_of_realm: the company that a realm is pinned to.
        adapter: the open adapter of a company's connection, if there is one.
        received: called with the company after a delivery is durable.
    """

    verifier_tokens: Callable[[], Sequence[SecretStr]]
    company_of_realm: Callable[[str], int | None]
    adapter: Callable[[int, str], SourceAdapter | None]
    received: Callable[[int], None]


def webhook_application(log: LogWriter, clock: Clock, routes: Routes, public_url: str | None) -> web.Application:
    """The routes as an application that a host mounts wherever it likes."""
    handler = _Handler(log, clock, routes, public_url)
    application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_plain_errors])
    application.router.add_post("/quickbooks", handler.quickbooks)
    application.router.add_post("/sources/{company:[0-9]+}/{connection}", handler.source)
    return application


@web.middleware
async def _plain_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answers that say what was wrong with the delivery; a log that cannot be reached asks for another delivery."""
    try:
        return await handler(request)
    except BadSignatureError as bad:
        return _answer(401, bad)
    except MalformedDeliveryError as bad:
        return _answer(400, bad)
    except LogError:
        return web.json_response({"error": "The event log cannot be reached; deliver again."}, status=503)


def _answer(status: int, error: CounterfoilError) -> web.Response:
    return web.json_response({"error": error.message, "remedy": error.remedy}, status=status)


class _Handler:
    def __init__(self, log: LogWriter, clock: Clock, routes: Routes, public_url: str | None) -> None:
        self._log = log
        self._clock = clock
        self._routes = routes
        self._public_url = public_url

    async def quickbooks(self, request: web.Request) -> web.Response:
        body = await request.read()
        header = request.headers.get(SIGNATURE_HEADER)
        if not any(verify_signature(body, header, token) for token in self._routes.verifier_tokens()):
            raise BadSignatureError(
                "The delivery's signature does not match its body.",
                remedy="Check the verifier token of the app in Intuit's portal against the configuration.",
            )
        try:
            notifications = parse_notifications(body)
        except CounterfoilError as bad:
            raise MalformedDeliveryError(bad.message, remedy=bad.remedy) from bad
        by_company: dict[int, list[Notification]] = {}
        for one in notifications:
            company = self._routes.company_of_realm(one.realm_id)
            by_company.setdefault(UNROUTED_COMPANY if company is None else company, []).append(one)
        for company, group in by_company.items():
            # A delivery may mix companies: each keeps its own part, the whole only where it is alone.
            part = body if len(by_company) == 1 else exact_json.dumps([_as_json(one) for one in group])
            await self._append(company, "quickbooks", _delivery_id(group), [_hint(one) for one in group], part)
        return web.Response(status=200)

    async def source(self, request: web.Request) -> web.Response:
        company = int(request.match_info["company"])
        connection = request.match_info["connection"]
        adapter = self._routes.adapter(company, connection)
        if adapter is None:
            return web.json_response({"error": f"Company {company} has no connection {connection}."}, status=404)
        body = await request.read()
        delivery = adapter.receive(
            WebhookRequest(
                method=request.method,
                url=self._url(request),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            )
        )
        if delivery.hints:
            await self._append(company, connection, delivery.delivery_id, delivery.hints, body)
        answer: Mapping[str, str] = delivery.answer or {}
        return web.json_response(dict(answer)) if answer else web.Response(status=200)

    def _url(self, request: web.Request) -> str:
        if self._public_url:
            return self._public_url.rstrip("/") + request.path_qs
        return str(request.url)

    async def _append(
        self, company: int, connection: str, delivery_id: str, hints: Sequence[Hint], body: bytes
    ) -> None:
        event = WebhookReceived(
            connection=connection,
            delivery_id=delivery_id,
            hints=tuple(hints),
            raw=body.decode("utf-8", errors="backslashreplace"),
        )
        delivery = Delivery(connection, delivery_id)
        new = NewEvent(event=event, delivery=delivery, trace=current_trace())
        await self._log.append(Append(company, [new]))
        self._routes.received(company)


def _hint(one: Notification) -> Hint:
    return Hint(
        kind=one.entity,
        source_id=one.entity_id,
        operation=one.operation,
        occurred_at=one.time,
        other_id=one.deleted_id,
    )


def _as_json(one: Notification) -> exact_json.JsonObject:
    return {"realm": one.realm_id, "entity": one.entity, "id": one.entity_id, "operation": one.operation}


def _delivery_id(group: Sequence[Notification]) -> str:
    """One id for a company's part of a delivery: the same however often and in whichever order it comes."""
    parts = sorted(
        [one.event_id or "", one.entity, one.entity_id, one.operation, one.time.isoformat() if one.time else ""]
        for one in group
    )
    return hashlib.sha256(exact_json.canonical(parts)).hexdigest()
