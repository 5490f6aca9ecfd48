"""Malformed requests to every route of the engine: refused with a reason, and nothing that was acknowledged is lost."""

import asyncio
import base64
import gc
import hashlib
import hmac
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from counterfoil.engine import Engine
from counterfoil.http.health import health_routes
from counterfoil.settings import CompanySettings, QuickBooksSettings, Settings, SourceSettings, WebhookSettings
from counterfoil_schema.events.receipts import WebhookReceived
from support.postgres import Server, fresh_database
from support.raw_http import (
    EXPECTATIONS,
    FRAMINGS,
    Answer,
    Request,
    awkward_json,
    awkward_text,
    exchange,
    framing_headers,
    headers,
    methods,
    query_string,
    raw_bodies,
    segments,
)

EXAMPLES = 250
MANY = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""Each of the six tests below sends so many at least: fifteen hundred."""

TOKEN = "00faeec4-08d0-4996-bb37-698ae19f0149"
HUBSPOT_SECRET = "3e1c8bf5-hubspot"
REALM = "9130347596842384"
PATIENCE = 0.3
MAPPING = """
[connection]
source = "{source}"
zone = "America/New_York"
currency = "USD"

[{kind}]
from = ["{kinds}"]
"""


@dataclass
class Served:
    """An engine that is open, and not at work, in a loop of its own."""

    runner: asyncio.Runner
    engine: Engine
    port: int

    def send(self, request: Request, *, patience: float | None = None) -> Answer:
        """Send it; a server error, and an answer that does not come, fail the test."""
        answer = self.runner.run(exchange(self.port, request.encoded(), patience=patience))
        assert answer.status < 500, (request, answer)
        assert answer.status or patience is not None, request
        return answer

    def deliver(self, body: bytes, more: dict[str, str] | None = None) -> Answer:
        """A delivery that Intuit signed."""
        signature = base64.b64encode(hmac.digest(TOKEN.encode(), body, hashlib.sha256)).decode()
        return self.send(Request("POST", "/hooks/quickbooks", {"intuit-signature": signature, **(more or {})}, body))

    def recorded(self) -> list[WebhookReceived]:
        """All deliveries that the log holds, of all companies."""

        async def read() -> list[WebhookReceived]:
            found = [
                await recorded.event()
                for company in (0, 1)
                for recorded in await self.engine.reader.read(company, limit=100_000)
            ]
            return [event for event in found if isinstance(event, WebhookReceived)]

        return self.runner.run(read())


@pytest.fixture(scope="module")
def served(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(_opened(runner, stack, postgres_server, tmp_path_factory.mktemp("engine")))
        finally:
            runner.run(stack.aclose())


async def _opened(runner: asyncio.Runner, stack: AsyncExitStack, server: Server, home: Path) -> Served:
    database = await stack.enter_async_context(fresh_database(server))
    quickbooks = QuickBooksSettings(
        realm_id=REALM,
        client_id=SecretStr("id"),
        client_secret=SecretStr("secret"),
        verifier_token=SecretStr(TOKEN),
        base_url="http://127.0.0.1:9",
    )
    hubspot = SourceSettings(
        adapter="hubspot",
        mapping=MAPPING.format(source="hubspot", kind="customer", kinds="company"),
        options={"access_token": SecretStr("pat"), "client_secret": SecretStr(HUBSPOT_SECRET)},
    )
    gusto = SourceSettings(
        adapter="gusto",
        mapping=MAPPING.format(source="gusto", kind="employee", kinds="employee"),
        options={
            "company_uuid": "u",
            "access_token": SecretStr("token"),
            "verification_token": SecretStr("verification"),
        },
    )
    company = CompanySettings(
        company=1, name="Shelf", quickbooks=quickbooks, sources={"hubspot": hubspot, "gusto": gusto}
    )
    told = Settings(
        home=home,
        dsn=database.engine_dsn,
        companies=(company,),
        webhooks=WebhookSettings(deliveries_per_second=10_000, answer_seconds=60),
    )
    engine = await stack.enter_async_context(Engine(told))
    host = web.Application()
    host.add_subapp("/hooks", engine.webhooks)
    host.add_subapp("/connect", engine.connecting)
    health_routes(host, engine.health)
    web_runner = web.AppRunner(host, access_log=None)
    await web_runner.setup()
    stack.push_async_callback(web_runner.cleanup)
    await web.TCPSite(web_runner, "127.0.0.1", 0).start()
    return Served(runner, engine, web_runner.addresses[0][1])


events = st.dictionaries(
    st.sampled_from(["specversion", "id", "source", "type", "time", "intuitentityid", "intuitaccountid", "data"]),
    awkward_json | st.sampled_from(["qbo.invoice.created.v1", "qbo.customer.merged.v1", REALM, "7", "1.0"]),
    max_size=8,
)
whole_events = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["qbo.invoice.created.v1", "qbo.customer.merged.v1", "qbo.bill.void.v1", "qbo.x.y.v1"]),
        "id": awkward_text,
        "intuitaccountid": st.sampled_from([REALM, "1", "", "\x00"]) | awkward_text,
        "intuitentityid": st.sampled_from(["7", 7, "", "7\x00", None]) | awkward_text,
    },
    optional={"time": awkward_text, "data": st.fixed_dictionaries({"deletedid": awkward_json})},
)  # fmt: skip
older = st.fixed_dictionaries(
    {
        "eventNotifications": awkward_json
        | st.lists(
            st.fixed_dictionaries(
                {"realmId": st.just(REALM) | awkward_json},
                optional={
                    "dataChangeEvent": awkward_json
                    | st.fixed_dictionaries(
                        {
                            "entities": awkward_json
                            | st.lists(
                                st.dictionaries(
                                    st.sampled_from(["name", "id", "operation", "lastUpdated", "deletedId"]),
                                    awkward_json | st.sampled_from(["Invoice", "Update", "7"]),
                                ),
                                max_size=3,
                            )
                        }
                    )
                },
            ),
            max_size=3,
        )
    }
)
deliveries = st.one_of(
    raw_bodies,
    st.lists(events | whole_events, max_size=4).map(lambda value: json.dumps(value).encode()),
    older.map(lambda value: json.dumps(value).encode()),
)


@pytest.mark.parametrize(
    ("target", "head", "options"),
    [
        ("/health", 200, 405),
        ("/ready", 503, 405),
        ("/hooks/quickbooks", 405, 405),
        ("/hooks/sources/1/hubspot", 405, 405),
        ("/connect/quickbooks/1", 405, 405),
        ("/connect/quickbooks/callback", 405, 405),
        ("/nothing", 404, 404),
    ],
)
def test_what_is_asked_about_addresses_is_answered(served: Served, target: str, head: int, options: int) -> None:
    for method, status in (("HEAD", head), ("OPTIONS", options)):
        answer = served.runner.run(exchange(served.port, Request(method, target).encoded()))
        assert (answer.status, answer.body if method == "HEAD" else b"") == (status, b""), (method, target)


@MANY
@given(body=deliveries, transaction=awkward_text)
def test_what_intuit_signed_is_recorded_whatever_it_is(served: Served, body: bytes, transaction: str) -> None:
    header = "".join(one for one in transaction if 32 <= ord(one) < 256 and one != "\x7f")[:1_000]
    assert served.deliver(body, {"intuit-t-id": header}).status == 200


def test_everything_that_was_acknowledged_is_in_the_log(served: Served) -> None:
    known = len(served.recorded())
    good = {"type": "qbo.invoice.created.v1", "intuitaccountid": REALM, "intuitentityid": "7"}
    for number in range(50):
        bad = json.dumps([{"type": "qbo.invoice.created.v1", "number": number}]).encode()
        assert served.deliver(bad).status == 200
        assert served.deliver(json.dumps([{**good, "id": f"g{number}"}]).encode()).status == 200
    recorded = served.recorded()
    # What cannot be read is kept for company 0, and has company 1 swept.
    assert len(recorded) == known + 150
    assert sum(one.hints == () for one in recorded[-150:]) <= 50
    assert {hint.source_id for one in recorded for hint in one.hints if hint.kind == "Invoice"} >= {"7"}


@MANY
@given(body=deliveries, more=headers)
def test_what_nobody_signed_leaves_nothing(served: Served, body: bytes, more: dict[str, str]) -> None:
    assert served.send(Request("POST", "/hooks/quickbooks", more, body)).status in {400, 401}


@MANY
@given(
    company=st.just("1") | st.sampled_from(["0", "2", "9" * 18, "9" * 5_000, "01", "-1", "%31"]),
    connection=st.sampled_from(["hubspot", "gusto", "hubspot", "gusto", "quickbooks", "x"]) | segments,
    more=st.dictionaries(
        st.sampled_from(["X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp", "X-HubSpot-Signature",
                         "X-HubSpot-Signature-Version", "X-Gusto-Signature"]),
        st.sampled_from(["", "v3", "9" * 30, "-1", "1e9", "\xe9\xff", "===="]) | st.text(
            st.characters(min_codepoint=32, max_codepoint=255), max_size=40
        ),
    ),
    body=raw_bodies,
)  # fmt: skip
def test_deliveries_to_sources(
    served: Served, company: str, connection: str, more: dict[str, str], body: bytes
) -> None:
    answer = served.send(Request("POST", f"/hooks/sources/{company}/{connection}", more, body))
    assert answer.status in {400, 401, 404}


source_events = st.dictionaries(
    st.sampled_from(["subscriptionType", "objectTypeId", "objectId", "portalId", "occurredAt", "primaryObjectId",
                     "mergedObjectIds", "uuid", "event_type", "resource_uuid", "entity_uuid", "timestamp"]),
    awkward_json | st.sampled_from(["company.propertyChange", "object.merge", "0-2", "u", "employee.updated", 512]),
    max_size=8,
)  # fmt: skip
GOOD_EVENT = {"subscriptionType": "company.propertyChange", "objectId": 512, "occurredAt": 1_764_000_000_000}


@MANY
@given(
    body=raw_bodies
    | source_events.map(lambda value: json.dumps(value).encode())
    | st.lists(source_events | st.just(GOOD_EVENT), max_size=4).map(lambda value: json.dumps(value).encode()),
)
def test_what_sources_signed_is_recorded_or_refused(served: Served, body: bytes) -> None:
    gusto = {"X-Gusto-Signature": hmac.new(b"verification", body, hashlib.sha256).hexdigest()}
    assert served.send(Request("POST", "/hooks/sources/1/gusto", gusto, body)).status in {200, 400}
    assert _hubspot(served, body).status in {200, 400}


def _hubspot(served: Served, body: bytes) -> Answer:
    """HubSpot's third signature: over method, address, body and time."""
    target, now = "/hooks/sources/1/hubspot", str(int(served.engine.clock.now().timestamp() * 1_000))
    signed = b"".join((b"POST", f"http://localhost{target}".encode(), body, now.encode()))
    signature = base64.b64encode(hmac.new(HUBSPOT_SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    more = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": now}
    return served.send(Request("POST", target, more, body))


def test_a_good_delivery_of_a_source_is_recorded(served: Served) -> None:
    before = len(served.recorded())
    assert _hubspot(served, json.dumps([{**GOOD_EVENT, "objectId": 7_512}]).encode()).status == 200
    assert len(served.recorded()) == before + 1
    assert served.recorded()[-1].hints[0].source_id == "7512"


@MANY
@given(
    path=st.sampled_from(["/connect/quickbooks/callback", "/health", "/ready", "/hooks/health", "/hooks/quickbooks"])
    | segments.map(lambda one: f"/connect/quickbooks/{one}"),
    asked=st.dictionaries(st.sampled_from(["code", "state", "realmId", "error"]), awkward_text, max_size=4),
    method=methods,
    cookie=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
)
def test_requests_to_connect_and_to_look(
    served: Served, path: str, asked: dict[str, str], method: str, cookie: str
) -> None:
    request = Request(method, path + query_string(asked), {"Cookie": f"counterfoil_consent={cookie}"})
    answer = served.runner.run(exchange(served.port, request.encoded()))
    # The engine is not at work, and says so where it is asked whether it is.
    assert answer.status < 500 or (path.endswith("ready") and answer.status == 503), request
    assert answer.status, request


@MANY
@given(
    target=st.sampled_from(["/hooks/quickbooks", "/hooks/sources/1/hubspot", "/health", "*", "//"]) | segments,
    more=framing_headers,
    method=methods,
    body=raw_bodies,
    ends=st.sampled_from(["\r\n", "\n", "\r"]),
)
def test_requests_that_are_hardly_http(
    served: Served, target: str, more: dict[str, str], method: str, body: bytes, ends: str
) -> None:
    served.send(Request(method, target, more, body, ends), patience=PATIENCE)


def test_an_expectation_that_is_no_text_is_refused_and_the_usual_one_met(served: Served) -> None:
    signature = base64.b64encode(hmac.digest(TOKEN.encode(), b"[]", hashlib.sha256).hex().encode()).decode()
    odd = Request("POST", "/hooks/quickbooks", {"Expect": "\x80"}, b"[]")
    assert served.send(odd, patience=PATIENCE).status == 417
    usual = Request("POST", "/hooks/quickbooks", {"Expect": "100-continue", "intuit-signature": signature}, b"[]")
    answer = served.send(usual, patience=PATIENCE)
    assert answer.status == 100
    assert b"does not match its body" in answer.body


def test_refused_deliveries_leave_nothing_in_memory_or_log(served: Served) -> None:
    def refuse(count: int) -> None:
        for number in range(count):
            body = b"x" * 500_000 + str(number).encode()
            assert served.send(Request("POST", "/hooks/quickbooks", {"intuit-signature": "AAAA"}, body)).status == 401
            assert served.send(Request("POST", "/hooks/sources/1/hubspot", {}, body)).status == 401
            too_large = Request("POST", "/hooks/quickbooks", {}, b"x" * 4_000_001)
            assert served.send(too_large, patience=PATIENCE).status in {0, 413}

    before = len(served.recorded())
    refuse(5)
    gc.collect()
    tracemalloc.start()
    try:
        held = tracemalloc.get_traced_memory()[0]
        refuse(30)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    # A hundred and fifty million bytes were sent.
    assert grown < 2_000_000
    assert before == len(served.recorded())


PLACES = [
    "/", "/nothing", "/health", "/hooks", "/hooks/", "/hooks/quickbooks", "/hooks/nothing",
    "/hooks/sources/1/hubspot", "/hooks/sources/x/y", "/connect/quickbooks/1", "/connect/quickbooks/callback",
    "/connect/x",
]  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
def test_what_is_expected_and_how_a_body_comes(served: Served, path: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "POST", "BREW"):
        for expectation in EXPECTATIONS:
            served.send(Request(method, path, {"Expect": expectation}, b"{}"))
        for framing in FRAMINGS:
            served.send(Request(method, path, framing.headers, framing.body), patience=PATIENCE)
