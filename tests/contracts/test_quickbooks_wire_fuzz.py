"""Whatever comes back, every call of the client ends in an outcome: 1,200 answers that nobody would send."""

import json
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from counterfoil.dispatch.limiter import Lane, LimiterSettings
from counterfoil.quickbooks.online.outcomes import (
    Accepted,
    BatchAnswered,
    ChangeSet,
    Found,
    NotFound,
    NotSent,
    QueryPage,
    ReadFailed,
    Rejected,
    Uncertain,
)
from counterfoil.quickbooks.online.papers import File
from counterfoil.quickbooks.online.query import select
from counterfoil.quickbooks.online.reports import Report, ReportError
from counterfoil_schema.exact_json import JsonValue
from support.quickbooks_double import Connected, ScriptedServer, connected_client, say, scripted_server

ANSWERS = 1_200
SEED = 20261129
ENDS = (
    *(Accepted, Rejected, Uncertain, NotSent, BatchAnswered, Found, NotFound, ReadFailed),
    *(QueryPage, ChangeSet, File, Report, ReportError),
)
WORDS = (
    *("Fault", "fault", "Error", "error", "code", "Message", "Detail", "element", "type", "Id", "SyncToken", "time"),
    *("QueryResponse", "CDCResponse", "BatchItemResponse", "bId", "Invoice", "AttachableResponse", "totalCount"),
    *("Header", "Rows", "Row", "Columns", "Column", "ColData", "value", "status", "Deleted", "startPosition"),
)
WIDE = LimiterSettings(
    requests_per_minute=10**6, combined_per_minute=10**6, batches_per_minute=10**6, requests_per_second=10**5
)
CODES = ("3200", "003001", "5010", "6240", "610", "130", "10000", "4002", "1040", "999999", "", "x", "-1", "\ud83d")
TYPES = ("application/json", "text/xml", "text/html", "text/plain", "application/pdf", "application/x-nonsense")
Call = Callable[[Connected, int], Awaitable[object]]


def dumps(value: object) -> bytes:
    """JSON that spells what no text holds, halves of surrogate pairs."""
    return json.dumps(value).encode()


def value(chance: random.Random, depth: int = 0) -> JsonValue:
    """Any JSON, made of the words that answers are made of."""
    kind = chance.randrange(7 if depth < 5 else 5)
    match kind:
        case 0:
            return None
        case 1:
            return chance.choice([True, False])
        case 2:
            return chance.choice([0, -1, 10**30, 7])
        case 3:
            return chance.choice(CODES)
        case 4:
            return "".join(chr(chance.choice([0, 9, 34, 65, 0x1F600, 0xE9])) for _ in range(chance.randrange(6)))
        case 5:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            return {chance.choice(WORDS): value(chance, depth + 1) for _ in range(chance.randrange(5))}


def body(chance: random.Random) -> bytes:
    made = value(chance)
    fault: JsonValue = {"Fault": {"Error": [{"code": chance.choice(CODES), "Message": value(chance)}]}}
    text = dumps(made)
    return chance.choice(
        [
            text,
            dumps({"Fault": made}),
            dumps(fault),
            dumps({"QueryResponse": made}),
            dumps({"BatchItemResponse": made}),
            dumps({"CDCResponse": made}),
            dumps({"Invoice": made}),
            dumps({"Invoice": {"Id": "7", "Line": made}}),
            text[: len(text) // 2],
            b"<html><body>" + text + b"</body></html>",
            b'<?xml version="1.0"?><IntuitResponse><Fault><Error code="' + text[:20] + b'"/></Fault></IntuitResponse>',
            chance.randbytes(chance.randrange(200)),
            b"",
        ]
    )


async def write(quickbooks: Connected, number: int) -> object:
    deadline = quickbooks.clock.monotonic() + 20
    return await quickbooks.client.write(
        "Invoice", b"{}", request_id=f"w{number}", operation="create", lane=Lane.LIVE, deadline=deadline
    )


async def batch(quickbooks: Connected, number: int) -> object:
    item: JsonValue = {"bId": "1", "operation": "create", "Invoice": {"Line": []}}
    deadline = quickbooks.clock.monotonic() + 20
    return await quickbooks.client.batch(
        dumps({"BatchItemRequest": [item]}), request_id=f"b{number}", lane=Lane.LIVE, deadline=deadline
    )


async def read(quickbooks: Connected, number: int) -> object:
    return await quickbooks.client.read("Invoice", str(number), Lane.LIVE)


async def query(quickbooks: Connected, number: int) -> object:
    return await quickbooks.client.query(select("Invoice").where("DocNumber", "=", str(number)), Lane.LIVE)


async def cdc(quickbooks: Connected, number: int) -> object:
    since = datetime.now(UTC) - timedelta(minutes=number % 60)
    return await quickbooks.client.cdc(["Invoice"], since, Lane.LIVE)


async def pdf(quickbooks: Connected, number: int) -> object:
    return await quickbooks.client.papers.pdf("Invoice", str(number), Lane.LIVE)


async def report(quickbooks: Connected, number: int) -> object:
    del number
    try:
        return await quickbooks.client.papers.report("ProfitAndLoss", {})
    except ReportError as error:
        return error


async def rate(quickbooks: Connected, number: int) -> object:
    return await quickbooks.client.exchange_rate("EUR", datetime(2026, 1, 1 + number % 28, tzinfo=UTC).date())


CALLS: tuple[Call, ...] = (write, batch, read, query, cdc, pdf, report, rate)


def answer(server: ScriptedServer, chance: random.Random) -> None:
    status = chance.choice([200, 200, 200, 400, 400, 401, 403, 404, 413, 429, 500, 502, 503, 504])
    server.play(say(body(chance), status=status, content_type=chance.choice(TYPES)))


@pytest.mark.slow
async def test_whatever_comes_back_ends_in_an_outcome() -> None:
    chance = random.Random(SEED)
    tally: dict[str, int] = {}
    async with scripted_server() as server, AsyncExitStack() as stack:
        quickbooks: Connected | None = None
        for number in range(ANSWERS):
            if quickbooks is None or quickbooks.gate.snapshot().paused_until is not None:
                # A pause is right, and would let nothing more out.
                await stack.aclose()
                quickbooks = await stack.enter_async_context(connected_client(server.url, settings=WIDE))
            answer(server, chance)
            outcome = await CALLS[number % len(CALLS)](quickbooks, number)
            assert isinstance(outcome, ENDS), (number, outcome)
            str(outcome).encode("utf-8")
            tally[type(outcome).__name__] = tally.get(type(outcome).__name__, 0) + 1
            if isinstance(outcome, NotSent):
                quickbooks = None  # the connection counts as ended
    assert sum(tally.values()) == ANSWERS
    # The answers are varied enough to reach most ends.
    assert {"Accepted", "Rejected", "Uncertain", "ReadFailed", "File"} <= set(tally)
