"""One call from end to end: slot, token, exchange, one replay after a 401; and what the gate must learn from it."""

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote

from opentelemetry.trace import Span, SpanKind, Tracer
from yarl import URL

from counterfoil.dispatch.limiter import CallKind, GateRefusedError, Lane, Permit, RealmGate
from counterfoil.ports import Clock
from counterfoil.quickbooks.online.access import AccessTokens, ReconnectNeededError, TokenUnavailableError
from counterfoil.quickbooks.online.answers import Answer, Faulty, Good, parse_answer
from counterfoil.quickbooks.online.faults import Fault, FaultKind
from counterfoil.quickbooks.online.oauth import TokenError
from counterfoil.quickbooks.online.operations import MINOR_VERSION
from counterfoil.quickbooks.online.outcomes import NotSent, NotSentKind, Uncertain
from counterfoil.quickbooks.online.transport import Exchange, Lost, exchange
from counterfoil.secrets.tokens import TokenSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiohttp

REALM_PAUSE_SECONDS: Final = 300.0
UNREACHABLE_RETRY_SECONDS: Final = 5.0
JSON: Final = "application/json"
_UNAUTHORIZED = 401
_TOKEN_CODES: Final = frozenset({"100", "110", "3200"})
_ATTRIBUTES: Final = "counterfoil.quickbooks."


@dataclass(slots=True)
class Realm:
    """A company's books at Intuit.

    Attributes:
        realm_id: Intuit's number of the company; "" until a consent has brought it.
        base_url: `https://quickbooks.api.intuit.com`, the sandbox's, or the emulator's.
        company: our number of the company.
    """

    realm_id: str
    base_url: str
    company: int


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be asked, without token and time."""

    name: str
    entity: str
    path: str
    lane: Lane
    deadline: float
    method: str = "POST"
    kind: CallKind = CallKind.SINGLE
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = JSON
    accept: str = JSON
    request_id: str = ""
    metered: int = 0
    permit: Permit | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer together with what it means."""

    exchange: Exchange
    answer: Answer


CallResult: TypeAlias = Reply | NotSent | Uncertain


class Calls:
    """Makes calls for one realm.

    Args:
        session: shared HTTP session.
        realm: whose books.
        tokens: access tokens of the connection.
        gate: the realm's limits.
        clock: measures deadlines.
        timeout_seconds: most for one exchange.
        tracer: one span per call, without bodies, tokens or names of people.
    """

    def __init__(
        self,
        session: "aiohttp.ClientSession",
        realm: Realm,
        tokens: AccessTokens,
        gate: RealmGate,
        *,
        clock: Clock,
        timeout_seconds: float,
        tracer: Tracer,
    ) -> None:
        self._session = session
        self._realm = realm
        self._tokens = tokens
        self._gate = gate
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._tracer = tracer

    async def make(self, call: Call) -> CallResult:
        """Make the call, and once more with a new token if QuickBooks does not know the first one."""
        with self._span(call) as span:
            result = await self._twice_at_most(call)
            _describe(span, result)
            return result

    async def _twice_at_most(self, call: Call) -> CallResult:
        try:
            tokens = await self._tokens.token()
        except TokenError as error:
            return _no_token(error)
        result = await self._once(call, tokens)
        if not isinstance(result, Reply) or not _token_refused(result):
            return result
        try:
            tokens = await self._tokens.token_after_rejection(tokens)
        except ReconnectNeededError:
            return result
        except TokenError as error:
            return _no_token(error)
        return await self._once(replace(call, permit=None), tokens)

    async def _once(self, call: Call, tokens: TokenSet) -> CallResult:
        try:
            permit = call.permit or await self._gate.acquire(call.lane, call.kind, deadline=call.deadline)
        except GateRefusedError as refusal:
            return NotSent(refusal.message, refusal.retry_after_seconds, _why_refused(refusal))
        rest = self._gate.rest_seconds()
        if rest > 0:
            # A permit that was waited for in advance may be older than the 429 that began the rest.
            permit.release(sent=False)
            return NotSent("sending to this QuickBooks company is paused", rest, NotSentKind.PAUSED)
        if not self._gate.may_leave():
            permit.release(sent=False)
            return NotSent("another process may hold this company by now", None, NotSentKind.DEADLINE)
        linger = self._gate.settings.unanswered_linger_seconds
        try:
            outcome = await exchange(
                self._session,
                call.method,
                self._url(call),
                headers=self._headers(call, tokens),
                body=call.body,
                content_type=call.content_type,
                clock=self._clock,
                deadline=min(call.deadline, self._clock.monotonic() + self._timeout_seconds),
            )
            _release(permit, outcome, linger)
        finally:
            # After a cancellation nobody knows how far the call came.
            permit.release(answered=False, linger_seconds=linger)
        if isinstance(outcome, Lost):
            return _lost(outcome)
        reply = Reply(outcome, parse_answer(outcome.body, outcome.content_type, outcome.status))
        self._learn(call, reply)
        return reply

    def note_fault(self, fault: Fault) -> None:
        """Let the gate learn from a fault, of a whole call or of one item of a batch."""
        if fault.kind is FaultKind.THROTTLED:
            self._gate.throttled()
        elif fault.kind is FaultKind.PAUSE_REALM:
            self._gate.pause(REALM_PAUSE_SECONDS)

    def _learn(self, call: Call, reply: Reply) -> None:
        if isinstance(reply.answer, Faulty):
            self.note_fault(reply.answer.fault)
        elif call.metered and (isinstance(reply.answer, Good) or call.accept != JSON):
            self._gate.count_metered(call.metered)

    def _url(self, call: Call) -> URL:
        parameters = {**call.parameters, "minorversion": MINOR_VERSION}
        if call.request_id:
            parameters = {"requestid": call.request_id, **parameters}
        # Every reserved character is escaped, blanks as %20: a plus would have to be guessed at.
        encoded = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in parameters.items())
        base = self._realm.base_url.rstrip("/")
        path = f"/v3/company/{quote(self._realm.realm_id, safe='')}/{call.path}"
        return URL(f"{base}{path}?{encoded}", encoded=True)

    def _headers(self, call: Call, tokens: TokenSet) -> dict[str, str]:
        return {
            "Accept": call.accept,
            "Authorization": f"Bearer {tokens.access_token.get_secret_value()}",
        }

    @contextmanager
    def _span(self, call: Call) -> "Iterator[Span]":
        attributes = {
            "http.request.method": call.method,
            f"{_ATTRIBUTES}entity": call.entity,
            f"{_ATTRIBUTES}operation": call.name,
            f"{_ATTRIBUTES}request_id": call.request_id,
            f"{_ATTRIBUTES}lane": call.lane.name.lower(),
        }
        with self._tracer.start_as_current_span(
            f"quickbooks {call.name}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            # The texts of foreign exceptions may hold what was sent.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span


def _why_refused(refusal: GateRefusedError) -> NotSentKind:
    if refusal.over_budget:
        return NotSentKind.BUDGET
    return NotSentKind.PAUSED if refusal.paused else NotSentKind.LIMITED


def _release(permit: Permit, outcome: Exchange | Lost, linger_seconds: float) -> None:
    if isinstance(outcome, Exchange):
        permit.release()
    else:
        permit.release(sent=outcome.sent, answered=False, linger_seconds=linger_seconds)


def _lost(lost: Lost) -> NotSent | Uncertain:
    if lost.sent:
        return Uncertain(lost.reason)
    if lost.late:
        return NotSent(lost.reason, None, NotSentKind.DEADLINE)
    return NotSent(lost.reason, UNREACHABLE_RETRY_SECONDS, NotSentKind.UNREACHABLE)


def _no_token(error: TokenError) -> NotSent:
    if isinstance(error, ReconnectNeededError):
        return NotSent(str(error), None, NotSentKind.RECONNECT)
    wait = error.retry_after_seconds if isinstance(error, TokenUnavailableError) else None
    return NotSent(str(error), wait, NotSentKind.NOT_AUTHORISED)


def _token_refused(reply: Reply) -> bool:
    if reply.exchange.status == _UNAUTHORIZED:
        return True
    return isinstance(reply.answer, Faulty) and reply.answer.fault.code in _TOKEN_CODES


def _describe(span: Span, result: CallResult) -> None:
    if isinstance(result, Reply):
        span.set_attribute("http.response.status_code", result.exchange.status)
        span.set_attribute(f"{_ATTRIBUTES}intuit_tid", result.exchange.intuit_tid or "")
        if isinstance(result.answer, Faulty):
            span.set_attribute(f"{_ATTRIBUTES}fault", result.answer.fault.code)
    else:
        span.set_attribute(f"{_ATTRIBUTES}outcome", type(result).__name__)
