"""Webhook routes: verify, append, acknowledge. Nothing is read or decided while the sender waits.

POST /quickbooks                        all realms; each event goes to the company that its realm is pinned to
POST /sources/{company}/{connection}    one connection of one company
POST /sources/{connection}              the connections of that name of all companies: one app, many accounts

Answers: 200 recorded, 400 malformed, 401 signature, 404 nobody's, 408 too slow, 413 too large, 503 deliver again.
Each is counted by how it ended.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import SecretStr

from counterfoil.dispatch.watched import EVERYTHING
from counterfoil.errors import CounterfoilError
from counterfoil.expectation import expected, refuse_strange_expectations, refuse_unreadable_bodies
from counterfoil.http.admission import RETRY_SECONDS, Admission, BusyError
from counterfoil.log import Append, Delivery, EventTooLargeError, LogError, LogWriter, NewEvent
from counterfoil.quickbooks.online.webhooks import (
    SIGNATURE_HEADER,
    Notification,
    NotificationError,
    Reading,
    read_notifications,
    verify_signature,
)
from counterfoil.settings import WebhookSettings
from counterfoil.sources import BadSignatureError, MalformedDeliveryError, SourceAdapter, WebhookRequest
from counterfoil.sources import Delivery as Heard
from counterfoil.telemetry.ports import current_trace
from counterfoil_schema import exact_json
from counterfoil_schema.events.receipts import Hint, WebhookReceived

QUICKBOOKS = "quickbooks"
TRANSACTION_HEADER = "intuit-t-id"
UNROUTED_COMPANY = 0
"""Deliveries that fit no company are kept here, and seen."""

ENDINGS = {200: "taken", 400: "malformed", 401: "refused", 404: "unknown", 413: "too large", 503: "busy"}
"""How deliveries end, by the status of the answer."""

RAW_KEPT_OF_LARGE = 100_000
"""Characters kept of a delivery that is larger than the log takes."""

_USABLE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,500}")
"""What may become a key: an index takes no endless texts, Postgres no zero bytes, UTF-8 no lone surrogates."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A verifier token, and the companies whose realms it may speak for."""

    token: SecretStr
    companies: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Where deliveries go.

    Attributes:
        verifiers: QuickBooks verifier tokens; any of them may sign, for its own companies.
        company_of_realm: the company that a realm is pinned to.
        adapter: the open adapter of a company's connection, if there is one.
        adapters: the open adapters of all connections of that name, by company.
        received: called with the company after a delivery is durable.
        ended: told how each request ended: see `ENDINGS`, else other.
    """

    verifiers: Callable[[], Sequence[Verifier]]
    company_of_realm: Callable[[str], int | None]
    adapter: Callable[[int, str], SourceAdapter | None]
    received: Callable[[int], None]
    adapters: Callable[[str], Mapping[int, SourceAdapter]] = lambda _connection: {}
    ended: Callable[[str], None] = lambda _how: None


def webhook_application(
    log: LogWriter, routes: Routes, public_url: str | None, bounds: WebhookSettings | None = None
) -> web.Application:
    """The routes as an application that a host mounts wherever it likes."""
    bounds = bounds if bounds is not None else WebhookSettings()
    handler = _Handler(log, routes, public_url, bounds)
    application = web.Application(
        client_max_size=bounds.body_bytes_max,
        middlewares=[_counted(routes.ended), refuse_unreadable_bodies, _plain_errors],
    )
    application.router.add_post("/quickbooks", handler.quickbooks, expect_handler=expected)
    application.router.add_post("/sources/{company:[0-9]{1,18}}/{connection}", handler.source, expect_handler=expected)
    application.router.add_post("/sources/{connection}", handler.every_source, expect_handler=expected)
    refuse_strange_expectations(application)
    return application


def _counted(ended: Callable[[str], None]) -> Middleware:
    @web.middleware
    async def counted(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Says how each delivery ended; what is asked about health is none."""
        if request.method != "POST":
            return await handler(request)
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            ended(ENDINGS.get(refusal.status, "other"))
            raise
        ended(ENDINGS.get(response.status, "other"))
        return response

    return counted


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
    except BusyError as busy:
        return _again(f"{busy.message} {busy.remedy}")
    except (LogError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return _again("The event log cannot be reached; deliver again.")


def _answer(status: int, error: CounterfoilError) -> web.Response:
    return web.json_response({"error": error.message, "remedy": error.remedy}, status=status)


def _nobodys(says: str) -> web.Response:
    """Neither read nor kept: who sends here does not know us."""
    remedy = (
        "Correct the address that the webhook is sent to: /sources/COMPANY/CONNECTION, as the configuration has them."
    )
    return web.json_response({"error": f"{says}.", "remedy": remedy}, status=404)


def _again(message: str) -> web.Response:
    return web.json_response({"error": message}, status=503, headers={"Retry-After": str(RETRY_SECONDS)})


class _Handler:
    def __init__(self, log: LogWriter, routes: Routes, public_url: str | None, bounds: WebhookSettings) -> None:
        self._log = log
        self._routes = routes
        self._public_url = public_url
        self._bounds = bounds
        self._admission = Admission(bounds)

    @asynccontextmanager
    async def _received(self, request: web.Request) -> AsyncIterator[bytes]:
        """The body, and a bound on the time until it is durable: Intuit waits three seconds."""
        async with self._admission.entered():
            loop = asyncio.get_running_loop()
            ends = loop.time() + self._bounds.answer_seconds
            try:
                async with asyncio.timeout_at(ends):
                    body = await request.read()
            except TimeoutError:
                raise web.HTTPRequestTimeout from None
            try:
                async with asyncio.timeout_at(ends):
                    yield body
            except TimeoutError:
                # It may be recorded yet; then the next delivery is known, and changes nothing.
                raise _slow() from None

    async def quickbooks(self, request: web.Request) -> web.Response:
        async with self._received(request) as body:
            header = request.headers.get(SIGNATURE_HEADER)
            signers = [one for one in self._routes.verifiers() if verify_signature(body, header, one.token)]
            if not signers:
                raise BadSignatureError(
                    "The delivery's signature does not match its body.",
                    remedy="Check the verifier token of the app in Intuit's portal against the configuration.",
                )
            await self._admission.pass_verified()
            companies = frozenset[int]().union(*(one.companies for one in signers))
            try:
                reading = read_notifications(body)
            except NotificationError as bad:
                reading = Reading(unreadable=[(None, bad.message)])
            await self._record(body, reading, companies, request.headers.get(TRANSACTION_HEADER, ""))
        return web.Response(status=200)

    async def _record(self, body: bytes, reading: Reading, companies: frozenset[int], transaction: str) -> None:
        """Append to each company what is for it.

        What Intuit signed is acknowledged even where it cannot be read, since it would hold back everything later
        until then. It is kept, and whoever it may have been about is swept.
        """
        routed: dict[str, int] = {}
        by_company: dict[int, list[Notification]] = {}
        for one in reading.notifications:
            company = routed.setdefault(one.realm_id, self._company_of(one.realm_id, companies))
            by_company.setdefault(company, []).append(one)
        unclear = {
            company
            for realm, _ in reading.unreadable
            for company in ([self._company_of(realm, companies)] if realm else [UNROUTED_COMPANY, *companies])
        }
        groups = {company: by_company.get(company, []) for company in (*by_company, *sorted(unclear - {*by_company}))}
        for company, group in (groups or {UNROUTED_COMPANY: []}).items():
            hints = [hint for one in group for hint in _hints(one)]
            if company in unclear and company != UNROUTED_COMPANY:
                hints.append(EVERYTHING)
            # A delivery may mix companies: each keeps its own part, the whole only where it is alone.
            alone = len(groups) <= 1 or (company == UNROUTED_COMPANY and company in unclear)
            part = body if alone else exact_json.dumps([_as_json(one) for one in group])
            unread = hashlib.sha256(body).hexdigest() if company in unclear or not group else ""
            await self._append(company, QUICKBOOKS, _delivery_id(group, transaction, unread), hints, part)

    def _company_of(self, realm: str, companies: frozenset[int]) -> int:
        """The realm's company, if the delivery's signer may speak for it."""
        company = self._routes.company_of_realm(realm)
        return company if company is not None and company in companies else UNROUTED_COMPANY

    async def source(self, request: web.Request) -> web.Response:
        company = int(request.match_info["company"])
        connection = request.match_info["connection"]
        adapter = self._routes.adapter(company, connection)
        if adapter is None:
            return _nobodys(f"Company {company} has no connection {connection}")
        async with self._received(request) as body:
            delivery = adapter.receive(self._as_received(request, body))
            await self._admission.pass_verified()
            if delivery.hints:
                await self._append(company, connection, _short(delivery.delivery_id), _own(adapter, delivery), body)
        return _answered([delivery])

    async def every_source(self, request: web.Request) -> web.Response:
        """A delivery of an app that serves accounts of several companies: each connection takes what is its own.

        An adapter passes over what its account has no part in; so each company's log holds its own hints, and the
        body only where nobody else has a part in it.
        """
        connection = request.match_info["connection"]
        adapters = self._routes.adapters(connection)
        if not adapters:
            return _nobodys(f"No company has a connection {connection}")
        async with self._received(request) as body:
            heard = _heard(adapters, self._as_received(request, body))
            await self._admission.pass_verified()
            concerned = {company: one for company, one in heard.items() if one.hints}
            for company, one in concerned.items():
                hints = _own(adapters[company], one)
                told = [f"{hint.kind} {hint.source_id} {hint.operation}" for hint in hints]
                part = body if len(concerned) == 1 else exact_json.dumps(told)
                await self._append(company, connection, _short(one.delivery_id), hints, part)
        return _answered(list(heard.values()))

    def _as_received(self, request: web.Request, body: bytes) -> WebhookRequest:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return WebhookRequest(method=request.method, url=self._url(request), headers=headers, body=body)

    def _url(self, request: web.Request) -> str:
        if self._public_url:
            return self._public_url.rstrip("/") + request.path_qs
        return str(request.url)

    async def _append(
        self, company: int, connection: str, delivery_id: str, hints: Sequence[Hint], body: bytes
    ) -> None:
        raw = body.decode("utf-8", errors="backslashreplace")
        event = WebhookReceived(connection=connection, delivery_id=delivery_id, hints=tuple(hints), raw=raw)
        delivery = Delivery(connection, delivery_id)
        try:
            await self._log.append(Append(company, [NewEvent(event=event, delivery=delivery, trace=current_trace())]))
        except EventTooLargeError:
            cut = event.model_copy(update={"raw": raw[:RAW_KEPT_OF_LARGE]})
            await self._log.append(Append(company, [NewEvent(event=cut, delivery=delivery, trace=current_trace())]))
        self._routes.received(company)


def _slow() -> BusyError:
    return BusyError("The delivery could not be recorded in time.", remedy="Deliver it again.")


def _hints(one: Notification) -> list[Hint]:
    """What to read; of a merge both sides, since the one that went may have been ours."""
    kept = Hint(
        kind=one.entity,
        source_id=one.entity_id,
        operation=one.operation,
        occurred_at=one.time,
        other_id=one.deleted_id,
    )
    if one.deleted_id is None:
        return [kept]
    return [kept, kept.model_copy(update={"source_id": one.deleted_id, "other_id": one.entity_id})]


def _as_json(one: Notification) -> exact_json.JsonObject:
    return {"realm": one.realm_id, "entity": one.entity, "id": one.entity_id, "operation": one.operation}


def _delivery_id(group: Sequence[Notification], transaction: str, unread: str) -> str:
    """One id for a company's part of a delivery: the same however often and in whichever order it comes.

    The older form gives its events no ids, and times to the second: two changes within one would pass for one, so
    Intuit's transaction tells them apart. At worst a repetition is read once more.
    """
    told = transaction if not all(one.event_id for one in group) else ""
    parts = sorted(
        [one.event_id, one.entity, one.entity_id, one.operation, one.time.isoformat() if one.time else ""]
        for one in group
    )
    return hashlib.sha256(
        exact_json.canonical([told.encode(errors="backslashreplace").hex(), unread, *parts])
    ).hexdigest()


def _heard(adapters: Mapping[int, SourceAdapter], request: WebhookRequest) -> dict[int, Heard]:
    """What each connection says to a delivery; those whose secret did not sign it say nothing.

    Raises:
        BadSignatureError: nobody's secret did.
    """
    heard: dict[int, Heard] = {}
    refused = BadSignatureError("No connection of that name knows the delivery's signature.")
    for company, adapter in adapters.items():
        try:
            heard[company] = adapter.receive(request)
        except BadSignatureError as bad:
            refused = bad
    if not heard:
        raise refused
    return heard


def _own(adapter: SourceAdapter, delivery: Heard) -> list[Hint]:
    """Hints that can be followed: of kinds that the source has, and fit for a key."""
    kinds = set(adapter.kinds())
    return [hint for hint in delivery.hints if hint.kind in kinds and _is_usable(hint)]


def _answered(heard: Sequence[Heard]) -> web.Response:
    answer = next((one.answer for one in heard if one.answer), None)
    return web.json_response(dict(answer)) if answer else web.Response(status=200)


def _is_usable(hint: Hint) -> bool:
    return all(_USABLE.fullmatch(part) for part in (hint.kind, hint.source_id, hint.operation))


def _short(delivery_id: str) -> str:
    """An id that can be a key."""
    if _USABLE.fullmatch(delivery_id):
        return delivery_id
    return hashlib.sha256(delivery_id.encode("utf-8", errors="backslashreplace")).hexdigest()
