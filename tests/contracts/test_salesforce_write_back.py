"""Values on their way back to Salesforce."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from counterfoil.sources.port import Seen, WriteBack, WriteBackResult
from support.salesforce import Org, opportunity, org, pages, record_id

DEAL = record_id("006", 1)
FIELDS = "QBO_Status__c:picklist QBO_Balance__c:currency QBO_Paid__c:date QBO_Number__c:string(21)"
MAPPING = {
    "write_back": {
        "status": "QBO_Status__c",
        "balance": "QBO_Balance__c",
        "last_payment_date": "QBO_Paid__c",
        "invoice_number": "QBO_Number__c",
    }
}


@pytest.fixture
async def held() -> AsyncIterator[Org]:
    async with org() as fresh:
        await fresh.control("POST", "/setup", {"fields": {"Opportunity": FIELDS}})
        await fresh.load(Opportunity=[opportunity(1)])
        yield fresh


async def write(held: Org, values: Mapping[str, str], source_id: str = DEAL, **settings: Any) -> WriteBackResult:
    request = WriteBack(kind="opportunity", source_id=source_id, values=values, request_id="r-1")
    return await held.source(mapping=MAPPING, **settings).write_back(request)


async def shown(held: Org, name: str = "Opportunity") -> dict[str, Any]:
    listed: Any = (await held.control("GET", f"/objects/{name}"))["records"]
    found: dict[str, Any] = listed[-1]
    return found


async def test_values_arrive_as_their_fields_types_and_twice_is_as_once(held: Org) -> None:
    values = {
        "QBO_Status__c": "partial",
        "QBO_Balance__c": "12.50",
        "QBO_Paid__c": "2026-11-20",
        "QBO_Number__c": "1001",
    }
    for _ in range(2):
        assert (await write(held, values)).outcome == "accepted"
    deal = await shown(held)
    assert tuple(str(deal[name]) for name in values) == ("partial", "12.50", "2026-11-20", "1001")
    emptied = await write(held, {"QBO_Paid__c": ""})
    assert (emptied.outcome, (await shown(held))["QBO_Paid__c"]) == ("accepted", None)
    journal: Any = (await held.control("GET", "/journal?by=api"))["entries"]
    assert {"counterfoil"} == {entry["client"] for entry in journal}


async def test_our_own_values_are_told_from_an_edit(held: Org) -> None:
    source = held.source(mapping=MAPPING)
    values = {"QBO_Status__c": "paid", "QBO_Balance__c": "0.00"}
    await write(held, values)
    changes = [change for page in await pages(source, "opportunity") for change in page.changes]
    (seen,) = changes
    assert isinstance(seen, Seen)
    assert source.same_values("opportunity", values, seen.raw)
    assert not source.same_values("opportunity", {**values, "QBO_Status__c": "open"}, seen.raw)
    # What we wrote is no part of the record: it is no news to the books.
    assert "QBO" not in seen.record.model_dump_json()


async def test_a_lost_answer_is_uncertain_and_the_repetition_harmless(held: Org) -> None:
    await held.control("POST", "/faults", {"kind": "lost_answer", "path": "/composite/sobjects"})
    assert (await write(held, {"QBO_Status__c": "open"})).outcome == "uncertain"
    assert (await shown(held))["QBO_Status__c"] == "open"
    assert (await write(held, {"QBO_Status__c": "open"})).outcome == "accepted"


async def test_refusals_say_what_and_what_to_do(held: Org) -> None:
    unknown = await write(held, {"QBO_Statsu__c": "open"})
    assert (
        unknown.outcome,
        "no field QBO_Statsu__c on Opportunity" in unknown.reason,
        "Did you mean QBO_Status__c?" in unknown.fix,
    ) == ("rejected", True, True)
    ill_typed = await write(held, {"QBO_Balance__c": "a lot"})
    assert (ill_typed.outcome, "of type currency and cannot hold 'a lot'" in ill_typed.reason) == ("rejected", True)
    too_long = await write(held, {"QBO_Number__c": "1" * 22})
    assert (too_long.outcome, "(STRING_TOO_LONG)" in too_long.reason) == ("rejected", True)
    read_only = await write(held, {"IsWon": "true"})
    assert (read_only.outcome, "edit access to IsWon" in read_only.fix) == ("rejected", True)
    await held.control("DELETE", f"/people/Opportunity/{DEAL}")
    gone = await write(held, {"QBO_Status__c": "open"})
    assert (gone.outcome, "deleted or merged" in gone.fix) == ("rejected", True)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"kind": "status", "status": 503}, "later"),
        ({"kind": "status", "status": 403}, "later"),
        ({"kind": "status", "status": 400}, "later"),
        ({"kind": "truncated"}, "uncertain"),
    ],
)
async def test_what_passes_by_itself_is_no_refusal(held: Org, fault: dict[str, Any], outcome: str) -> None:
    await held.control("POST", "/faults", {**fault, "path": "/composite/sobjects"})
    assert outcome == (await write(held, {"QBO_Status__c": "open"})).outcome


async def test_values_can_go_to_a_record_of_their_own_found_by_an_external_id(held: Org) -> None:
    fields = "Source__c:string(18)* Deal__c:reference(Opportunity,Deal__r) Status__c:picklist Balance__c:currency"
    await held.control("POST", "/setup", {"objects": {"QBO_Invoice__c": {"prefix": "a05", "fields": fields}}})
    table = {"object": "QBO_Invoice__c", "external_id": "Source__c", "parent": "Deal__c"}
    kinds = {"opportunity": {"write_back": table}}
    for status in ("open", "paid"):
        result = await write(held, {"Status__c": status, "Balance__c": "1.00"}, kinds=kinds)
        assert result.outcome == "accepted"
    record = await shown(held, "QBO_Invoice__c")
    assert (record["Status__c"], record["Source__c"], record["Deal__c"]) == ("paid", DEAL, DEAL)
    listed: Any = (await held.control("GET", "/objects/QBO_Invoice__c"))["records"]
    assert len(listed) == 1


async def test_a_refused_sign_in_is_for_later(held: Org) -> None:
    from pydantic import SecretStr

    result = await write(held, {"QBO_Status__c": "open"}, client_secret=SecretStr("wrong"))
    assert (result.outcome, "invalid client credentials" in result.reason) == ("later", True)


async def test_what_is_no_record_of_ours_is_refused_without_a_call(held: Org) -> None:
    before = await held.api_calls()
    result = await write(held, {"QBO_Status__c": "open"}, source_id="1' OR Name != '")
    assert ("rejected", before) == (result.outcome, await held.api_calls())
