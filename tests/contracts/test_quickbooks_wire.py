"""What the client sends, byte for byte, and what it concludes from every way an exchange can end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from yarl import URL

from counterfoil.clock import SystemClock
from counterfoil.dispatch.limiter import Lane, LimiterSettings
from counterfoil.quickbooks.online.faults import FaultKind
from counterfoil.quickbooks.online.operations import Operation, OperationError
from counterfoil.quickbooks.online.outcomes import (
    Accepted,
    NotSent,
    NotSentKind,
    ReadFailed,
    Rejected,
    Uncertain,
    WriteOutcome,
)
from counterfoil.quickbooks.online.query import select
from counterfoil.quickbooks.online.transport import Lost, exchange
from support.quickbooks_double import (
    COMPANY,
    Connected,
    ScriptedServer,
    break_off,
    connected_client,
    fault,
    hang_up,
    say,
    scripted_server,
)

INVOICE = b'{"Line":[{"Amount":10.50}],  "CustomerRef":{"value":"3"}}'
EXPIRED = json.dumps(
    {"fault": {"error": [{"message": "AuthenticationFailed; errorCode=003200", "code": "3200"}], "type": "AUTH"}}
)
NEW_TOKENS = json.dumps(
    {
        "token_type": "bearer",
        "access_token": "access-second",
        "expires_in": 3600,
        "refresh_token": "RT1-second",
        "x_refresh_token_expires_in": 8640000,
    }
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def quickbooks(server: ScriptedServer) -> AsyncIterator[Connected]:
    async with connected_client(server.url) as connected:
        yield connected


async def write(
    quickbooks: Connected,
    body: bytes = INVOICE,
    *,
    entity: str = "Invoice",
    operation: Operation = "create",
    patience: float = 10.0,
) -> WriteOutcome:
    deadline = quickbooks.clock.monotonic() + patience
    return await quickbooks.client.write(
        entity, body, request_id="r" * 32, operation=operation, lane=Lane.LIVE, deadline=deadline
    )


async def test_exactly_these_bytes_go_to_exactly_that_address(server: ScriptedServer, quickbooks: Connected) -> None:
    answer = '{"Invoice":{"Id":"145","SyncToken":"0","TotalAmt":1265793.0395000001},"time":"2026-11-01T09:00:00-08:00"}'
    server.play(say(answer))
    outcome = await write(quickbooks)
    assert isinstance(outcome, Accepted)
    assert (answer.encode(), "tid-1", 200) == (outcome.raw, outcome.intuit_tid, outcome.http_status)
    assert (outcome.document["Id"], str(outcome.document["TotalAmt"])) == ("145", "1265793.0395000001")
    (seen,) = server.seen
    assert (seen.method, seen.body) == ("POST", INVOICE)
    assert seen.path_qs == f"/v3/company/9130/invoice?requestid={'r' * 32}&minorversion=75"
    assert seen.headers["Accept"] == "application/json"
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["Authorization"] == "Bearer access-first"
    assert quickbooks.gate.snapshot().metered_reads == {}


@pytest.mark.parametrize(
    ("entity", "operation", "parameters"),
    [
        ("JournalEntry", "update", ""),
        ("JournalEntry", "delete", "operation=delete&"),
        ("Invoice", "void", "operation=void&"),
        ("Payment", "void", "operation=update&include=void&"),
        ("SalesReceipt", "void", "operation=update&include=void&"),
    ],
)
async def test_every_operation_has_its_form(
    server: ScriptedServer, quickbooks: Connected, entity: str, operation: Operation, parameters: str
) -> None:
    server.play(say(json.dumps({entity: {"Id": "1", "status": "Deleted"}})))
    assert isinstance(await write(quickbooks, entity=entity, operation=operation), Accepted)
    (seen,) = server.seen
    expected = f"/v3/company/9130/{entity.lower()}?requestid={'r' * 32}&{parameters}minorversion=75"
    assert expected == seen.path_qs


async def test_what_quickbooks_has_no_form_for_is_refused(quickbooks: Connected) -> None:
    for entity, operation in (("Customer", "delete"), ("JournalEntry", "void"), ("Paycheck", "create")):
        known: Operation = "delete" if operation == "delete" else "void" if operation == "void" else "create"
        with pytest.raises(OperationError):
            await write(quickbooks, entity=entity, operation=known)
    with pytest.raises(ValueError, match="request id"):
        await quickbooks.client.write(
            "Invoice", INVOICE, request_id="r" * 51, operation="create", lane=Lane.LIVE, deadline=1e9
        )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, fault("6240"), FaultKind.ADOPT),
        (400, fault("5010"), FaultKind.REFETCH),
        (200, fault("2300"), FaultKind.PARK),
        (403, fault("3100"), FaultKind.RECONNECT),
        (429, fault("3001"), FaultKind.THROTTLED),
        (400, fault("600"), FaultKind.LOOK_UP),
        (404, "<html>nothing here</html>", FaultKind.PARK),
    ],
)
async def test_a_stated_fault_rejects(
    server: ScriptedServer, quickbooks: Connected, status: int, body: str, kind: FaultKind
) -> None:
    server.play(say(body, status=status))
    outcome = await write(quickbooks)
    assert isinstance(outcome, Rejected)
    assert (kind, status, "tid-1") == (outcome.fault.kind, outcome.http_status, outcome.intuit_tid)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (500, fault("10000"), "application/json"),
        (502, "<html>Bad gateway</html>", "text/html"),
        (504, "", "text/plain"),
        (200, "<html>Welcome</html>", "text/html"),
        (200, '{"Invoice":', "application/json"),
        (200, "{}", "application/json"),
        (200, '{"Invoice":{}}', "application/json"),
    ],
)
async def test_what_proves_nothing_is_uncertain(
    server: ScriptedServer, quickbooks: Connected, status: int, body: str, content_type: str
) -> None:
    server.play(say(body, status=status, content_type=content_type))
    outcome = await write(quickbooks)
    assert isinstance(outcome, Uncertain)
    assert outcome.intuit_tid == "tid-1"
    assert len(server.seen) == 1


async def test_a_lost_answer_is_uncertain_and_not_repeated(server: ScriptedServer, quickbooks: Connected) -> None:
    for answer in (hang_up, break_off):
        server.seen.clear()
        server.play(answer)
        assert isinstance(await write(quickbooks), Uncertain)
        assert len(server.seen) == 1
    assert quickbooks.gate.snapshot().in_flight == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"",
    ],
    ids=["no HTTP", "no length", "no gzip", "no chunk", "long header", "redirect", "nothing"],
)
async def test_broken_http_is_uncertain(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(INVOICE)
        writer.write(answer)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with connected_client(f"http://127.0.0.1:{port}") as quickbooks:
            outcome = await write(quickbooks)
    assert isinstance(outcome, Uncertain)
    assert (quickbooks.gate.snapshot().in_flight, quickbooks.gate.snapshot().used) == (0, 1)


async def test_an_endless_answer_is_cut_off(
    server: ScriptedServer, quickbooks: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.quickbooks.online.transport.ANSWER_BYTES_MAX", 1_000_000)
    server.play(say(b" " * 1_000_001))
    outcome = await write(quickbooks)
    assert isinstance(outcome, Uncertain)
    assert "1000000 bytes" in outcome.reason


async def test_a_slow_answer_is_uncertain_at_the_deadline(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say('{"Invoice":{"Id":"1"}}', delay=30))
    before = SystemClock().monotonic()
    outcome = await write(quickbooks, patience=0.4)
    assert isinstance(outcome, Uncertain)
    assert SystemClock().monotonic() - before < 10
    assert len(server.seen) == 1


async def test_a_refused_connection_sent_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with connected_client(address) as quickbooks:
        outcome = await write(quickbooks)
    assert isinstance(outcome, NotSent)
    assert outcome.kind is NotSentKind.UNREACHABLE
    assert quickbooks.gate.snapshot().used == 0


async def test_a_passed_deadline_sends_nothing(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say("{}"))
    outcome = await write(quickbooks, patience=-1)
    assert isinstance(outcome, NotSent)
    assert server.seen == []


class StalledClock(SystemClock):
    """The process is stopped for an hour between one look at the clock and the next."""

    def __init__(self) -> None:
        self.looks_before_the_stop = 10**9

    def monotonic(self) -> float:
        self.looks_before_the_stop -= 1
        return super().monotonic() + (3600 if self.looks_before_the_stop < 0 else 0)


async def test_a_process_that_stalls_on_its_way_never_sends_late(server: ScriptedServer) -> None:
    """Wherever the process stops before the bytes leave, none leave after the deadline."""
    server.play(say('{"Invoice":{"Id":"1"}}'))
    refused: list[NotSentKind] = []
    while not server.seen:
        clock = StalledClock()
        async with connected_client(server.url, clock=clock) as quickbooks:
            deadline = clock.monotonic() + 10
            clock.looks_before_the_stop = len(refused)
            outcome = await quickbooks.client.write(
                "Invoice", INVOICE, request_id="r", operation="create", lane=Lane.LIVE, deadline=deadline
            )
        if not server.seen:
            assert isinstance(outcome, NotSent)
            refused.append(outcome.kind)
    # The stop was moved on until it came after the bytes: the last look before that was at the body itself.
    assert len(refused) > 3
    assert refused[-1] is NotSentKind.DEADLINE


class StallingResolver(AbstractResolver):
    """While an address is looked up, the process is stopped for an hour."""

    def __init__(self, clock: StalledClock) -> None:
        self._clock = clock

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self._clock.looks_before_the_stop = 0
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


async def test_a_stall_while_connecting_sends_nothing(server: ScriptedServer) -> None:
    server.play(say("{}"))
    clock = StalledClock()
    connector = aiohttp.TCPConnector(resolver=StallingResolver(clock))
    async with aiohttp.ClientSession(connector=connector) as session:
        result = await exchange(
            session,
            "POST",
            URL(server.url).with_host("quickbooks.test"),
            headers={},
            body=INVOICE,
            content_type="application/json",
            clock=clock,
            deadline=clock.monotonic() + 30,
        )
    assert isinstance(result, Lost)
    assert (result.sent, result.late) == (False, True)
    assert server.seen == []


async def test_a_401_is_refreshed_and_replayed_once_with_the_same_request(
    server: ScriptedServer, quickbooks: Connected
) -> None:
    server.play(say(EXPIRED, status=401), say(NEW_TOKENS), say('{"Invoice":{"Id":"1"}}'))
    assert isinstance(await write(quickbooks), Accepted)
    first, refresh, second = server.seen
    assert (first.path_qs, first.body) == (second.path_qs, second.body)
    assert refresh.path_qs == "/token"
    assert refresh.body == b"grant_type=refresh_token&refresh_token=RT1-first"
    # base64 of client-id:client-secret
    assert refresh.headers["Authorization"] == "Basic Y2xpZW50LWlkOmNsaWVudC1zZWNyZXQ="
    assert second.headers["Authorization"] == "Bearer access-second"
    stored = await quickbooks.store.get(COMPANY)
    assert stored is not None
    assert (stored.generation, stored.refresh_token.get_secret_value()) == (2, "RT1-second")


async def test_a_second_401_means_reconnect(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say(EXPIRED, status=401), say(NEW_TOKENS), say(EXPIRED, status=401))
    outcome = await write(quickbooks)
    assert isinstance(outcome, Rejected)
    assert outcome.fault.kind is FaultKind.RECONNECT
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (say('{"error":"invalid_grant"}', status=400), NotSentKind.RECONNECT),
        (say('{"error":"invalid_client"}', status=401), NotSentKind.NOT_AUTHORISED),
        (say("<html>503</html>", status=503, content_type="text/html"), NotSentKind.NOT_AUTHORISED),
        (say('{"error":"invalid_grant"}'), NotSentKind.NOT_AUTHORISED),
        (say('{"access_token":"a","expires_in":3600}'), NotSentKind.NOT_AUTHORISED),
        (say('{"access_token":"a\\nb","expires_in":3600,"refresh_token":"r"}'), NotSentKind.NOT_AUTHORISED),
        (say('{"access_token":"a","expires_in":-1,"refresh_token":"r"}'), NotSentKind.NOT_AUTHORISED),
        (say("x" * 100_000), NotSentKind.NOT_AUTHORISED),
        (hang_up, NotSentKind.NOT_AUTHORISED),
    ],
    ids=[
        "dead",
        "wrong keys",
        "gateway",
        "error in a 200",
        "no refresh token",
        "two lines",
        "no time",
        "too long",
        "no answer",
    ],
)
async def test_without_a_token_nothing_is_sent(server: ScriptedServer, answer: object, kind: NotSentKind) -> None:
    assert callable(answer)
    server.play(answer)
    async with connected_client(server.url, refreshed=False) as quickbooks:
        outcome = await write(quickbooks)
        stored = await quickbooks.store.get(COMPANY)
    assert isinstance(outcome, NotSent)
    assert outcome.kind is kind
    assert {"/token"} == {seen.path_qs for seen in server.seen}
    assert stored is not None
    assert stored.generation == 1


async def test_a_429_stops_everybody(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say(fault("3001"), status=429))
    assert isinstance(await write(quickbooks), Rejected)
    outcome = await write(quickbooks)
    assert isinstance(outcome, NotSent)
    assert outcome.kind is NotSentKind.PAUSED
    assert outcome.retry_after_seconds is not None
    assert 50 < outcome.retry_after_seconds < 70
    assert len(server.seen) == 1


async def test_a_permit_from_before_a_429_is_not_used_after_it(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say('{"Invoice":{"Id":"1"}}'))
    permit = await quickbooks.gate.acquire(Lane.LIVE)
    quickbooks.gate.throttled()
    outcome = await quickbooks.client.write(
        "Invoice",
        INVOICE,
        request_id="r",
        operation="create",
        lane=Lane.LIVE,
        deadline=quickbooks.clock.monotonic() + 10,
        permit=permit,
    )
    assert isinstance(outcome, NotSent)
    assert outcome.kind is NotSentKind.PAUSED
    assert server.seen == []
    assert (quickbooks.gate.snapshot().in_flight, quickbooks.gate.snapshot().used) == (0, 0)


async def test_not_even_a_read_leaves_once_the_company_may_be_another_s(
    server: ScriptedServer, quickbooks: Connected
) -> None:
    """A process that was halted wakes with a free gate; whoever holds the company by then has none to spare for it."""
    server.play(say('{"Invoice":{"Id":"1"}}'))
    ends = quickbooks.clock.monotonic() + 3600
    with quickbooks.gate.held(lambda: ends):
        assert not isinstance(await write(quickbooks), NotSent)
        ends = quickbooks.clock.monotonic()
        read = await quickbooks.client.read("Invoice", "1", Lane.LIVE)
        written = await write(quickbooks)
    assert isinstance(read, ReadFailed)
    assert isinstance(written, NotSent)
    assert written.kind is NotSentKind.DEADLINE
    assert len(server.seen) == 1
    assert (quickbooks.gate.snapshot().in_flight, quickbooks.gate.snapshot().used) == (0, 1)
    assert not isinstance(await write(quickbooks), NotSent)


async def test_a_full_gate_is_said_so(server: ScriptedServer) -> None:
    server.play(say('{"Invoice":{"Id":"1"}}'))
    limits = LimiterSettings(requests_per_minute=1, ceiling=1.0, live_reserve=0)
    async with connected_client(server.url, settings=limits) as quickbooks:
        assert isinstance(await write(quickbooks), Accepted)
        outcome = await write(quickbooks, patience=0.2)
    assert isinstance(outcome, NotSent)
    assert outcome.kind is NotSentKind.LIMITED


async def test_a_cancelled_write_gives_its_slot_back(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say("{}", delay=30))
    writing = asyncio.create_task(write(quickbooks, patience=60))
    while not server.seen:
        await asyncio.sleep(0.01)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert (quickbooks.gate.snapshot().in_flight, quickbooks.gate.snapshot().used) == (0, 1)


async def test_spans_tell_what_was_called_and_nothing_secret(server: ScriptedServer) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    server.play(say(EXPIRED, status=401), say(NEW_TOKENS), say('{"Invoice":{"Id":"1"}}'))
    async with connected_client(server.url, tracer=provider.get_tracer("test")) as quickbooks:
        await write(quickbooks, b'{"PrivateNote":"very private"}')
        server.play(say('{"QueryResponse":{}}'))
        await quickbooks.client.query(select("Customer").where("DisplayName", "=", "Ann Lee"), Lane.LIVE)
    provider.shutdown()
    first, second = exporter.get_finished_spans()
    assert first.attributes is not None
    prefix = "counterfoil.quickbooks."
    assert {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        f"{prefix}entity": "Invoice",
        f"{prefix}operation": "create",
        f"{prefix}request_id": "r" * 32,
        f"{prefix}lane": "live",
        f"{prefix}intuit_tid": "tid-1",
    } == dict(first.attributes)
    written = first.to_json() + second.to_json()
    for secret in ("very private", "access-", "RT1-", "client-secret", "Ann Lee"):
        assert secret not in written
