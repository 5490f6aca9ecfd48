"""Every source refuses in its own way, between its emulator and the real command line; and each is told, kept, mended.

One journey for each kind of refusal, with all sources of one company at once. What must be said is written here, from
what the vendors say.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from counterfoil.postgres import Pool
from counterfoil_adapters.pipedrive.emulator.server import ALL_SCOPES
from support import bamboohr, gusto, hubspot, pipedrive, salesforce
from support.cli import Ran, Shop, make_shop
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

HEAD = """
[connection]
source = "{source}"
zone = "UTC"
currency = "USD"
"""
MAPPINGS = {
    "hubspot": '[customer]\nfrom = ["company"]\n[invoice]\nfrom = ["deal"]\n[source]\nnumber_property = "po_number"\n',
    "salesforce": '[customer]\nfrom = ["account"]\n[invoice]\nfrom = ["opportunity"]\n'
    '[source.kinds.opportunity.fields]\nnumber = "PO_Number__c"\n[write_back]\nbalance = "QBO_Balance__c"\n',
    "pipedrive": '[customer]\nfrom = ["organization", "person"]\n[invoice]\nfrom = ["deal"]\n'
    '[source]\nnumber_field = "Terms"\n',
    "bamboohr": '[employee]\ncreate = true\n[write_back]\nemployee_id = "customQuickBooksId"\n',
    "gusto": "[payroll]\nminimum_people = 1\n",
    "files": '[csv.customer]\nfile = "customers.csv"\nrecord = "customer"\nid = "id"\ncolumns = { name = "name" }\n',
}


@dataclass
class Sources:
    """The emulators, and how each is configured."""

    hubspot: hubspot.Account
    salesforce: salesforce.Org
    pipedrive: pipedrive.Account
    bamboohr: bamboohr.Company
    gusto: gusto.Company
    settings: dict[str, dict[str, object]] = field(default_factory=dict)
    mappings: dict[str, str] = field(default_factory=dict)

    def configured(self) -> None:
        """As it should be."""
        self.mappings = dict(MAPPINGS)
        self.settings = {
            "hubspot": self.hubspot.settings(),
            "salesforce": self.salesforce.settings(),
            "pipedrive": self.pipedrive.settings(),
            "bamboohr": dict(self.bamboohr.context().settings),
            "gusto": dict(self.gusto.context({"access_token": None}).settings),
            "files": {"folder": "exports"},
        }


@asynccontextmanager
async def sources() -> AsyncIterator[Sources]:
    async with AsyncExitStack() as stack:
        held = Sources(
            await stack.enter_async_context(hubspot.account()),
            await stack.enter_async_context(salesforce.org()),
            await stack.enter_async_context(pipedrive.account(scopes=ALL_SCOPES - {"deals:read", "deals:full"})),
            await stack.enter_async_context(bamboohr.bamboohr()),
            await stack.enter_async_context(gusto.gusto()),
        )
        await held.hubspot.load(deals=[hubspot.deal(51, po_number="PO-1")])
        await held.salesforce.control(
            "POST", "/setup", {"fields": {"Opportunity": "PO_Number__c:string(40) QBO_Balance__c:currency"}}
        )
        await held.salesforce.load(Opportunity=[salesforce.opportunity(1)])
        terms = {"field_name": "Terms", "field_type": "varchar"}
        await held.pipedrive.load(fields={"deal": [terms]}, deals=[pipedrive.deal(1)])
        await held.bamboohr.control(
            "/load",
            {"employees": [bamboohr.person(1, lastName="Lee")], "custom_fields": {"customQuickBooksId": "text"}},
        )
        paid = gusto.payroll("p1", held.gusto.clock.now().date().isoformat(), [gusto.person("e0", "5000.00")])
        await held.gusto.control("/load", {"employees": gusto.employees(1), "payrolls": [paid]})
        held.configured()
        yield held


def without_credentials(held: Sources) -> Mapping[str, str]:
    held.settings["hubspot"]["access_token"] = "wrong"
    held.settings["salesforce"]["client_secret"] = "wrong"
    held.settings["pipedrive"]["api_token"] = "wrong"
    held.settings["bamboohr"]["api_key"] = "wrong"
    held.settings["gusto"]["client_secret"] = "wrong"
    return {
        "hubspot": "with 401: Authentication credentials not found or expired.",
        "salesforce": "Salesforce refuses our credentials: invalid_client: invalid client credentials",
        "pipedrive": "with 401: unauthorized access. Check the connection's token",
        "bamboohr": "with 401: Unauthorized: the API key or access token is missing, wrong or has ended.",
        "gusto": "Gusto refuses our credentials:",
    }


async def without_scopes(held: Sources) -> Mapping[str, str]:
    objects = ("companies", "products", "line_items")
    held.hubspot.emulator.credentials.scopes = frozenset(f"crm.objects.{name}.read" for name in objects)
    await held.salesforce.control("POST", "/setup", {"scopes": "refresh_token"})
    held.settings["pipedrive"] = {
        **held.pipedrive.settings(api_token=None),
        "client_id": held.pipedrive.emulator.tokens.client_id,
        "client_secret": held.pipedrive.emulator.tokens.client_secret,
        "refresh_token": held.pipedrive.emulator.tokens.refresh_token,
    }
    key = str(held.settings["bamboohr"]["api_key"])
    await held.bamboohr.control(f"/keys/{key}", {"time": False})
    await held.gusto.control("/scopes", {"without": ["payrolls:read"]})
    return {
        "hubspot": "Give the connection's token the scope crm.schemas.deals.read or crm.objects.deals.read in HubSpot.",
        "salesforce": "Give the app the OAuth scope api",
        "pipedrive": "Give the app the scope deals:read",
        "bamboohr": "the OAuth scope time_tracking, or for an API key an access level of its user",
        "gusto": "Give the application the scope payrolls:read, then connect the company again.",
    }


def of_another_tenant(held: Sources) -> Mapping[str, str]:
    held.settings["hubspot"]["portal_id"] = "1"
    held.settings["salesforce"]["org_id"] = "00D000000000009AAA"
    held.settings["pipedrive"]["company_id"] = "1"
    held.bamboohr.emulator.company.people["101"].rows["jobInfo"][0]["employeeId"] = "999"
    held.gusto.emulator.store.employees["e0"]["company_uuid"] = "another"
    return {
        "hubspot": f"opens the HubSpot account {held.hubspot.emulator.portal_id}, not 1.",
        "salesforce": "leads to the Salesforce org",
        "pipedrive": f"is for the company {held.pipedrive.emulator.identity.company_id}, and company_id says 1",
        "bamboohr": "BambooHR shows rows of another employee than",
        "gusto": "of another company than this connection's.",
    }


@pytest.fixture
def books() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


class Company:
    """The command line in a folder, with these sources."""

    def __init__(self, shop: Shop, held: Sources) -> None:
        self._shop = shop
        self._held = held
        plain = (shop.folder / "counterfoil.toml").read_text(encoding="utf-8")
        self._head = plain[: plain.index("[company.1.source.shop]")]

    async def run(self, *arguments: str) -> Ran:
        """A command, with the configuration as it is now."""
        parts = [self._head]
        for name, options in self._held.settings.items():
            adapter = "csv" if name == "files" else name
            self._shop.write(f"{name}.toml", HEAD.format(source=adapter) + self._held.mappings[name])
            given = {"adapter": adapter, "mapping": f"{name}.toml", **options}
            shown = {key: one.get_secret_value() if isinstance(one, SecretStr) else one for key, one in given.items()}
            parts.append(f"[company.1.source.{name}]")
            parts += [f"{key} = {json.dumps(value)}" for key, value in shown.items()]
        self._shop.write("counterfoil.toml", "\n".join(parts) + "\n")
        return await asyncio.to_thread(self._shop.run, *arguments)


@asynccontextmanager
async def company_of(
    tmp_path: Path, books: EmulatorProcess, database: Database
) -> AsyncIterator[tuple[Company, Sources]]:
    async with sources() as held:
        yield Company(make_shop(tmp_path / "shop", books, database), held), held


async def refusals(pool: Pool) -> list[tuple[str, int]]:
    """How often which kind of event about refusals is in the log."""
    rows = await pool.fetch(
        "select event_type, count(*) as n from counterfoil_log.events"
        " where event_type in ('source.refused', 'source.answered') group by 1 order by 1"
    )
    return [(row["event_type"], row["n"]) for row in rows]


@pytest.mark.parametrize("fault", ["credentials", "scopes", "tenant"])
async def test_a_refusal_is_told_at_once_kept_and_forgotten_once_it_is_mended(
    fault: str, tmp_path: Path, books: EmulatorProcess, database: Database, admin_pool: Pool
) -> None:
    async with company_of(tmp_path, books, database) as (company, held):
        match fault:
            case "credentials":
                told = without_credentials(held)
            case "scopes":
                told = await without_scopes(held)
            case _:
                told = of_another_tenant(held)
        checked = await company.run("mapping", "check")
        synced = await company.run("sync", "--json")
        status = " ".join((await company.run("status")).out.split())
        state: Any = books.control("/state")
        recorded = [await refusals(admin_pool)]
        if fault == "credentials":
            await company.run("sync")
            recorded.append(await refusals(admin_pool))
            held.configured()
            mended = await company.run("sync", "--json")
            recorded.append(await refusals(admin_pool))
            assert (mended.code, mended.json()["companies"][0]["troubles"]) == (0, {})
            assert "cannot be read" not in (await company.run("status")).out
    troubles = synced.json()["companies"][0]["troubles"]
    assert (synced.code, checked.code) == (3, 3)
    assert {name: troubles.get(name, "") for name, words in told.items() if words not in troubles.get(name, "")} == {}
    assert {name: checked.said for name, words in told.items() if words not in checked.said} == {}
    assert {name: status for name, words in told.items() if words not in status} == {}
    assert status.count("cannot be read since") == len(told)
    # The same refusal is recorded once, however often it is met.
    assert (
        recorded
        == [[("source.refused", 5)], [("source.refused", 5)], [("source.answered", 5), ("source.refused", 5)]][
            : len(recorded)
        ]
    )
    assert [name for name in ("Invoice", "JournalEntry", "TimeActivity") if state.get(name)] == []


async def test_a_name_that_the_source_does_not_have_is_told_with_its_place_and_the_nearest(
    tmp_path: Path, books: EmulatorProcess, database: Database
) -> None:
    async with company_of(tmp_path, books, database) as (company, held):
        for name, right, wrong in WRONG_NAMES:
            assert right in held.mappings[name]
            held.mappings[name] = held.mappings[name].replace(right, wrong)
        checked = await company.run("mapping", "check", "--json")
        synced = await company.run("sync", "--json")
        troubles = synced.json()["companies"][0]["troubles"]
    assert (checked.code, synced.code) == (1, 3)
    found = {
        (one["connection"], at["line"], at["column"]): f"{at['says']} {at['fix']}"
        for one in checked.json()["connections"]
        for at in one["findings"]
        if at["level"] == "error" and at["line"] is not None
    }
    assert {place: told for place, told in NEAREST.items() if told not in found.get(place, "")} == {}
    assert len(found) == len(NEAREST)
    at_sync = {name: told for (name, _, _), told in NEAREST.items() if name not in {"bamboohr", "salesforce"}}
    assert {name: troubles for name, told in at_sync.items() if told not in troubles.get(name, "")} == {}
    assert "no field PO_Numbr__c on Opportunity" in troubles["salesforce"]


WRONG_NAMES = [
    ("hubspot", "po_number", "po_numbr"),
    ("salesforce", "PO_Number__c", "PO_Numbr__c"),
    ("salesforce", "QBO_Balance__c", "QBO_Balnce__c"),
    ("pipedrive", "Terms", "Trms"),
    ("bamboohr", "customQuickBooksId", "customQuickBookId"),
    ("files", '"name" }', '"nam" }'),
]
# Lines and columns as the mappings above have them, below the five lines of their head.
NEAREST = {
    ("hubspot", 11, 19): 'HubSpot has no property of deals called "po_numbr". Did you mean "po_number"?',
    ("salesforce", 11, 10): "no field PO_Numbr__c on Opportunity, which number of opportunity is read from."
    " Did you mean PO_Number__c?",
    ("salesforce", 13, 11): 'no field on Opportunity called "QBO_Balnce__c". Did you mean "QBO_Balance__c"?',
    ("pipedrive", 11, 16): 'Pipedrive has no deal field called "Trms". Did you mean "Terms"?',
    ("bamboohr", 9, 15): 'no field of employees called "customQuickBookId". Did you mean "customQuickBooksId"?',
    ("files", 10, 20): "customers.csv has no column 'nam'. Did you mean 'name'?",
}
