"""Change events over the Pub/Sub API: drawn from the place where reading stopped, and never the only way."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.sources.port import Removed, Seen, SourceError, WriteBack
from counterfoil_adapters.salesforce.adapter import SalesforceSource
from counterfoil_adapters.salesforce.pubsub import wire
from counterfoil_adapters.salesforce.pubsub.events import named_fields
from counterfoil_schema.exact_json import loads_object
from counterfoil_schema.records import Invoice
from support.salesforce import Org, account, flat, line, opportunity, org, pages, price, product, record_id

DEAL = record_id("006", 1)
DAY = 86_400


@pytest.fixture
async def held() -> AsyncIterator[Org]:
    async with org() as fresh:
        fields = {"Opportunity": "QBO_Status__c:picklist"}
        await fresh.control("POST", "/setup", {"fields": fields})
        await fresh.load(
            Account=[account(1)],
            Product2=[product(11)],
            PricebookEntry=[price(fresh, 11, "10")],
            Opportunity=[opportunity(1, 1), opportunity(2, 1)],
            OpportunityLineItem=[line(1, 1, 11, "1")],
        )
        yield fresh


def source(held: Org, **settings: Any) -> SalesforceSource:
    """An adapter that draws events, and sweeps once a day."""
    usual = {
        "change_events": True,
        "pubsub_url": held.emulator.pubsub_url,
        "quiet_seconds": 0.3,
        "sweep_seconds": DAY,
        "mapping": {"write_back": {"status": "QBO_Status__c"}},
    }
    return held.source(**{**usual, **settings})


async def started(held: Org, reader: SalesforceSource, kind: str = "opportunity") -> str:
    """The cursor behind a full reading and what was on the bus already."""
    cursor = (await pages(reader, kind))[-1].cursor
    return (await pages(reader, kind, cursor))[-1].cursor


async def sweeps(held: Org) -> int:
    calls: Any = (await held.control("GET", "/state"))["calls"]
    return int(calls.get("GET /services/data/{version}/sobjects/{object}/updated", 0))


async def test_what_changes_comes_by_events_without_a_sweep(held: Org) -> None:
    reader = source(held)
    cursor = await started(held, reader)
    before = await sweeps(held)
    await held.control("PATCH", f"/people/Opportunity/{record_id('006', 2)}", {"Name": "Renamed"})
    made = await held.control(
        "POST", "/people/Opportunity", {"Name": "New", "StageName": "X", "CloseDate": "2026-11-01"}
    )
    await held.control("PATCH", f"/people/OpportunityLineItem/{record_id('00k', 1)}", {"Quantity": 3})
    await held.control("DELETE", f"/people/Opportunity/{record_id('006', 2)}")
    read = await pages(reader, "opportunity", cursor)
    changes = flat(read)
    assert {made["id"], DEAL} <= {change.source_id for change in changes if isinstance(change, Seen)}
    assert record_id("006", 2) in {change.source_id for change in changes if isinstance(change, Removed)}
    changed = [c.record for c in changes if c.source_id == DEAL and isinstance(c, Seen)][-1]
    assert isinstance(changed, Invoice)
    assert str(changed.stated_total) == "30.00"
    assert await sweeps(held) == before
    # The place in the stream is kept: a new process draws nothing twice.
    assert flat(await pages(source(held), "opportunity", read[-1].cursor)) == []


async def test_more_events_than_a_batch_come_in_order_and_resume_between(held: Org) -> None:
    reader = source(held)
    cursor = await started(held, reader)
    for number in range(250):
        await held.control("PATCH", f"/people/Opportunity/{DEAL}", {"Name": f"Name {number}"})
    read = reader.changes("opportunity", cursor)
    first = await anext(read)
    assert isinstance(read, AsyncGenerator)
    await read.aclose()
    rest = await pages(source(held), "opportunity", first.cursor)
    last = [change for change in flat(rest) if isinstance(change, Seen)][-1].record
    assert isinstance(last, Invoice)
    assert last.memo == "Name 249"
    assert len(rest) == 3  # a hundred, fifty, and the end


async def test_our_own_write_is_no_news_and_somebody_elses_is(held: Org) -> None:
    reader = source(held)
    cursor = await started(held, reader)
    request = WriteBack(kind="opportunity", source_id=DEAL, values={"QBO_Status__c": "open"}, request_id="1")
    assert (await reader.write_back(request)).outcome == "accepted"
    read = await pages(reader, "opportunity", cursor)
    assert flat(read) == []
    await held.control("PATCH", f"/people/Opportunity/{DEAL}", {"QBO_Status__c": "mine"})
    assert [c.source_id for c in flat(await pages(reader, "opportunity", read[-1].cursor))] == [DEAL]


async def test_a_gap_is_read_and_an_overflow_swept(held: Org) -> None:
    reader = source(held)
    cursor = await started(held, reader)
    before = await sweeps(held)
    await held.control("POST", "/bus", {"object": "Opportunity", "change": "GAP_UPDATE", "ids": [DEAL]})
    read = await pages(reader, "opportunity", cursor)
    assert [change.source_id for change in flat(read)] == [DEAL]
    assert await sweeps(held) == before
    # A gap that tells of a deletion, of what is not even in the recycle bin any more.
    gone = {"object": "Opportunity", "change": "GAP_DELETE", "ids": [record_id("006", 404)]}
    await held.control("POST", "/bus", gone)
    read = await pages(reader, "opportunity", read[-1].cursor)
    (removed,) = flat(read)
    assert isinstance(removed, Removed)
    # The overflow names nothing; what it stands for is seen by the sweep.
    await held.control("POST", "/clock", {"advance_seconds": 120})
    held.emulator.org.tables["Opportunity"].rows[DEAL].values["Name"] = "Behind Salesforce's back"
    held.emulator.org.touch(held.emulator.org.tables["Opportunity"].rows[DEAL], held.emulator.org.person)
    await held.control("POST", "/bus/forget")
    await held.control(
        "POST", "/bus", {"object": "Opportunity", "change": "GAP_OVERFLOW", "ids": ["000000000000000AAA"]}
    )
    forgotten = loads_object(read[-1].cursor)
    assert isinstance(forgotten["replay"], dict)
    read = await pages(reader, "opportunity", read[-1].cursor)
    assert DEAL in {change.source_id for change in flat(read)}
    assert await sweeps(held) > before


async def test_a_place_that_is_no_longer_retained_is_made_good_by_a_sweep(held: Org) -> None:
    reader = source(held)
    await held.control("PATCH", f"/people/Opportunity/{DEAL}", {"Name": "Known"})
    cursor = await started(held, reader)
    await held.control("POST", "/clock", {"advance_seconds": 3 * DAY})
    await held.control("PATCH", f"/people/Opportunity/{DEAL}", {"Name": "Missed"})
    await held.control("POST", "/bus/forget")
    read = await pages(reader, "opportunity", cursor)
    names = [c.record.memo for c in flat(read) if isinstance(c, Seen) and isinstance(c.record, Invoice)]
    assert "Missed" in names
    assert "Opportunity" not in str(loads_object(read[-1].cursor)["replay"])


async def test_a_bus_that_is_not_to_be_had_leaves_the_sweep(held: Org) -> None:
    reader = source(held, pubsub_url="http://127.0.0.1:9", timeout_seconds=1)
    cursor = await started(held, reader)
    await held.control("POST", "/clock", {"advance_seconds": 60})
    await held.control("PATCH", f"/people/Opportunity/{DEAL}", {"Name": "Renamed"})
    assert DEAL in {change.source_id for change in flat(await pages(reader, "opportunity", cursor))}


async def test_an_object_that_is_not_selected_is_named_with_where_to_select_it(held: Org) -> None:
    await held.control("POST", "/setup", {"change_events": ["Account"]})
    reader = source(held)
    cursor = (await pages(reader, "opportunity"))[-1].cursor
    with pytest.raises(SourceError, match="OpportunityChangeEvent") as refused:
        await pages(reader, "opportunity", cursor)
    assert "Change Data Capture" in refused.value.remedy


async def test_an_ended_session_is_renewed_at_once(held: Org) -> None:
    reader = source(held)
    cursor = await started(held, reader)
    before = await sweeps(held)
    await held.control("POST", "/sessions/expire")
    await held.control("PATCH", f"/people/Opportunity/{DEAL}", {"Name": "Renamed"})
    assert [change.source_id for change in flat(await pages(reader, "opportunity", cursor))] == [DEAL]
    assert await sweeps(held) == before


def test_an_address_in_the_clear_is_for_this_machine_only() -> None:
    from counterfoil_adapters.salesforce.pubsub.stream import EventBus

    with pytest.raises(ConfigurationError, match="no https address"):
        EventBus("http://pubsub.example.test:7443", 1, 1)


def test_messages_come_out_as_they_went_in_and_broken_ones_are_refused() -> None:
    event = wire.ConsumerEvent("schema-1", b"\x00\x01payload" * 40, b"\xff\x00")
    response = wire.FetchResponse([event, event], b"\x01", 300)
    assert wire.FetchResponse.unpack(response.pack()) == response
    request = wire.FetchRequest("/data/ÄChangeEvent", 100, wire.CUSTOM, b"\x00")
    assert wire.FetchRequest.unpack(request.pack()) == request
    # By hand: field 1 with the text "ab", field 4 with 150, an unknown field 9 of eight bytes.
    assert bytes.fromhex("0a026162" + "209601") == wire.FetchRequest("ab", 150).pack()
    unknown = wire.FetchRequest.unpack(bytes.fromhex("0a026162" + "209601" + "49" + "00" * 8))
    assert wire.FetchRequest("ab", 150) == unknown
    for broken in (response.pack()[:-4], b"\xff" * 12, b"\x0b"):
        with pytest.raises(wire.MalformedMessageError):
            list(wire.unpacked(broken))


def test_bitmaps_name_the_fields_of_the_schema() -> None:
    schema = {"fields": [{"name": name} for name in ("ChangeEventHeader", "Name", "Amount", "Address", "Stage")]}
    assert named_fields(["0x16"], schema) == ["Name", "Amount", "Stage"]
    assert named_fields(["0x02", "3-0x01"], schema) == ["Name", "Address"]
