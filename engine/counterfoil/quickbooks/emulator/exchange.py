"""One request to the accounting API, from token to answer, without sockets.

Who asks, whether it is too much, what goes wrong on purpose, and the answer. `api` puts HTTP around it; a
simulation calls it as it is, in virtual time.
"""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass

from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import BY_PATH
from counterfoil.quickbooks.emulator.forms import Form, form_wanted, put_into
from counterfoil.quickbooks.emulator.injection import FaultBoard, FaultRule, Target
from counterfoil.quickbooks.emulator.limits import Limiter
from counterfoil.quickbooks.emulator.oauth import TokenOffice
from counterfoil.quickbooks.emulator.reading import understand
from counterfoil.quickbooks.emulator.service import Call, Service
from counterfoil.quickbooks.emulator.stats import CallRecord, Stats
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil.quickbooks.emulator.views import precise_stamp
from counterfoil_schema.exact_json import JsonObject

UPLOAD_BYTES_MAX = 100 * 1024 * 1024
CLIENT_PATIENCE_SECONDS = 150.0
DISCONNECT_POLL_SECONDS = 0.02
TOKEN_LENGTHS = range(20, 4097)
METERED = frozenset({"read", "query", "cdc", "report"})

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
class ExchangeParts:
    """What an exchange stands on."""

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
    latency_seconds: float = 0.0
    unasked: Form = "xml"


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request.

    Attributes:
        tail: the address behind the realm.
        oversized: the body was longer than is taken, and what there is of it is worth nothing.
        gone: whether the client has left.
        accept, content_type: what form the answer is to have, and what form the body has.
    """

    method: str
    realm: str
    tail: str
    parameters: Mapping[str, str]
    authorization: str
    body: bytes
    path: str = ""
    oversized: bool = False
    gone: Callable[[], bool] = _never
    accept: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An answer; status 0 means that the connection breaks without one."""

    status: int
    body: bytes
    content_type: str
    intuit_tid: str

    @property
    def dropped(self) -> bool:
        return self.status == 0


class Exchange:
    """Answers requests."""

    def __init__(self, parts: ExchangeParts) -> None:
        self._parts = parts

    async def answer(self, incoming: Incoming) -> Outgoing:
        """One request from token to answer."""
        parts = self._parts
        parts.limiter.enter()
        tid = transaction_id(parts.entropy)
        call = understand(incoming.method, incoming.tail, incoming.parameters, incoming.body)
        outcome = ""
        try:
            self._admit(incoming, call)
            outcome, outgoing = await self._answered(incoming, call, tid)
        except faults.GatewayFaultError as fault:
            outcome = fault.name
            epoch = int(parts.clock.now().timestamp() * 1000)
            outgoing = self._outgoing(incoming, fault.status, fault.body(epoch), tid)
        finally:
            parts.limiter.leave()
        self._note(call, incoming.method, incoming.path[:500], outgoing.status, outcome, tid)
        return outgoing

    def _admit(self, incoming: Incoming, call: Call) -> None:
        parts = self._parts
        scheme, _, token = incoming.authorization.partition(" ")
        if scheme.lower() != "bearer" or len(token) not in TOKEN_LENGTHS:
            raise faults.token_refused("Malformed bearer token: too short or too long")
        if not parts.office.access_is_good(token):
            raise faults.token_refused()
        if incoming.realm != parts.realm_id:
            raise faults.realm_refused()
        parts.limiter.other_app_per_minute = parts.board.other_app()
        # The request itself is among those in flight; the limit is about the others.
        parts.limiter.in_flight -= 1
        broken = parts.limiter.admit(batch=call.kind == "batch", mail=call.kind == "send") or self._spent(call)
        parts.limiter.in_flight += 1
        if broken:
            parts.stats.throttled_by[broken] += 1
            raise faults.throttled()

    def _spent(self, call: Call) -> str:
        """Whether the month's billed reads are used up, and this would be another."""
        numbers, stats = self._parts.limiter.numbers, self._parts.stats
        over = numbers.enabled and 0 < numbers.metered_per_month <= stats.metered_in_month(self._parts.clock.now())
        return "metered_per_month" if over and call.kind in METERED else ""

    async def _answered(self, incoming: Incoming, call: Call, tid: str) -> tuple[str, Outgoing]:
        parts = self._parts
        parts.stats.count(call.kind)
        if parts.latency_seconds:
            await parts.base_clock.sleep(parts.latency_seconds)
        if incoming.oversized:
            return "6030", self._faulted(incoming, faults.upload_too_large(UPLOAD_BYTES_MAX), tid)
        blow: FaultRule | None = None
        for rule in parts.board.hits(_target(call, incoming.body)):
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
            if answer.content is not None:
                return "", Outgoing(answer.status, answer.content, answer.content_type, tid)
            return "", self._outgoing(incoming, answer.status, answer.body, tid)
        return blow.kind, await self._blow(incoming, call, blow, tid)

    async def _blow(self, incoming: Incoming, call: Call, rule: FaultRule, tid: str) -> Outgoing:
        parts = self._parts
        match rule.kind:
            case "throttle":
                parts.stats.throttled_by["injected"] += 1
                raise faults.throttled()
            case "auth_expired":
                raise faults.token_refused()
            case "fault":
                return self._faulted(incoming, rule.fault(), tid)
            case "lost_answer":
                parts.service.execute(call)
                await self._hold(incoming, rule.hold_seconds or 0.0)
                return Outgoing(0, b"", "", tid)
            case "late_effect":
                await self._hold(incoming, CLIENT_PATIENCE_SECONDS if rule.hold_seconds is None else rule.hold_seconds)
                parts.spawn(self._later(call, rule.seconds if rule.seconds is not None else 1.0))
                return Outgoing(0, b"", "", tid)
            case _:
                if rule.effect:
                    parts.service.execute(call)
                return self._broken_answer(incoming, rule, tid)

    def _outgoing(self, incoming: Incoming, status: int, body: JsonObject, tid: str) -> Outgoing:
        """An answer in the form that was asked for."""
        form = form_wanted(incoming.accept, incoming.content_type, self._parts.unasked)
        content, content_type = put_into(
            form, body, time=precise_stamp(self._parts.clock.now(), self._parts.books.zone)
        )
        return Outgoing(status, content, content_type, tid)

    def _faulted(
        self, incoming: Incoming, fault: faults.GatewayFaultError | faults.QuickBooksFaultError, tid: str
    ) -> Outgoing:
        now = self._parts.clock.now()
        if isinstance(fault, faults.GatewayFaultError):
            body = fault.body(int(now.timestamp() * 1000))
        else:
            body = {"Fault": fault.body(), "time": now.isoformat()}
        return self._outgoing(incoming, fault.status, body, tid)

    def _broken_answer(self, incoming: Incoming, rule: FaultRule, tid: str) -> Outgoing:
        if rule.kind == "html_error":
            status = rule.status or 502
            text = HTML.format(status=status, reason=REASONS.get(status, "Error"))
            return Outgoing(status, text.encode(), "text/html", tid)
        if rule.kind == "xml_fault":
            text = XML.format(time=self._parts.clock.now().isoformat())
            status = rule.status or 500
            return Outgoing(status, text.encode(), "application/xml", tid)
        status = rule.status or 500
        fault = faults.QuickBooksFaultError(
            "10000",
            "An application error has occurred while processing your request",
            "System Failure Error: injected",
            kind="SystemFault",
        )
        body: JsonObject = {"Fault": fault.body(), "time": self._parts.clock.now().isoformat()}
        return self._outgoing(incoming, status, body, tid)

    async def _hold(self, incoming: Incoming, seconds: float) -> None:
        """Keep the client waiting, at most until it leaves."""
        clock = self._parts.base_clock
        ends = clock.monotonic() + seconds
        while clock.monotonic() < ends and not incoming.gone():
            await clock.sleep(min(DISCONNECT_POLL_SECONDS, max(0.0, ends - clock.monotonic())))

    async def _later(self, call: Call, seconds: float) -> None:
        await self._parts.clock.sleep(seconds)
        answer = self._parts.service.execute(call)
        self._note(call, "", "", answer.status, "late_effect landed", transaction_id(self._parts.entropy))

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
