"""Prism between adapters and emulators: it holds each call and each answer against the description of the API.

Prism (`@stoplight/prism-cli`) is somebody else's reading of OpenAPI. Both sides speak through it for a whole walk:
a reading, a second one from its cursor, single records, values written back, webhooks set up.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from counterfoil.sources import SourceAdapter, WriteBack
from support import bamboohr, gusto, hubspot, pipedrive, salesforce
from support.npm import installed
from support.ports import free_port

HERE = Path(__file__).parent / "prism"
SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"
START_SECONDS = 60
NOWHERE = "/nowhere"

LEFT_OUT = {
    # The description is generated from the models of Gusto's client, which has none for these.
    "gusto/gusto.openapi.json": [("get", "/v1/companies/{company_id}/payroll_reversals")],
    # Cut down to what is read; a field of an employee is written by this one.
    # Without groups of properties (one is made for those that hold what is written back) and without the account.
    "hubspot/hubspot-crm-2026-09.openapi.json": [
        ("post", "/crm/properties/2026-09/{objectType}/groups"),
        ("get", "/account-info/2026-09/details"),
    ],
    "bamboohr/bamboohr.openapi.json": [("post", "/api/v1/employees/{id}")],
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SPECS.exists(), reason="the API descriptions are not beside the repository"),
]
Walk = Callable[["Proxied"], Awaitable[None]]


class Proxied:
    """One Prism in front of one emulator; `lines` are what it says."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self.lines: list[str] = []

    def troubles(self) -> list[str]:
        """What it found fault with, on either side."""
        found = [line for line in self.lines if "✖" in line or "⚠" in line or "iolation" in line]
        return [line for line in found if NOWHERE not in line]

    def answers(self) -> int:
        """How many calls it passed on."""
        return sum("Received forward response" in line for line in self.lines)

    @asynccontextmanager
    async def before(self, upstream: str, document: dict[str, Any]) -> AsyncIterator[str]:
        """Prism's address, while it stands before a server."""
        path = self._folder / "described.json"
        path.write_text(json.dumps(document))
        port = free_port()
        options = ("--errors", "-h", "127.0.0.1", "-p", str(port))
        process = await asyncio.create_subprocess_exec(
            *self._command,
            "proxy",
            *options,
            str(path),
            upstream,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        listening = asyncio.Event()
        reading = asyncio.create_task(self._read(process, listening))
        try:
            await asyncio.wait_for(listening.wait(), START_SECONDS)
            yield f"http://127.0.0.1:{port}"
            await self._last_word(f"http://127.0.0.1:{port}{NOWHERE}")
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await reading

    async def _last_word(self, url: str) -> None:
        """Ask for what no description has: once Prism has said so, it has said everything before it."""
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert answer.status == 404
        async with asyncio.timeout(START_SECONDS):
            while not any(NOWHERE in line and "NO_PATH_MATCHED_ERROR" in line for line in self.lines):
                await asyncio.sleep(0.01)

    async def _read(self, process: asyncio.subprocess.Process, listening: asyncio.Event) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = re.sub(r"\x1b\[[0-9;]*m", "", raw.decode(errors="replace")).rstrip()
            self.lines.append(line)
            if "listening on" in line:
                listening.set()


async def prism_in(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Proxied:
    node, installed_in = await asyncio.to_thread(installed, tmp_path_factory, HERE)
    return Proxied([node, str(installed_in / "node_modules/@stoplight/prism-cli/dist/index.js")], folder)


def described(name: str) -> dict[str, Any]:
    """A description; the calls that it leaves out are let through, unjudged."""
    document: dict[str, Any] = json.loads((SPECS / name).read_text())
    for method, path in LEFT_OUT.get(name, ()):
        names = re.findall(r"{(\w+)}", path)
        parameters = [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in names]
        anything: dict[str, Any] = {
            "parameters": parameters,
            "responses": {"default": {"description": "Not described."}},
        }
        if method == "post":
            anything["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
        document["paths"].setdefault(path, {})[method] = anything
    return document


async def read_twice(source: SourceAdapter, again: Callable[[], Awaitable[object]]) -> None:
    """Everything, something changes, and what changed."""
    cursors = {kind: await last_cursor(source, kind, None) for kind in source.kinds()}
    await again()
    for kind, cursor in cursors.items():
        await last_cursor(source, kind, cursor)


async def last_cursor(source: SourceAdapter, kind: str, cursor: str | None) -> str | None:
    async for page in source.changes(kind, cursor):
        cursor = page.cursor
        if page.done:
            break
    return cursor


async def through_hubspot(prism: Proxied) -> None:
    async with hubspot.account() as held:
        await held.load(
            companies=[hubspot.company(1, "Zoë & Söhne")],
            products=[hubspot.product(7, "9.90")],
            contacts=[hubspot.contact(2)],
            deals=[hubspot.deal(51), hubspot.deal(52)],
            quotes=[hubspot.quote(31)],
            invoices=[hubspot.invoice(41, hs_amount_billed="9.90")],
            commerce_payments=[hubspot.payment(71, "9.90", hs_refunds_amount="1.00")],
            line_items=[hubspot.line_item(9, "9.90", hs_product_id="7"), hubspot.line_item(10, "9.90")],
            associations=[
                hubspot.link("deals", 51, "line_items", 9),
                hubspot.link("deals", 51, "companies", 1),
                hubspot.link("invoices", 41, "line_items", 10),
                hubspot.link("invoices", 41, "contacts", 2),
                hubspot.link("commerce_payments", 71, "invoices", 41),
            ],
        )
        mapping = {
            "customer": {"from": ["company", "contact"]},
            "invoice": {"from": ["deal", "invoice"]},
            "estimate": {"from": ["quote"]},
            "payment": {"from": ["payment"]},
            "write_back": {"balance": "qbo_balance"},
        }
        async with prism.before(held.emulator.base_url, described("hubspot/hubspot-crm-2026-09.openapi.json")) as url:
            source = held.source(base_url=url, mapping=mapping, timeout_seconds=30, key_property="our_key")
            path = "/people/deals/51"
            await read_twice(source, lambda: held.control("PATCH", path, {"properties": {"dealname": "New"}}))
            await source.read("deal", "51")
            await source.read("payment", "71")
            await source.prepare(write=True)
            await written_back(source, "deal", "51", {"qbo_balance": "12.50"})
            await written_back(source, "invoice", "41", {"qbo_balance": "0.00"})


async def written_back(source: SourceAdapter, kind: str, source_id: str, values: dict[str, str]) -> None:
    asked = WriteBack(kind=kind, source_id=source_id, values=values, request_id="r")
    result = await source.write_back(asked)
    assert result.outcome == "accepted", result


async def through_salesforce(prism: Proxied) -> None:
    async with salesforce.org() as held:
        await held.control("POST", "/setup", {"fields": {"Opportunity": "QBO_Balance__c:currency"}})
        await held.load(
            Account=[salesforce.account(1, "Zoë & Söhne")],
            Product2=[salesforce.product(11)],
            PricebookEntry=[salesforce.price(held, 11, "9.90")],
            Opportunity=[salesforce.opportunity(1, 1), salesforce.opportunity(2, 1)],
            OpportunityLineItem=[salesforce.line(10, 1, 11, "2", UnitPrice="9.90")],
        )
        won = salesforce.record_id("006", 1)
        mapping = {"write_back": {"balance": "QBO_Balance__c"}}
        async with prism.before(held.emulator.base_url, described("salesforce/salesforce-rest.openapi.json")) as url:
            held.emulator.base_url = url  # a token says where the org is
            source = held.source(login_url=url, mapping=mapping, page_rows=1, timeout_seconds=30)
            path = f"/people/Opportunity/{won}"
            await read_twice(source, lambda: held.control("PATCH", path, {"Name": "New"}))
            await source.read("opportunity", won)
            await written_back(source, "opportunity", won, {"QBO_Balance__c": "12.50"})


async def through_pipedrive(prism: Proxied) -> None:
    async with pipedrive.account() as held:
        await held.load(
            fields={"deal": [{"field_name": "Terms", "field_type": "enum", "options": ["Net 15"]}]},
            organizations=[pipedrive.organization(4)],
            persons=[pipedrive.person(21)],
            products=[pipedrive.product(31, "9.90")],
            deals=[
                pipedrive.deal(1, org_id=4, products=[pipedrive.line(9, "9.90", 2, product_id=31)]),
                pipedrive.deal(2, person_id=21),
            ],
        )
        company = str(held.emulator.identity.company_id)
        mapping = {"write_back": {"balance": "qbo_balance"}}
        async with prism.before(held.emulator.base_url, both_versions()) as url:
            source = held.source(base_url=url, page_rows=1, company_id=company, mapping=mapping, timeout_seconds=30)
            await read_twice(source, lambda: held.control("PATCH", "/people/deals/1", {"title": "New"}))
            await source.read("deal", "1")
            await written_back(source, "deal", "1", {"qbo_balance": "12.50"})


def both_versions() -> dict[str, Any]:
    """Pipedrive's two descriptions as one, with the paths as they are called."""
    second = described("pipedrive/pipedrive-v2.openapi.json")
    renamed = (SPECS / "pipedrive/pipedrive-v1.openapi.json").read_text().replace('"#/components/', '"#/components/V1')
    first = json.loads(renamed)
    for name, parts in first["components"].items():
        if name != "securitySchemes":
            second["components"][f"V1{name}"] = parts
    paths = {f"/api/v2{path}": operations for path, operations in second["paths"].items()}
    return {**second, "servers": [], "paths": paths | {f"/v1{path}": one for path, one in first["paths"].items()}}


async def through_bamboohr(prism: Proxied) -> None:
    async with bamboohr.bamboohr() as company:
        entries = [bamboohr.worked(100, company.day(-1), 7), bamboohr.worked(101, company.day(-2), "0.5")]
        people = [bamboohr.person(number) for number in range(3)]
        fields = {"customQuickBooksId": "text"}
        await company.control("/load", {"employees": [*people], "time": [*entries], "custom_fields": {**fields}})
        mapping = {"write_back": {"employee_id": "customQuickBooksId"}, "time": {"track": "class"}}
        async with prism.before(company.emulator.base_url, described("bamboohr/bamboohr.openapi.json")) as url:
            source = company.source({"base_url": url, "compensation": True}, mapping)

            async def change() -> None:
                await company.control("/people/101/change", {"lastName": "Else"})
                await company.control("/people/102/delete")
                await company.control("/time/1/delete")

            await read_twice(source, change)
            await source.read("employee", "101")
            await written_back(source, "employee", "101", {"customQuickBooksId": "55"})
            await source.subscribe("https://books.example/hooks")


async def through_gusto(prism: Proxied) -> None:
    async with gusto.gusto() as company:
        day = company.clock.now().date().isoformat()
        people = [gusto.person("e0", "5000.00"), gusto.person("e1", "6000.00")]
        await company.control(
            "/load", {"employees": gusto.employees(3), "payrolls": [gusto.payroll("p1", day, [*people])]}
        )
        paid = [gusto.contractor_payment("cp1", "c1", day), gusto.contractor_payment("cp2", "c2", day)]
        await company.control("/load", {"contractors": gusto.contractors(), "contractor_payments": [*paid]})
        async with prism.before(company.emulator.base_url, described("gusto/gusto.openapi.json")) as url:
            hooks = "http://127.0.0.1:9/hooks"
            settings = {"base_url": url, "access_token": None, "verification_token": None, "webhook_url": hooks}
            # The report itself lies where no description reaches: only asking for it goes this way.
            source = company.source(settings, mapping={"payroll": {"ledger": "warn", "minimum_people": 1}})
            await read_twice(source, lambda: company.control("/people/payrolls/p1/reverse"))
            for kind, source_id in (("employee", "e1"), ("payroll", "p1"), ("contractor", "c2")):
                await source.read(kind, source_id)
            await source.read("contractor_payment", "cp1")
            await source.prepare(write=True)


WALKS: dict[str, Walk] = {
    "hubspot": through_hubspot,
    "salesforce": through_salesforce,
    "pipedrive": through_pipedrive,
    "bamboohr": through_bamboohr,
    "gusto": through_gusto,
}


@pytest.mark.parametrize("source", WALKS)
async def test_neither_side_says_what_the_description_does_not_know(
    source: str, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    prism = await prism_in(tmp_path_factory, tmp_path)
    try:
        await WALKS[source](prism)
    finally:
        assert prism.troubles() == []
    assert prism.answers() > 10


async def test_prism_would_tell(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """An answer that Gusto's description does not allow."""

    async def wrong(_: web.Request) -> web.Response:
        return web.json_response(["not", "an", "object"])

    prism = await prism_in(tmp_path_factory, tmp_path)
    stub = web.Application()
    stub.router.add_get("/{path:.*}", wrong)
    runner = web.AppRunner(stub)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with (
            prism.before(upstream, described("gusto/gusto.openapi.json")) as url,
            aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as http,
            http.get(url + "/v1/token_info") as answer,
        ):
            assert answer.status == 500
    finally:
        await runner.cleanup()
    (told,) = prism.troubles()
    assert "#VIOLATIONS" in told
