"""Journeys that the emulator and Intuit's sandbox must answer alike; everything made here bears a name of this run."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.calls import Realm
from counterfoil.quickbooks.online.client import QuickBooksClient
from counterfoil.quickbooks.online.faults import FaultKind
from counterfoil.quickbooks.online.operations import Operation
from counterfoil.quickbooks.online.outcomes import (
    Accepted,
    BatchAnswered,
    ChangeSet,
    Found,
    NotFound,
    QueryPage,
    Rejected,
    WriteOutcome,
)
from counterfoil.quickbooks.online.papers import File
from counterfoil.quickbooks.online.query import select
from counterfoil.quickbooks.online.reports import Report
from counterfoil.quickbooks.online.upload import Attachment
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_double import Connected
from support.sandbox import NotASandboxError, require_sandbox
from support.seeded import SeededEntropy

PATIENCE = 90.0


def unique(what: str) -> str:
    return f"CF {what} {uuid4().hex[:12]}"


async def write(
    quickbooks: Connected, entity: str, body: JsonObject, operation: Operation = "create", request_id: str = ""
) -> WriteOutcome:
    return await quickbooks.client.write(
        entity,
        json.dumps(body, default=str).encode(),
        request_id=request_id or uuid4().hex,
        operation=operation,
        lane=Lane.LIVE,
        deadline=quickbooks.clock.monotonic() + PATIENCE,
    )


async def made(quickbooks: Connected, entity: str, body: JsonObject, operation: Operation = "create") -> JsonObject:
    outcome = await write(quickbooks, entity, body, operation)
    assert isinstance(outcome, Accepted), outcome
    return outcome.document


async def an_income_account(quickbooks: Connected) -> str:
    page = await quickbooks.client.query(select("Account").where("Name", "=", "Services").page(1, 1), Lane.LIVE)
    assert isinstance(page, QueryPage)
    return str(page.rows[0]["Id"])


async def a_customer(quickbooks: Connected) -> JsonObject:
    return await made(quickbooks, "Customer", {"DisplayName": unique("Customer")})


async def an_item(quickbooks: Connected) -> JsonObject:
    account = await an_income_account(quickbooks)
    body: JsonObject = {"Name": unique("Item"), "Type": "Service", "IncomeAccountRef": {"value": account}}
    return await made(quickbooks, "Item", body)


async def an_invoice(quickbooks: Connected, customer: JsonObject, item: JsonObject) -> JsonObject:
    detail: JsonObject = {"ItemRef": {"value": item["Id"]}, "Qty": 3, "UnitPrice": "33.35"}
    line: JsonObject = {"Amount": "100.05", "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return await made(quickbooks, "Invoice", {"CustomerRef": {"value": customer["Id"]}, "Line": [line]})


async def test_a_sale_and_its_payment(quickbooks: Connected) -> None:
    customer, item = await a_customer(quickbooks), await an_item(quickbooks)
    invoice = await an_invoice(quickbooks, customer, item)
    assert Decimal(str(invoice["Balance"])) == Decimal("100.05")
    line: JsonObject = {"Amount": "100.05", "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    payment = await made(
        quickbooks, "Payment", {"CustomerRef": {"value": customer["Id"]}, "TotalAmt": "100.05", "Line": [line]}
    )
    paid = await quickbooks.client.read("Invoice", str(invoice["Id"]), Lane.LIVE)
    assert isinstance(paid, Found)
    assert Decimal(str(paid.document["Balance"])) == 0
    assert paid.document["SyncToken"] != invoice["SyncToken"]
    await made(quickbooks, "Payment", {"Id": payment["Id"], "SyncToken": payment["SyncToken"]}, "delete")
    gone = await quickbooks.client.read("Payment", str(payment["Id"]), Lane.LIVE)
    assert isinstance(gone, NotFound)


async def test_a_request_id_has_one_effect(quickbooks: Connected) -> None:
    request_id = uuid4().hex
    body: JsonObject = {"DisplayName": unique("Once")}
    twice = [await write(quickbooks, "Customer", body, request_id=request_id) for _ in range(2)]
    assert all(isinstance(one, Accepted) for one in twice), twice
    assert len({str(one.document["Id"]) for one in twice if isinstance(one, Accepted)}) == 1


async def test_names_tokens_and_lengths_are_refused_in_kind(quickbooks: Connected) -> None:
    customer = await a_customer(quickbooks)
    taken = await write(quickbooks, "Customer", {"DisplayName": customer["DisplayName"]})
    stale = await write(
        quickbooks, "Customer", {"Id": customer["Id"], "SyncToken": "99", "sparse": True, "Notes": "n"}, "update"
    )
    for outcome, code, kind in ((taken, "6240", FaultKind.ADOPT), (stale, "5010", FaultKind.REFETCH)):
        assert isinstance(outcome, Rejected)
        assert (outcome.fault.code, outcome.fault.kind) == (code, kind)
    long = await write(quickbooks, "Invoice", {"CustomerRef": {"value": customer["Id"]}, "DocNumber": "9" * 22})
    assert isinstance(long, Rejected)
    assert long.fault.kind is FaultKind.PARK


async def test_a_sparse_update_keeps_the_rest_and_a_full_one_does_not(quickbooks: Connected) -> None:
    body: JsonObject = {"DisplayName": unique("Sparse"), "Notes": "kept", "CompanyName": "Sparse & Co"}
    customer = await made(quickbooks, "Customer", body)
    handle: JsonObject = {"Id": customer["Id"], "SyncToken": customer["SyncToken"]}
    changed = await made(quickbooks, "Customer", {**handle, "sparse": True, "CompanyName": "Changed"}, "update")
    assert (changed.get("Notes"), changed.get("CompanyName")) == ("kept", "Changed")
    handle["SyncToken"] = changed["SyncToken"]
    whole = await made(quickbooks, "Customer", {**handle, "DisplayName": body["DisplayName"]}, "update")
    assert not whole.get("Notes")


async def test_a_batch_answers_item_by_item(quickbooks: Connected) -> None:
    customer = await a_customer(quickbooks)
    items = [
        {"bId": "a", "operation": "create", "Customer": {"DisplayName": unique("Batch")}},
        {"bId": "b", "operation": "create", "Customer": {"DisplayName": customer["DisplayName"]}},
    ]
    outcome = await quickbooks.client.batch(
        json.dumps({"BatchItemRequest": items}).encode(),
        request_id=uuid4().hex[:30],
        lane=Lane.LIVE,
        deadline=quickbooks.clock.monotonic() + PATIENCE,
    )
    assert isinstance(outcome, BatchAnswered)
    assert isinstance(outcome.items["a"], Accepted)
    assert isinstance(outcome.items["b"], Rejected)


async def test_queries_page_count_and_escape(quickbooks: Connected) -> None:
    name = unique("O'Brien \\ Söhne")
    customer = await made(quickbooks, "Customer", {"DisplayName": name})
    page = await quickbooks.client.query(select("Customer").where("DisplayName", "=", name), Lane.LIVE)
    assert isinstance(page, QueryPage)
    assert [row["Id"] for row in page.rows] == [customer["Id"]]
    count = await quickbooks.client.count(select("Customer").with_inactive(), Lane.LIVE)
    rows = [row["Id"] async for row in quickbooks.client.query_all(select("Customer").with_inactive(), Lane.LIVE)]
    assert len(set(rows)) == len(rows) == count


async def test_changes_are_told(quickbooks: Connected) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    customer = await a_customer(quickbooks)
    changes = await quickbooks.client.cdc(["Customer", "Invoice"], since, Lane.LIVE)
    assert isinstance(changes, ChangeSet)
    assert customer["Id"] in {row["Id"] for row in changes.rows["Customer"]}


async def test_a_void_keeps_the_document(quickbooks: Connected) -> None:
    invoice = await an_invoice(quickbooks, await a_customer(quickbooks), await an_item(quickbooks))
    handle: JsonObject = {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"]}
    voided = await made(quickbooks, "Invoice", handle, "void")
    assert Decimal(str(voided["TotalAmt"])) == 0
    assert "Voided" in str(voided["PrivateNote"])


async def test_papers_and_reports(quickbooks: Connected) -> None:
    invoice = await an_invoice(quickbooks, await a_customer(quickbooks), await an_item(quickbooks))
    papers = quickbooks.client.papers
    printed = await papers.pdf("Invoice", str(invoice["Id"]), Lane.LIVE)
    assert isinstance(printed, File)
    assert printed.content.startswith(b"%PDF")
    attachment = Attachment("note.txt", b"as agreed", "text/plain", (("Invoice", str(invoice["Id"])),))
    deadline = quickbooks.clock.monotonic() + PATIENCE
    kept = await papers.upload(attachment, request_id=uuid4().hex, lane=Lane.LIVE, deadline=deadline)
    assert isinstance(kept, Accepted)
    balance = await papers.report("TrialBalance", {})
    assert isinstance(balance, Report)
    assert balance.rows


async def test_settings_are_readable(quickbooks: Connected) -> None:
    for found in (await quickbooks.client.company_info(), await quickbooks.client.preferences()):
        assert isinstance(found, Found)


@pytest.mark.parametrize("place", ["sandbox"], indirect=True)
async def test_the_sandbox_is_one(place: dict[str, str], quickbooks: Connected) -> None:
    """Nothing here may ever reach books that somebody lives by."""
    assert place["base_url"].startswith("https://sandbox-")
    company = await quickbooks.client.company_info()
    assert isinstance(company, Found), "Intuit refuses this realm: it is no sandbox of these keys"


async def test_a_realm_that_is_no_sandbox_is_refused_before_anything_is_written(
    place: dict[str, str], quickbooks: Connected
) -> None:
    stranger = Realm("9341450000000000001", place["base_url"], quickbooks.client.realm.company)
    other = QuickBooksClient(
        quickbooks.session,
        stranger,
        quickbooks.tokens,
        quickbooks.gate,
        clock=quickbooks.clock,
        entropy=SeededEntropy(1),
    )
    with pytest.raises(NotASandboxError, match="9341450000000000001 is not shown as a sandbox company"):
        await require_sandbox(replace(quickbooks, client=other))
