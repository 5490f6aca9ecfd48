"""What write-back needs at HubSpot: told first, made on request, and never at the expense of what is somebody's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from counterfoil.sources.port import SourceError, WriteBack
from support.cli import Ran, Shop, make_shop
from support.hubspot import Account, account, company, deal, invoice
from support.postgres import Database
from support.quickbooks_emulator import emulator_process

WRITTEN = {
    "invoice_number": "qbo_number",
    "status": "qbo_status",
    "balance": "qbo_balance",
    "due_date": "qbo_due",
    "document_link": "qbo_link",
    "problem": "qbo_problem",
}
MAPPING = {"invoice": {"from": ["deal", "invoice"]}, "write_back": WRITTEN}
KEYED: dict[str, Any] = {"key_property": "qbo_key"}


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        await fresh.load(companies=[company(1)], deals=[deal(512)], invoices=[invoice(41)])
        yield fresh


def somebody_s(held: Account, kind: str, name: str, **definition: object) -> None:
    """A property that somebody made."""
    table = held.emulator.portal.tables[kind]
    usual = {"name": name, "label": "Mine", "groupName": "information", "fieldType": "text", "options": []}
    access = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False}
    table.properties[name] = {**usual, "type": "string", "modificationMetadata": access, **definition}


async def test_what_is_missing_is_made_with_its_type_in_our_group_and_nothing_else_is_touched(held: Account) -> None:
    somebody_s(held, "deals", "qbo_number", label="Their number")
    source = held.source(mapping=MAPPING, **KEYED)
    needs = {(need.what.rpartition(" of ")[2], need.name): need for need in await source.prepare(write=False)}
    assert {where for where, need in needs.items() if need.state == "there"} == {("deals", "qbo_number")}
    assert len(needs) == 14
    assert needs["deals", "qbo_balance"].scopes == ("crm.schemas.deals.write", "crm.objects.deals.write")
    assert needs["invoices", "qbo_key"].what == "unique text property of invoices"
    assert (await held.control("GET", "/journal"))["entries"] == []
    for _ in range(2):
        assert {need.state for need in await source.prepare(write=True)} == {"there"}
    for kind in ("deals", "invoices"):
        made = {
            name: (one["type"], one["fieldType"], one["hasUniqueValue"])
            for name, one in held.emulator.portal.tables[kind].properties.items()
            if one["groupName"] == "counterfoil"
        }
        wanted = {
            "qbo_number": ("string", "text", False),
            "qbo_status": ("string", "text", False),
            "qbo_balance": ("number", "number", False),
            "qbo_due": ("date", "date", False),
            "qbo_link": ("string", "text", False),
            "qbo_problem": ("string", "textarea", False),
            "qbo_key": ("string", "text", True),
        }
        if kind == "deals":
            del wanted["qbo_number"]
        assert made == wanted
    assert held.emulator.portal.tables["deals"].properties["qbo_number"]["label"] == "Their number"
    assert "counterfoil" not in held.emulator.portal.tables["companies"].groups


@pytest.mark.parametrize(
    ("name", "definition", "problem"),
    [
        ("qbo_balance", {"type": "date"}, "its type is date, not number."),
        ("qbo_balance", {"type": "string"}, ""),
        ("qbo_due", {"type": "number"}, "its type is number, not date."),
        ("qbo_status", {"type": "enumeration", "options": [{"value": "open"}]}, "its type is enumeration, not string."),
        (
            "qbo_status",
            {
                "type": "enumeration",
                "options": [
                    {"value": word}
                    for word in ("open", "partial", "paid", "overpaid", "credited", "voided", "deleted", "more")
                ],
            },
            "",
        ),
        ("qbo_number", {"modificationMetadata": {"readOnlyValue": True}}, "HubSpot alone sets it."),
        ("qbo_key", {}, "its values need not be unique, and that cannot be changed afterwards."),
    ],
)
async def test_what_is_somebody_s_and_not_fit_is_said_and_stays(
    held: Account, name: str, definition: dict[str, object], problem: str
) -> None:
    somebody_s(held, "deals", name, **definition)
    before = dict(held.emulator.portal.tables["deals"].properties[name])
    source = held.source(mapping={**MAPPING, "invoice": {"from": ["deal"]}}, **KEYED)
    needs = {need.name: need for need in await source.prepare(write=True)}
    assert (needs[name].problem, needs[name].state) == (problem, "wrong" if problem else "there")
    assert held.emulator.portal.tables["deals"].properties[name] == before


async def test_a_scope_that_the_token_lacks_is_named(held: Account) -> None:
    every = {f"crm.objects.{name}.read" for name in ("companies", "deals", "invoices", "line_items", "products")}
    held.emulator.credentials.scopes = frozenset(every)
    source = held.source(mapping=MAPPING)
    assert {need.state for need in await source.prepare(write=False)} == {"missing"}
    with pytest.raises(SourceError) as caught:
        await source.prepare(write=True)
    assert "crm.schemas.deals.write" in caught.value.remedy
    refused = await source.write_back(
        WriteBack(kind="invoice", source_id="41", values={"hs_title": "x"}, request_id="r1")
    )
    assert (refused.outcome, "crm.objects.invoices.write" in refused.fix) == ("rejected", True)
    held.emulator.credentials.scopes = frozenset(every - {"crm.objects.invoices.read"})
    with pytest.raises(SourceError) as caught:
        [page async for page in source.changes("invoice", None)]
    assert "crm.objects.invoices.read" in caught.value.remedy


async def test_a_record_is_found_again_by_its_key_and_none_is_ever_created(held: Account) -> None:
    source = held.source(mapping=MAPPING, **KEYED)
    await source.prepare(write=True)
    request = WriteBack(kind="deal", source_id="512", values={"qbo_status": "open"}, request_id="r1")
    assert (await source.write_back(request)).outcome == "accepted"
    deals = held.emulator.portal.tables["deals"]
    assert deals.rows[512].properties["qbo_key"] == "counterfoil:deal:512"
    # Somebody exports the deal and brings it in again: another id, the same values.
    values = {"dealname": "Again", "qbo_key": "counterfoil:deal:512"}
    await held.control("DELETE", "/people/deals/512")
    del deals.rows[512].properties["qbo_key"]
    again = await held.control("POST", "/people/deals", {"properties": values})
    paid = WriteBack(kind="deal", source_id="512", values={"qbo_status": "paid"}, request_id="r2")
    assert (await source.write_back(paid)).outcome == "accepted"
    assert deals.rows[int(str(again["id"]))].properties["qbo_status"] == "paid"
    gone = WriteBack(kind="deal", source_id="404", values={"qbo_status": "paid"}, request_id="r3")
    before = len(deals.rows)
    assert (await source.write_back(gone)).outcome == "rejected"
    assert len(deals.rows) == before


HUBSPOT = """
[company.1.source.hubspot]
adapter = "hubspot"
mapping = "hubspot.toml"
access_token = "TOKEN"
base_url = "URL"
"""
MAPPING_FILE = """[connection]
source = "hubspot"
zone = "America/New_York"

[invoice]
from = ["deal", "qoute"]

[write_back]
status = "qbo_status"
balance = "dealnam"
problem = "closedate"
"""


async def test_check_names_the_place_setup_previews_and_then_makes(
    held: Account, database: Database, tmp_path: Path
) -> None:
    with emulator_process("--limits", "off") as books:
        shop = make_shop(tmp_path / "shop", books, database)
        configured = (shop.folder / "counterfoil.toml").read_text(encoding="utf-8").partition("[company.1.source")[0]
        given = {"TOKEN": held.emulator.credentials.access_token, "URL": held.emulator.base_url}
        told = HUBSPOT.replace("TOKEN", given["TOKEN"]).replace("URL", given["URL"])
        shop.write("counterfoil.toml", configured + told)
        shop.write("hubspot.toml", MAPPING_FILE)
        errors = [one for one in (await check(shop))["findings"] if one["level"] == "error"]
        misfit = "its type is datetime, not string."
        assert [(one["line"], one["column"]) for one in errors] == [(6, 17), (9, 10), (10, 11), (11, 11)]
        assert errors[0]["says"].endswith('has no such records; did you mean "quote"?')
        errors = errors[1:]
        assert [one["says"].removeprefix("[write_back] ") for one in errors] == [
            'status names "qbo_status", no text property of deals in hubspot.',
            'balance names "dealnam", no number property of deals in hubspot; did you mean "dealname"?',
            'problem names "closedate", which cannot be written to as text property of deals: ' + misfit,
        ]
        assert "counterfoil adapters setup hubspot --apply" in errors[0]["fix"]
        shop.replace("hubspot.toml", "dealnam", "qbo_balance")
        preview = await ran(shop, "adapters", "setup")
        assert preview.code == 1, preview.said
        assert "Nothing was changed." in preview.out
        assert "crm.schemas.deals.write" in preview.out
        assert "qbo_status" not in held.emulator.portal.tables["deals"].properties
        done = (await ran(shop, "adapters", "setup", "hubspot", "--apply", "--json")).json()["connections"][0]
        assert (done["made"], [need["state"] for need in done["needs"]]) == (
            ["qbo_status", "qbo_balance"],
            ["there", "there", "wrong"],
        )
        shop.replace("hubspot.toml", '"closedate"', '"qbo_problem"')
        again = await ran(shop, "adapters", "setup", "--apply")
        assert (again.code, "3 there" in again.out) == (0, True), again.said


async def ran(shop: Shop, *arguments: str) -> Ran:
    """A command, while the account in this process goes on answering."""
    return await asyncio.to_thread(shop.run, *arguments)


async def check(shop: Shop) -> Any:
    return (await ran(shop, "mapping", "check", "--json")).json()["connections"][0]
