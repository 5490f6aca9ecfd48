"""Writing back: set once or twice, the record ends the same, and every end has its name."""

from collections.abc import AsyncIterator, Mapping

import pytest

from counterfoil.sources.port import Seen, WriteBack
from counterfoil_adapters.hubspot.client import HubSpotClient
from counterfoil_schema.exact_json import JsonObject
from support.hubspot import Account, account, deal, flat, pages

MAPPING = {
    "write_back": {
        "status": "qbo_invoice_status",
        "balance": "qbo_balance",
        "last_payment_date": "qbo_last_payment",
        "problem": None,
    }
}


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        await fresh.load(deals=[deal(512)])
        yield fresh


def wanted(values: Mapping[str, str], source_id: str = "512") -> WriteBack:
    return WriteBack(kind="deal", source_id=source_id, values=values, request_id="r1")


async def writes(held: Account) -> list[object]:
    entries = (await held.control("GET", "/journal?by=api"))["entries"]
    assert isinstance(entries, list)
    return [entry["properties"] for entry in entries if isinstance(entry, dict)]


async def test_missing_properties_are_set_up_with_their_types(held: Account) -> None:
    source = held.source(mapping=MAPPING)
    before = {need.name: need.state for need in await source.prepare(write=False)}
    assert before == dict.fromkeys(("qbo_balance", "qbo_invoice_status", "qbo_last_payment"), "missing")
    for _ in range(2):
        after = {need.name: need.state for need in await source.prepare(write=True)}
        assert after == dict.fromkeys(before, "there")
    table = held.emulator.portal.tables["deals"]
    kinds = {name: table.properties[name]["type"] for name in MAPPING["write_back"].values() if name}
    assert kinds == {"qbo_invoice_status": "string", "qbo_balance": "number", "qbo_last_payment": "date"}
    assert "counterfoil" in table.groups


async def test_a_write_back_sets_up_what_it_misses_and_is_read_again(held: Account) -> None:
    source = held.source(mapping=MAPPING)
    values = {"qbo_invoice_status": "bezahlt ✅", "qbo_balance": "0.00"}
    result = await source.write_back(wanted(values))
    assert result.outcome == "accepted"
    assert [values] == await writes(held)
    (seen,) = flat(await pages(source, "deal"))
    assert isinstance(seen, Seen)
    assert source.same_values("deal", values, seen.raw)
    assert source.same_values("deal", {"qbo_balance": "0"}, seen.raw)
    assert not source.same_values("deal", {"qbo_balance": "0.01"}, seen.raw)
    assert not source.same_values("deal", {"qbo_invoice_status": "offen"}, seen.raw)
    assert source.same_values("deal", {"qbo_last_payment": ""}, seen.raw)


async def test_a_property_that_another_write_sets_up_meanwhile_is_written_to(
    held: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for want of it, and no longer missing once one looks: another one met the same."""
    source, other = held.source(mapping=MAPPING), held.source(mapping=MAPPING)
    properties = HubSpotClient.properties

    async def late(client: HubSpotClient, kind: str) -> Mapping[str, JsonObject]:
        monkeypatch.setattr(HubSpotClient, "properties", properties)
        await other.prepare(write=True)
        return await properties(client, kind)

    monkeypatch.setattr(HubSpotClient, "properties", late)
    result = await source.write_back(wanted({"qbo_balance": "5.00"}))
    assert (result.outcome, result.reason) == ("accepted", "")


async def test_a_write_back_does_not_change_the_record(held: Account) -> None:
    source = held.source(mapping=MAPPING)
    (before,) = flat(await pages(source, "deal"))
    await source.write_back(wanted({"qbo_balance": "5"}))
    (after,) = flat(await pages(source, "deal"))
    assert isinstance(before, Seen)
    assert isinstance(after, Seen)
    assert before.record == after.record
    assert before.version != after.version


async def test_an_answer_lost_after_the_effect_is_uncertain_and_repeating_is_harmless(held: Account) -> None:
    source = held.source(mapping=MAPPING)
    await source.prepare(write=True)
    await held.control("POST", "/faults", {"kind": "lost_answer", "method": "PATCH"})
    values = {"qbo_balance": "12.34"}
    assert (await source.write_back(wanted(values))).outcome == "uncertain"
    assert (await source.write_back(wanted(values))).outcome == "accepted"
    assert [values, values] == await writes(held)
    assert held.emulator.portal.tables["deals"].rows[512].properties["qbo_balance"] == "12.34"


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        ({"kind": "status", "status": 429, "retry_after": 7}, 7.0),
        ({"kind": "status", "status": 429}, 10.0),
        ({"kind": "status", "status": 500}, 10.0),
        ({"kind": "status", "status": 503, "retry_after": 90}, 90.0),
    ],
)
async def test_a_busy_hubspot_means_later(held: Account, fault: dict[str, object], retry_after: float) -> None:
    await held.control("POST", "/faults", {**fault, "method": "PATCH"})
    result = await held.source().write_back(wanted({"dealname": "x"}))
    assert ("later", retry_after) == (result.outcome, result.retry_after)
    assert await writes(held) == []


async def test_a_customer_s_validation_rule_is_told_in_plain_words(held: Account) -> None:
    result = await held.source().write_back(wanted({"amount": "a lot"}))
    assert result.outcome == "rejected"
    assert result.reason == "HubSpot refuses the values: amount: 'a lot' was not a valid number."
    assert "validation rule" in result.fix


async def test_a_deleted_deal_is_told(held: Account) -> None:
    await held.control("DELETE", "/people/deals/512")
    result = await held.source().write_back(wanted({"dealname": "x"}))
    assert result.outcome == "rejected"
    assert "was deleted or merged" in result.fix


async def test_a_wrong_token_blames_the_connection_and_not_the_record(held: Account) -> None:
    result = await held.source(access_token="expired").write_back(wanted({"dealname": "x"}))
    assert result.outcome == "later"
    assert "Check the connection's token" in result.fix


async def test_a_hubspot_that_cannot_be_reached_means_later(held: Account) -> None:
    result = await held.source(base_url="http://127.0.0.1:9").write_back(wanted({"dealname": "x"}))
    assert result.outcome == "later"
    assert "cannot be reached" in result.reason
