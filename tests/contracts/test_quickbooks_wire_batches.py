"""Batches on the wire: read by their ids, and certain only of what the answer names."""

import json
from collections.abc import AsyncIterator

import pytest

from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.faults import FaultKind
from counterfoil.quickbooks.online.outcomes import Accepted, BatchAnswered, Rejected, Uncertain
from support.quickbooks_double import Connected, ScriptedServer, connected_client, fault, hang_up, say, scripted_server


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def quickbooks(server: ScriptedServer) -> AsyncIterator[Connected]:
    async with connected_client(server.url) as connected:
        yield connected


async def test_a_batch_is_read_by_its_ids(server: ScriptedServer, quickbooks: Connected) -> None:
    body = json.dumps(
        {
            "BatchItemRequest": [
                {"bId": "a", "operation": "create", "Invoice": {"Line": []}},
                {"bId": "b", "operation": "create", "JournalEntry": {"Line": []}},
                {"bId": "c", "operation": "create", "Invoice": {"Line": []}},
                {"bId": "d", "operation": "delete", "Invoice": {"Id": "9"}},
                {"bId": "e", "operation": "create", "Invoice": {"Line": []}},
            ]
        }
    ).encode()
    answer = {
        "BatchItemResponse": [
            {"bId": "d", "Invoice": {"Id": "9", "status": "Deleted"}},
            {"bId": "b", "Fault": {"type": "ValidationFault", "Error": [{"Message": "m", "code": "2300"}]}},
            {"bId": "a", "Invoice": {"Id": "1", "SyncToken": "0"}},
            {"bId": "e", "Estimate": {"Id": "1"}},
        ]
    }
    server.play(say(json.dumps(answer)))
    deadline = quickbooks.clock.monotonic() + 10
    outcome = await quickbooks.client.batch(body, request_id="q" * 32, lane=Lane.BACKFILL, deadline=deadline)
    assert isinstance(outcome, BatchAnswered)
    a, b, c, d, e = (outcome.items[key] for key in "abcde")
    assert isinstance(a, Accepted)
    assert (a.document, a.raw) == ({"Id": "1", "SyncToken": "0"}, b'{"bId":"a","Invoice":{"Id":"1","SyncToken":"0"}}')
    assert isinstance(b, Rejected)
    assert (b.fault.code, b.fault.kind) == ("2300", FaultKind.PARK)
    assert isinstance(c, Uncertain)
    assert isinstance(d, Accepted)
    assert isinstance(e, Uncertain)
    (seen,) = server.seen
    assert (body, f"/v3/company/9130/batch?requestid={'q' * 32}&minorversion=75") == (seen.body, seen.path_qs)
    assert quickbooks.gate.snapshot().batches_used == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (say(fault("1040"), status=400), Rejected),
        (say("{}"), Uncertain),
        (say("", status=502), Uncertain),
        (hang_up, Uncertain),
    ],
    ids=["refused", "no items", "gateway", "lost"],
)
async def test_a_batch_as_a_whole(
    server: ScriptedServer, quickbooks: Connected, answer: object, expected: type[object]
) -> None:
    assert callable(answer)
    server.play(answer)
    body = b'{"BatchItemRequest":[{"bId":"a","operation":"create","Invoice":{}}]}'
    deadline = quickbooks.clock.monotonic() + 10
    outcome = await quickbooks.client.batch(body, request_id="q", lane=Lane.LIVE, deadline=deadline)
    assert isinstance(outcome, expected)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"BatchItemRequest":[]}',
        b'{"BatchItemRequest":[{"Invoice":{}}]}',
        b'{"BatchItemRequest":[{"bId":"a","Invoice":{}},{"bId":"a","Bill":{}}]}',
        json.dumps({"BatchItemRequest": [{"bId": str(n), "Invoice": {}} for n in range(31)]}).encode(),
    ],
)
async def test_what_is_no_batch_is_refused(quickbooks: Connected, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"batch|object|bId"):
        await quickbooks.client.batch(body, request_id="q", lane=Lane.LIVE, deadline=1e12)
