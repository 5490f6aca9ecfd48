"""Custom fields by the names that people see, read and written."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from counterfoil.sources.port import Seen, SourceError, WriteBack, WriteBackResult
from counterfoil_schema.records import Customer
from support.pipedrive import Account, account, deal, flat, organization, pages

FIELDS = {
    "deal": [
        {"field_name": "Our number", "field_type": "varchar"},
        {"field_name": "Pay by", "field_type": "date"},
        {"field_name": "Rate", "field_type": "double"},
        {"field_name": "QBO status", "field_type": "enum", "options": ["Open", "Paid"]},
        {"field_name": "QBO balance", "field_type": "monetary"},
        {"field_name": "Twice", "field_type": "varchar"},
        {"field_name": "Twice", "field_type": "double"},
        {"field_name": "Channels", "field_type": "set", "options": ["Post", "Mail"]},
    ],
    "organization": [{"field_name": "Invoices to", "field_type": "varchar"}],
}


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        await fresh.load(fields=FIELDS)
        yield fresh


async def the_deal(held: Account, **settings: Any) -> Any:
    """The record of the only deal."""
    (seen,) = flat(await pages(held.source(**settings), "deal"))
    assert isinstance(seen, Seen)
    return seen.record


async def written(held: Account, deal_id: str = "1") -> dict[str, Any]:
    """What the deal's custom fields hold, by name."""
    shown: Any = await held.control("GET", "/objects/deals")
    return next(row["custom_fields"] for row in shown["rows"] if str(row["id"]) == deal_id)


async def write(held: Account, values: dict[str, str], source_id: str = "1", **settings: Any) -> WriteBackResult:
    """Write back to a deal, or to one of its instalments."""
    kind = "installment" if "-" in source_id else "deal"
    request = WriteBack(kind=kind, source_id=source_id, values=values, request_id="r-1")
    return await held.source(**settings).write_back(request)


async def test_fields_are_read_by_their_names(held: Account) -> None:
    custom = {"Our number": "INV-7", "Pay by": "2026-12-01", "Rate": Decimal("1.25")}
    await held.load(
        deals=[deal(1, custom_fields=custom)],
        organizations=[organization(4, custom_fields={"Invoices to": "ap@example.com"})],
    )
    found = await the_deal(held, number_field="our NUMBER", due_field="Pay by", rate_field="Rate")
    assert (found.number, str(found.due), found.exchange_rate) == ("INV-7", "2026-12-01", Decimal("1.25"))
    source = held.source(organization_email_field="Invoices to")
    (seen,) = flat(await pages(source, "organization"))
    assert isinstance(seen, Seen)
    assert isinstance(seen.record, Customer)
    assert seen.record.email == "ap@example.com"


async def test_choices_are_read_by_their_labels_and_keys_are_names_too(held: Account) -> None:
    await held.load(deals=[deal(1, custom_fields={"QBO status": "Paid", "Channels": ["Mail", "Post"]})])
    assert (await the_deal(held, number_field="QBO status")).number == "Paid"
    code = held.emulator.company.fields.code_of("deal", "Channels")
    assert (await the_deal(held, number_field=code)).number == "Mail, Post"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Our nubmer", 'Did you mean "Our number"?'),
        ("Twice", "Rename one of them, or name it by its key"),
        ("Quux", "Custom fields there are: Channels, Our number, Pay by"),
    ],
)
async def test_a_field_that_is_not_there_is_told_with_the_nearest(held: Account, name: str, says: str) -> None:
    await held.load(deals=[deal(1)])
    with pytest.raises(SourceError) as told:
        await pages(held.source(number_field=name), "deal")
    assert name in told.value.message
    assert says in told.value.remedy


async def test_a_field_made_since_is_found(held: Account) -> None:
    await held.load(deals=[deal(1)])
    source = held.source(number_field="Late")
    with pytest.raises(SourceError):
        await pages(source, "deal")
    await held.load(fields={"deal": [{"field_name": "Late", "field_type": "varchar"}]})
    assert len(flat(await pages(source, "deal"))) == 1


async def test_values_are_written_as_the_fields_want_them(held: Account) -> None:
    await held.load(deals=[deal(1, currency="EUR", custom_fields={"Our number": "kept"})])
    values = {"QBO status": "paid", "QBO balance": "12.50", "Pay by": "2026-11-30", "Rate": "1.10", "Channels": "Post"}
    result = await write(held, values)
    assert (result.outcome, result.version is not None) == ("accepted", True)
    assert await written(held) == {
        "Our number": "kept",
        "QBO status": 2,
        "QBO balance": {"value": Decimal("12.50"), "currency": "EUR"},
        "Pay by": "2026-11-30",
        "Rate": Decimal("1.10"),
        "Channels": [1],
    }
    assert (await write(held, values)).outcome == "accepted"
    assert (await write(held, {"QBO balance": "", "QBO status": ""})).outcome == "accepted"
    after = await written(held)
    assert (after["QBO balance"], after["QBO status"]) == (None, None)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"QBO status": "overpaid"}, "it has Open, Paid"),
        ({"Rate": "much"}, "holds numbers"),
        ({"Twice": "x"}, "2 deal fields"),
        ({"Our number": "x" * 300}, "not a value for a varchar field"),
    ],
)
async def test_a_value_that_a_field_cannot_hold_is_rejected_with_the_reason(
    held: Account, values: dict[str, str], says: str
) -> None:
    await held.load(deals=[deal(1)])
    result = await write(held, values)
    assert result.outcome == "rejected"
    assert says in result.reason
    assert result.fix


async def test_fields_that_are_missing_are_made_with_fitting_types(held: Account) -> None:
    await held.load(deals=[deal(1)])
    roles = {"invoice_number": "qbo_number", "balance": "qbo_balance", "last_payment_date": "qbo_paid_on"}
    mapping = {"write_back": {**roles, "problem": "qbo_problem"}}
    values = {"qbo_number": "1042", "qbo_balance": "60.00", "qbo_paid_on": "2026-11-03", "qbo_problem": "x" * 400}
    assert (await write(held, values, mapping=mapping)).outcome == "accepted"
    assert await written(held) == {**values, "qbo_balance": Decimal("60.00")}
    types = {one["field_name"]: one["field_type"] for one in held.emulator.company.fields.held["deal"].values()}
    assert [types[name] for name in values] == ["varchar", "double", "date", "text"]
    assert await held.source(mapping=mapping).ensure_fields() == ()


async def test_without_leave_to_make_fields_the_nearest_known_is_told(held: Account) -> None:
    await held.load(deals=[deal(1)])
    result = await write(held, {"QBO statsu": "Paid"}, create_fields=False)
    assert (result.outcome, result.fix) == ("rejected", 'Did you mean "QBO status"?')


async def test_a_lost_answer_to_a_new_field_makes_no_second_one(held: Account) -> None:
    await held.load(deals=[deal(1)])
    await held.control("POST", "/faults", {"kind": "lost_answer", "method": "POST", "path": "/dealFields"})
    source = held.source()
    request = WriteBack(kind="deal", source_id="1", values={"qbo_number": "7"}, request_id="r-1")
    assert [(await source.write_back(request)).outcome for _ in range(2)] == ["uncertain", "accepted"]
    names = [one["field_name"] for one in held.emulator.company.fields.held["deal"].values()]
    assert names.count("qbo_number") == 1


async def test_a_lost_answer_is_uncertain_and_repeating_it_is_harmless(held: Account) -> None:
    await held.load(deals=[deal(1)])
    await held.control("POST", "/faults", {"kind": "lost_answer", "method": "PATCH"})
    assert (await write(held, {"Our number": "1042"})).outcome == "uncertain"
    assert (await written(held)) == {"Our number": "1042"}
    assert (await write(held, {"Our number": "1042"})).outcome == "accepted"
    assert (await written(held)) == {"Our number": "1042"}


async def test_installments_share_the_deal_s_text_fields_line_by_line(held: Account) -> None:
    parts = [{"id": 71, "amount": 1}, {"id": 72, "amount": 2}]
    await held.load(
        fields={"deal": [{"field_name": "Paid?", "field_type": "text"}]}, deals=[deal(1, installments=parts)]
    )
    for _ in range(2):
        assert (await write(held, {"Paid?": "open", "Rate": "3"}, "1-72")).outcome == "accepted"
        assert (await write(held, {"Paid?": "paid"}, "1-71")).outcome == "accepted"
    assert await written(held) == {"Paid?": "#71 paid\n#72 open"}
    await write(held, {"Paid?": ""}, "1-71")
    assert await written(held) == {"Paid?": "#72 open"}


async def test_writes_side_by_side_make_each_field_once_and_lose_no_line(held: Account) -> None:
    parts = [{"id": number, "amount": number} for number in (71, 72, 73)]
    await held.load(deals=[deal(1, installments=parts), deal(2)])
    source = held.source()
    values = {"qbo_status": "open", "qbo_number": "7"}
    requests = [
        *(WriteBack(kind="installment", source_id=f"1-{n}", values=values, request_id=f"r-{n}") for n in (71, 72, 73)),
        WriteBack(kind="deal", source_id="2", values=values, request_id="r-2"),
    ]
    results = await asyncio.gather(*map(source.write_back, requests))
    assert [(one.outcome, one.reason) for one in results] == [("accepted", "")] * 4
    names = [one["field_name"] for one in held.emulator.company.fields.held["deal"].values()]
    assert (names.count("qbo_status"), names.count("qbo_number")) == (1, 1)
    assert (await written(held))["qbo_status"] == "#71 open\n#72 open\n#73 open"
    assert await written(held, "2") == values


@pytest.mark.parametrize(
    ("fault", "outcome", "says"),
    [
        ({"kind": "status", "status": 401}, "later", "token"),
        ({"kind": "status", "status": 503}, "later", ""),
        ({"kind": "status", "status": 404}, "rejected", "deleted or merged"),
        ({"kind": "status", "status": 403}, "rejected", "deals:full"),
    ],
)
async def test_refusals_are_sorted(held: Account, fault: dict[str, Any], outcome: str, says: str) -> None:
    await held.load(deals=[deal(1)])
    await held.control("POST", "/faults", {**fault, "method": "PATCH"})
    result = await write(held, {"Our number": "7"})
    assert result.outcome == outcome
    assert says in result.fix


async def test_an_archived_deal_says_so(held: Account) -> None:
    await held.load(deals=[deal(1, is_archived=True)])
    result = await write(held, {"Our number": "7"})
    assert (result.outcome, "Archived deals cannot be edited" in result.reason) == ("rejected", True)
    assert "archive" in result.fix


async def test_only_deals_take_values_back(held: Account) -> None:
    request = WriteBack(kind="organization", source_id="4", values={"a": "b"}, request_id="r-1")
    assert (await held.source().write_back(request)).outcome == "rejected"


async def test_our_own_values_are_known_again(held: Account) -> None:
    await held.load(deals=[deal(1, custom_fields={"Our number": "1042", "Rate": Decimal("1.10")})])
    source = held.source()
    (seen,) = flat(await pages(source, "deal"))
    assert isinstance(seen, Seen)
    assert source.same_values("deal", {"Our number": "1042", "Rate": "1.1", "QBO status": ""}, seen.raw)
    assert not source.same_values("deal", {"Our number": "1043"}, seen.raw)
