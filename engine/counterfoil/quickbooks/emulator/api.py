"""The accounting API over HTTP: who asks, whether it is too much, what goes wrong on purpose, and the answer."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass

from aiohttp import web

from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import BY_PATH
from counterfoil.quickbooks.emulator.injection import FaultBoard, FaultRule, Target
from counterfoil.quickbooks.emulator.limits import Limiter
from counterfoil.quickbooks.emulator.oauth import TokenOffice
from counterfoil.quickbooks.emulator.reading import understand
from counterfoil.quickbooks.emulator.service import Call, Service
from counterfoil.quickbooks.emulator.stats import CallRecord, Stats
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import dumps

CLIENT_PATIENCE_SECONDS = 150.0
# The client sees no answer, so the log shows no status.
DROPPED = frozenset({"lost_answer", "late_effect"})
DISCONNECT_POLL_SECONDS = 0.02
TOKEN_LENGTHS = range(20, 4097)

HTML = (
    "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1></center>"
    "\r\n</body>\r\n</html>\r\n"
)
REASONS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
XML = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse time="{time}" '
    'xmlns="http://schema.intuit.com/finance/v3"><Fault type="SystemFault"><Error code="10000">'
    "<Message>An application error has occurred while processing your request</Message>"
    "<Detail>System Failure Error: injected</Detail></Error></Fault></IntuitResponse>"
)


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the API stands on."""

    service: Service
    books: Books
    office: TokenOffice
    limiter: Limiter
    board: FaultBoard
    stats: Stats
    clock: Clock
    base_clock: Clock
    entropy: Entropy
    realm_id: str
    spawn: Callable[[Coroutine[None, None, None]], object]


class AccountingApi:
    """Handlers for `/v3/company/{realm}/…`."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("*", "/v3/company/{realm}/{tail:.*}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request from token to answer."""
        parts = self._parts
        parts.limiter.enter()
        tid = self._transaction()
        call = Call("unknown")
        outcome = ""
        try:
            raw = await request.read()
            call = understand(request.method, request.match_info["tail"], request.query, raw)
            self._admit(request, call)
            outcome, response = await self._answer(request, call, raw, tid)
        except faults.GatewayFaultError as fault:
            outcome = fault.name
            epoch = int(parts.clock.now().timestamp() * 1000)
            response = _json(fault.status, dumps(fault.body(epoch)), tid)
        finally:
            parts.limiter.leave()
        status = 0 if outcome in DROPPED else response.status
        self._record(request, call, status, outcome, tid)
        return response

    def _admit(self, request: web.Request, call: Call) -> None:
        parts = self._parts
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or len(token) not in TOKEN_LENGTHS:
            raise faults.token_refused("Malformed bearer token: too short or too long")
        if not parts.office.access_is_good(token):
            raise faults.token_refused()
        if request.match_info["realm"] != parts.realm_id:
            raise faults.realm_refused()
        parts.limiter.other_app_per_minute = parts.board.other_app()
        # The request itself is among those in flight; the limit is about the others.
        parts.limiter.in_flight -= 1
        broken = parts.limiter.admit(batch=call.kind == "batch")
        parts.limiter.in_flight += 1
        if broken:
            parts.stats.throttled_by[broken] += 1
            raise faults.throttled()

    async def _answer(self, request: web.Request, call: Call, raw: bytes, tid: str) -> tuple[str, web.StreamResponse]:
        parts = self._parts
        parts.stats.count(call.kind)
        blow: FaultRule | None = None
        for rule in parts.board.hits(_target(call, raw)):
            if rule.kind == "slow":
                await parts.clock.sleep(rule.seconds or 1.0)
            elif rule.kind == "stale":
                for entity, identifier in _named_records(call):
                    if rule.entity in {None, entity}:
                        parts.books.bump(entity, identifier)
            else:
                blow = rule
        if blow is None:
            answer = parts.service.execute(call)
            return "", _json(answer.status, dumps(answer.body), tid)
        return blow.kind, await self._blow(request, call, blow, tid)

    async def _blow(self, request: web.Request, call: Call, rule: FaultRule, tid: str) -> web.StreamResponse:
        parts = self._parts
        match rule.kind:
            case "throttle":
                parts.stats.throttled_by["injected"] += 1
                raise faults.throttled()
            case "auth_expired":
                raise faults.token_refused()
            case "lost_answer":
                parts.service.execute(call)
                await self._hold(request, rule.hold_seconds or 0.0)
                return _drop(request)
            case "late_effect":
                await self._hold(request, CLIENT_PATIENCE_SECONDS if rule.hold_seconds is None else rule.hold_seconds)
                parts.spawn(self._later(call, rule.seconds if rule.seconds is not None else 1.0))
                return _drop(request)
            case _:
                if rule.effect:
                    parts.service.execute(call)
                return self._broken_answer(rule, tid)

    def _broken_answer(self, rule: FaultRule, tid: str) -> web.Response:
        if rule.kind == "html_error":
            status = rule.status or 502
            text = HTML.format(status=status, reason=REASONS.get(status, "Error"))
            return web.Response(status=status, text=text, content_type="text/html", headers={"intuit_tid": tid})
        if rule.kind == "xml_fault":
            text = XML.format(time=self._parts.clock.now().isoformat())
            status = rule.status or 500
            return web.Response(status=status, text=text, content_type="application/xml", headers={"intuit_tid": tid})
        status = rule.status or 500
        fault = faults.QuickBooksFaultError(
            "10000",
            "An application error has occurred while processing your request",
            "System Failure Error: injected",
            kind="SystemFault",
        )
        return _json(status, dumps({"Fault": fault.body(), "time": self._parts.clock.now().isoformat()}), tid)

    async def _hold(self, request: web.Request, seconds: float) -> None:
        """Keep the client waiting, at most until it leaves."""
        clock = self._parts.base_clock
        ends = clock.monotonic() + seconds
        while clock.monotonic() < ends and request.transport is not None and not request.transport.is_closing():
            await clock.sleep(min(DISCONNECT_POLL_SECONDS, max(0.0, ends - clock.monotonic())))

    async def _later(self, call: Call, seconds: float) -> None:
        await self._parts.clock.sleep(seconds)
        answer = self._parts.service.execute(call)
        self._note(call, "", "", answer.status, "late_effect landed", self._transaction())

    def _transaction(self) -> str:
        return transaction_id(self._parts.entropy)

    def _record(self, request: web.Request, call: Call, status: int, outcome: str, tid: str) -> None:
        self._note(call, request.method, request.path_qs[:500], status, outcome, tid)

    def _note(self, call: Call, method: str, path: str, status: int, outcome: str, tid: str) -> None:
        stats = self._parts.stats
        stats.record(
            CallRecord(
                sequence=stats.next_call(),
                at=self._parts.clock.now(),
                method=method,
                path=path,
                kind=call.kind,
                entity=call.entity,
                request_id=call.request_id,
                items=call.items,
                status=status,
                outcome=outcome,
                intuit_tid=tid,
            )
        )


def transaction_id(entropy: Entropy) -> str:
    """A value of the `intuit_tid` header."""
    random = entropy.token_bytes(16).hex()
    return f"1-{random[:8]}-{random[8:]}"


def _json(status: int, body: bytes, tid: str) -> web.Response:
    return web.Response(
        status=status, body=body, content_type="application/json", charset="utf-8", headers={"intuit_tid": tid}
    )


def _drop(request: web.Request) -> web.Response:
    """Break the connection; the client never sees the answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _target(call: Call, raw: bytes) -> Target:
    if call.kind != "batch":
        entity = frozenset({call.entity}) if call.entity else frozenset[str]()
        if call.kind == "query":
            entity = frozenset(spec.name for word in call.text.split() if (spec := BY_PATH.get(word.lower())))
        return Target(entity, frozenset({call.kind}), batch=False, text=raw.decode(errors="replace"))
    items = [as_object(item) for item in as_list((call.body or {}).get("BatchItemRequest"))]
    entities = {BY_PATH[name.lower()].name for item in items for name in item if name.lower() in BY_PATH}
    operations = {as_text(item.get("operation")).lower() or "query" for item in items}
    return Target(frozenset(entities), frozenset({"batch", *operations}), batch=True, text=raw.decode(errors="replace"))


def _named_records(call: Call) -> Iterator[tuple[str, str]]:
    """The records that a write names by Id."""
    if call.kind == "batch":
        for item in as_list((call.body or {}).get("BatchItemRequest")):
            for name, body in as_object(item).items():
                spec = BY_PATH.get(name.lower())
                if spec is not None:
                    yield spec.name, as_text(as_object(body).get("Id"))
    elif call.entity and call.body is not None:
        yield call.entity, as_text(call.body.get("Id"))
