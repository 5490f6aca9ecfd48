"""Reads on the wire: a record, queries, counts, changes; and that a failure never looks like an absence."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from counterfoil.dispatch.books import BooksUnreadableError
from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.books import OnlineBooks
from counterfoil.quickbooks.online.cdc import ChangeWindowError
from counterfoil.quickbooks.online.outcomes import ChangeSet, DeletedStub, Found, NotFound, QueryPage, ReadFailed
from counterfoil.quickbooks.online.query import select
from support.quickbooks_double import Connected, ScriptedServer, connected_client, fault, hang_up, say, scripted_server


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def quickbooks(server: ScriptedServer) -> AsyncIterator[Connected]:
    async with connected_client(server.url) as connected:
        yield connected


async def test_a_read_finds_misses_or_fails_and_never_mixes_them_up(
    server: ScriptedServer, quickbooks: Connected
) -> None:
    server.play(say('{"Invoice":{"Id":"5","SyncToken":"3"}}'))
    found = await quickbooks.client.read("Invoice", "5", Lane.LIVE)
    assert isinstance(found, Found)
    assert server.seen[0].path_qs == "/v3/company/9130/invoice/5?minorversion=75"
    server.play(say(fault("610"), status=400))
    assert isinstance(await quickbooks.client.read("Invoice", "5", Lane.LIVE), NotFound)
    for answer in (say("", status=404), say("{}"), say(fault("5020"), status=400), say("<html/>"), hang_up):
        server.play(answer)
        assert isinstance(await quickbooks.client.read("Invoice", "5", Lane.LIVE), ReadFailed)
    assert sum(quickbooks.gate.snapshot().metered_reads.values()) == 4  # the first, and a {} read three times


async def test_gone_is_what_quickbooks_calls_gone_and_no_query_and_no_failure(
    server: ScriptedServer, quickbooks: Connected
) -> None:
    books = OnlineBooks(quickbooks.client, quickbooks.gate, quickbooks.tokens)
    # Of two one is left out of the query's answer: it is asked for by itself, and there.
    rows = '{"QueryResponse":{"Invoice":[{"Id":"5","SyncToken":"0"}],"startPosition":1,"maxResults":1},"time":"x"}'
    server.play(say(rows), say('{"Invoice":{"Id":"6","SyncToken":"0"}}'))
    shown = await books.read("Invoice", ["5", "6"], "live")
    assert [(one.document_id, one.status) for one in shown] == [("5", "live"), ("6", "live")]
    server.play(say(fault("610"), status=400))
    (gone,) = await books.read("Invoice", ["6"], "live")
    assert gone.status == "deleted"
    for failure in (say("", status=404), say(fault("5020"), status=400), say("<html/>"), hang_up):
        server.play(failure)
        with pytest.raises(BooksUnreadableError):
            await books.read("Invoice", ["6"], "live")


async def test_a_read_is_tried_three_times_and_no_more(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say("", status=503), hang_up, say('{"CompanyInfo":{"Id":"1"}}'))
    assert isinstance(await quickbooks.client.company_info(), Found)
    assert server.seen[-1].path_qs == "/v3/company/9130/companyinfo/9130?minorversion=75"
    server.seen.clear()
    server.play(say("", status=503))
    outcome = await quickbooks.client.preferences()
    assert isinstance(outcome, ReadFailed)
    assert outcome.transient
    assert len(server.seen) == 3


async def test_queries_by_address_and_by_body(server: ScriptedServer, quickbooks: Connected) -> None:
    server.play(say('{"QueryResponse":{"Customer":[{"Id":"1"}],"startPosition":1,"maxResults":1},"time":"x"}'))
    page = await quickbooks.client.query(select("Customer").where("DisplayName", "=", "O'Neill + Söhne"), Lane.LIVE)
    assert isinstance(page, QueryPage)
    assert page.rows == ({"Id": "1"},)
    assert server.seen[0].path_qs == (
        "/v3/company/9130/query?query=select%20%2A%20from%20Customer%20where%20DisplayName%20%3D%20"
        "%27O%5C%27Neill%20%2B%20S%C3%B6hne%27&minorversion=75"
    )
    long = select("Customer").where("Id", "IN", *(str(100_000 + n) for n in range(300)))
    await quickbooks.client.query(long, Lane.LIVE)
    seen = server.seen[1]
    assert (seen.method, seen.path_qs) == ("POST", "/v3/company/9130/query?minorversion=75")
    assert (seen.headers["Content-Type"], seen.body) == ("application/text", long.text.encode())
    server.play(say('{"QueryResponse":{"totalCount":42},"time":"x"}'))
    assert await quickbooks.client.count(select("Bill"), Lane.RECONCILE) == 42
    server.play(say('{"QueryResponse":{},"time":"x"}'))
    empty = await quickbooks.client.query(select("Bill"), Lane.LIVE)
    assert isinstance(empty, QueryPage)
    assert empty.rows == ()
    assert isinstance(await quickbooks.client.count(select("Bill"), Lane.LIVE), ReadFailed)


async def test_changes(server: ScriptedServer, quickbooks: Connected) -> None:
    answer = {
        "CDCResponse": [
            {
                "QueryResponse": [
                    {"Customer": [{"Id": "3", "Active": False}], "startPosition": 1, "maxResults": 1},
                    {"Invoice": [{"Id": "7"}, {"status": "Deleted", "Id": "9", "MetaData": {"LastUpdatedTime": "t"}}]},
                    {},
                ]
            }
        ],
        "time": "2026-11-02T09:00:00.5-08:00",
    }
    server.play(say(json.dumps(answer)))
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    changes = await quickbooks.client.cdc(["Customer", "Invoice"], since, Lane.RECONCILE)
    assert isinstance(changes, ChangeSet)
    assert changes.rows == {"Customer": ({"Id": "3", "Active": False},), "Invoice": ({"Id": "7"},)}
    assert changes.deleted == (DeletedStub("Invoice", "9", "t"),)
    assert (changes.time, changes.truncated) == (datetime(2026, 11, 2, 17, 0, 0, 500_000, tzinfo=UTC), False)
    instant = since.strftime("%Y-%m-%dT%H%%3A%M%%3A%S.000Z")
    expected = f"/v3/company/9130/cdc?entities=Customer%2CInvoice&changedSince={instant}&minorversion=75"
    assert expected == server.seen[0].path_qs
    full = {"CDCResponse": [{"QueryResponse": [{"Bill": [{"Id": str(n)} for n in range(1000)]}]}], "time": "t"}
    server.play(say(json.dumps(full)))
    changes = await quickbooks.client.cdc(["Bill"], since, Lane.RECONCILE)
    assert isinstance(changes, ChangeSet)
    assert changes.truncated
    server.play(say(fault("5020"), status=400))
    assert isinstance(await quickbooks.client.cdc(["Bill"], since, Lane.LIVE), ReadFailed)
    for entities, at in ((["TaxCode"], since), ([], since), (["Bill"], since - timedelta(days=31))):
        with pytest.raises(ChangeWindowError):
            await quickbooks.client.cdc(entities, at, Lane.LIVE)


@pytest.mark.parametrize(
    "group",
    [
        {"Invoice": [{"Id": "7"}, {"DocNumber": "1001"}]},
        {"Invoice": [{"Id": ""}]},
        {"Invoice": [{"Id": 7}]},
        {"Invoice": [{"status": "Deleted", "MetaData": {"LastUpdatedTime": "t"}}]},
        {"Invoice": ["7"]},
        {"Invoice": {"Id": "7"}},
    ],
)
async def test_changes_of_which_one_names_no_record_are_not_taken_for_all_there_is(
    server: ScriptedServer, quickbooks: Connected, group: dict[str, object]
) -> None:
    answer = {"CDCResponse": [{"QueryResponse": [{"Customer": [{"Id": "3"}]}, group]}], "time": "t"}
    server.play(say(json.dumps(answer)))
    since = datetime.now(UTC) - timedelta(days=1)
    outcome = await quickbooks.client.cdc(["Customer", "Invoice"], since, Lane.LIVE)
    assert isinstance(outcome, ReadFailed)
    assert "Invoice" in outcome.reason


async def test_a_row_without_an_id_is_no_row_that_can_be_left_out(
    server: ScriptedServer, quickbooks: Connected
) -> None:
    server.play(say('{"QueryResponse":{"Bill":[{"Id":"1"},{"DocNumber":"2"}]},"time":"t"}'))
    outcome = await quickbooks.client.query(select("Bill"), Lane.LIVE)
    assert isinstance(outcome, ReadFailed)
    assert "without an Id" in outcome.reason
