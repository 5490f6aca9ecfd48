"""Every entity of Intuit's accounting API through the client: made, read, changed both ways, found, counted, ended."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from pydantic import SecretStr

from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.oauth import ClientCredentials
from counterfoil.quickbooks.online.operations import Operation
from counterfoil.quickbooks.online.outcomes import Accepted, Found, NotFound, QueryPage
from counterfoil.quickbooks.online.query import FILTERABLE, select
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps
from support.quickbooks_company import applied, line, posting
from support.quickbooks_double import Connected, connected_client
from support.quickbooks_emulator import EmulatorProcess, emulator_process

SERVICES, UNDEPOSITED, CHECKING, WAGES = "1", "4", "35", "60"


@dataclass
class Company:
    """The client and its company, with a number for each request."""

    quickbooks: Connected
    control: Callable[[str, object], JsonObject]
    requests: int = 0
    ids: dict[str, str] = field(default_factory=dict)

    async def write(self, entity: str, body: JsonObject, operation: Operation = "create") -> JsonObject:
        self.requests += 1
        outcome = await self.quickbooks.client.write(
            entity,
            dumps(body),
            request_id=f"r{self.requests}",
            operation=operation,
            lane=Lane.LIVE,
            deadline=self.quickbooks.clock.monotonic() + 30,
        )
        assert isinstance(outcome, Accepted), outcome
        return outcome.document

    async def made(self, entity: str, body: JsonObject) -> JsonValue:
        """The id of a record that another one needs."""
        return (await self.write(entity, body))["Id"]

    def ref(self, name: str) -> JsonObject:
        return {"value": self.ids[name]}


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "5") as process:
        yield process


@pytest.fixture
async def company(emulator: EmulatorProcess) -> AsyncIterator[Company]:
    async with connected_client(
        emulator["base_url"],
        grant_url=emulator["token_url"],
        realm_id=emulator["realm_id"],
        credentials=ClientCredentials(emulator["client_id"], SecretStr(emulator["client_secret"])),
        refresh_token=SecretStr(emulator["refresh_token"]),
        refreshed=False,
    ) as connected:
        opened = Company(connected, emulator.control)
        # One emulator serves all tests: names are told apart by how far its journal has come.
        mark = str(emulator.control("/journal")["total"])
        opened.requests = int(mark) * 100
        item: JsonObject = {"Name": f"Hours {mark}", "Type": "Service", "IncomeAccountRef": {"value": SERVICES}}
        # One item is for both sides: what is ordered from vendors is an item too.
        item["ExpenseAccountRef"] = {"value": WAGES}
        parts: dict[str, tuple[str, JsonObject]] = {
            "customer": ("Customer", {"DisplayName": f"Ann {mark}"}),
            "vendor": ("Vendor", {"DisplayName": f"Bo {mark}"}),
            "employee": ("Employee", {"GivenName": "Cy", "FamilyName": mark}),
            "item": ("Item", item),
        }
        for name, (entity, body) in parts.items():
            opened.ids[name] = str(await opened.made(entity, body))
        opened.ids["mark"] = mark
        yield opened


def spent(amount: str) -> JsonObject:
    detail: JsonObject = {"AccountRef": {"value": WAGES}}
    return {
        "Amount": Decimal(amount),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    }


def deposited(amount: str) -> JsonObject:
    detail: JsonObject = {"AccountRef": {"value": SERVICES}}
    return {"Amount": Decimal(amount), "DetailType": "DepositLineDetail", "DepositLineDetail": detail}


async def sale(company: Company) -> JsonObject:
    return {"CustomerRef": company.ref("customer"), "Line": [line(company.ids["item"], "10.00")]}


async def refund(company: Company) -> JsonObject:
    return {**await sale(company), "DepositToAccountRef": {"value": CHECKING}}


async def payment(company: Company) -> JsonObject:
    invoice = await company.made("Invoice", await sale(company))
    applied_to: list[JsonValue] = [applied("Invoice", str(invoice), "10.00")]
    return {"CustomerRef": company.ref("customer"), "TotalAmt": Decimal(10), "Line": applied_to}


async def bill(company: Company) -> JsonObject:
    return {"VendorRef": company.ref("vendor"), "Line": [spent("5.00")]}


async def bill_payment(company: Company) -> JsonObject:
    owed = await company.made("Bill", await bill(company))
    paid: list[JsonValue] = [applied("Bill", str(owed), "5.00")]
    check: JsonObject = {"BankAccountRef": {"value": CHECKING}}
    return {
        "VendorRef": company.ref("vendor"),
        "TotalAmt": Decimal(5),
        "PayType": "Check",
        "CheckPayment": check,
        "Line": paid,
    }


async def purchase(company: Company) -> JsonObject:
    del company
    return {"PaymentType": "Cash", "AccountRef": {"value": CHECKING}, "Line": [spent("5.00")]}


async def order(company: Company) -> JsonObject:
    return {**await bill(company), "APAccountRef": {"value": "33"}}


async def entry(company: Company) -> JsonObject:
    del company
    return {"Line": [posting("Debit", WAGES, "7.00"), posting("Credit", CHECKING, "7.00")]}


async def time(company: Company) -> JsonObject:
    return {
        "NameOf": "Employee",
        "EmployeeRef": company.ref("employee"),
        "TxnDate": "2026-11-15",
        "Hours": 8,
        "Minutes": 0,
    }


async def deposit(company: Company) -> JsonObject:
    del company
    return {"DepositToAccountRef": {"value": CHECKING}, "Line": [deposited("9.00")]}


async def transfer(company: Company) -> JsonObject:
    del company
    return {
        "FromAccountRef": {"value": CHECKING},
        "ToAccountRef": {"value": UNDEPOSITED},
        "Amount": Decimal(20),
    }


def named(field_name: str, **more: JsonValue) -> Callable[[Company], Awaitable[JsonObject]]:
    async def body(company: Company) -> JsonObject:
        return {field_name: f"New {company.ids['mark']}", **more}

    return body


LISTS: dict[str, Callable[[Company], Awaitable[JsonObject]]] = {
    "Customer": named("DisplayName"),
    "Vendor": named("DisplayName"),
    "Employee": named("GivenName"),
    "Item": named("Name", Type="Service", IncomeAccountRef={"value": SERVICES}),
    "Account": named("Name", AccountType="Other Current Liability", AccountSubType="PayrollClearing"),
    "Class": named("Name"),
    "Department": named("Name"),
    "Term": named("Name", DueDays=10),
    "PaymentMethod": named("Name"),
}
TRANSACTIONS: dict[str, Callable[[Company], Awaitable[JsonObject]]] = {
    "Invoice": sale,
    "Estimate": sale,
    "SalesReceipt": sale,
    "CreditMemo": sale,
    "RefundReceipt": refund,
    "Payment": payment,
    "Bill": bill,
    "BillPayment": bill_payment,
    "VendorCredit": bill,
    "Purchase": purchase,
    "PurchaseOrder": order,
    "JournalEntry": entry,
    "TimeActivity": time,
    "Deposit": deposit,
    "Transfer": transfer,
    "Attachable": named("Note"),
}
VOIDED = ("Invoice", "Payment", "SalesReceipt", "BillPayment")
NOTES = {"Attachable": "Note", "TimeActivity": "Description"}


async def read(company: Company, entity: str, identifier: JsonValue) -> JsonObject:
    outcome = await company.quickbooks.client.read(entity, str(identifier), Lane.LIVE)
    assert isinstance(outcome, Found), outcome
    return outcome.document


async def found(company: Company, entity: str, identifier: JsonValue) -> list[JsonValue]:
    query = select(entity).where("Id", "=", str(identifier))
    page = await company.quickbooks.client.query(query, Lane.LIVE)
    assert isinstance(page, QueryPage), page
    return [row["Id"] for row in page.rows]


def key(record: JsonObject) -> JsonObject:
    return {"Id": record["Id"], "SyncToken": record["SyncToken"]}


async def changed_both_ways(company: Company, entity: str, made: JsonObject, note: str) -> JsonObject:
    """A sparse update leaves alone what it does not name; a full one sends the whole, and blanks what is left out."""
    sparse = await company.write(entity, {**key(made), "sparse": True, **lines_of(entity, made), note: "one"}, "update")
    assert (sparse["SyncToken"], sparse[note]) == ("1", "one")
    whole: JsonObject = {**await read(company, entity, made["Id"]), "sparse": False, note: "two"}
    full = await company.write(entity, whole, "update")
    assert (full["SyncToken"], full[note]) == ("2", "two")
    if entity == "Attachable":
        return full  # without a file its note is all there is
    without: JsonObject = {name: value for name, value in full.items() if name != note}
    blanked = await company.write(entity, {**without, "sparse": False}, "update")
    assert (blanked["SyncToken"], blanked.get(note)) == ("3", None)
    return blanked


def lines_of(entity: str, made: JsonObject) -> JsonObject:
    """Sales receipts and bills' payments want their lines in a sparse update too (Intuit: their pages)."""
    return {"Line": made["Line"]} if entity in {"SalesReceipt", "BillPayment", "Payment"} else {}


@pytest.mark.parametrize("entity", LISTS)
async def test_a_list_entry_lives_and_is_made_inactive(company: Company, entity: str) -> None:
    made = await company.write(entity, await LISTS[entity](company))
    assert (await read(company, entity, made["Id"]))["Id"] == made["Id"]
    name = "DisplayName" if entity in {"Customer", "Vendor"} else "GivenName" if entity == "Employee" else "Name"
    sparse = await company.write(entity, {**key(made), "sparse": True, name: f"{made[name]} b"}, "update")
    whole: JsonObject = {**await read(company, entity, made["Id"]), "sparse": False, name: f"{made[name]} c"}
    full = await company.write(entity, whole, "update")
    assert (sparse["SyncToken"], full["SyncToken"], full[name]) == ("1", "2", f"{made[name]} c")
    assert await found(company, entity, made["Id"]) == [made["Id"]]
    before = await company.quickbooks.client.count(select(entity).where("Active", "=", True), Lane.LIVE)
    gone = await company.write(entity, {**key(full), "sparse": True, "Active": False}, "update")
    assert gone["Active"] is False
    after = await company.quickbooks.client.count(select(entity).where("Active", "=", True), Lane.LIVE)
    assert isinstance(before, int)
    assert after == before - 1
    hidden = await company.quickbooks.client.query(
        select(entity).where("Id", "=", str(made["Id"])).with_inactive(), Lane.LIVE
    )
    assert isinstance(hidden, QueryPage)
    assert [row["Id"] for row in hidden.rows] == [made["Id"]]


@pytest.mark.parametrize("entity", TRANSACTIONS)
async def test_a_transaction_lives_and_is_deleted(company: Company, entity: str) -> None:
    made = await company.write(entity, await TRANSACTIONS[entity](company))
    note = NOTES.get(entity, "PrivateNote")
    last = await changed_both_ways(company, entity, made, note)
    assert await found(company, entity, made["Id"]) == [made["Id"]]
    before = await company.quickbooks.client.count(select(entity), Lane.LIVE)
    whole = last if entity in {"Deposit", "Transfer", "Attachable"} else key(last)
    stub = await company.write(entity, whole, "delete")
    assert stub["status"] == "Deleted"
    assert isinstance(await company.quickbooks.client.read(entity, str(made["Id"]), Lane.LIVE), NotFound)
    after = await company.quickbooks.client.count(select(entity), Lane.LIVE)
    assert isinstance(before, int)
    assert after == before - 1


@pytest.mark.parametrize("entity", VOIDED)
async def test_a_transaction_is_voided_in_its_own_form(company: Company, entity: str) -> None:
    made = await company.write(entity, await TRANSACTIONS[entity](company))
    form: JsonObject = key(made) if entity == "Invoice" else {**key(made), "sparse": True}
    voided = await company.write(entity, form, "void")
    assert (voided["TotalAmt"], voided["SyncToken"]) == (0, "1")
    assert str(voided["PrivateNote"]).startswith("Voided")


async def test_tax_codes_and_rates_are_made_by_the_service_and_read(company: Company) -> None:
    client, mark = company.quickbooks.client, company.ids["mark"]
    agency = await company.write("TaxAgency", {"DisplayName": f"Agency {mark}"})
    rate: JsonObject = {"TaxRateName": f"Rate {mark}", "RateValue": Decimal("7.1"), "TaxAgencyId": agency["Id"]}
    body: JsonObject = {"TaxCode": f"Code {mark}", "TaxRateDetails": [rate]}
    outcome = await client.create_tax_code(
        dumps(body), request_id=f"tax-{mark}", lane=Lane.LIVE, deadline=company.quickbooks.clock.monotonic() + 30
    )
    assert isinstance(outcome, Accepted), outcome
    code = await read(company, "TaxCode", outcome.document["TaxCodeId"])
    assert code["Name"] == f"Code {mark}"
    rates = await client.query(select("TaxRate").where("Name", "=", f"Rate {mark}"), Lane.LIVE)
    assert isinstance(rates, QueryPage)
    assert [row["RateValue"] for row in rates.rows] == [Decimal("7.1")]
    assert (await read(company, "TaxRate", rates.rows[0]["Id"]))["Name"] == f"Rate {mark}"
    assert (await read(company, "TaxAgency", agency["Id"]))["DisplayName"] == f"Agency {mark}"


async def test_company_and_preferences_are_read_and_changed(company: Company) -> None:
    client = company.quickbooks.client
    info, preferences = await client.company_info(), await client.preferences()
    assert isinstance(info, Found)
    assert isinstance(preferences, Found)
    info_body: JsonObject = {**key(info.document), "sparse": True, "LegalName": "New legal name"}
    assert (await company.write("CompanyInfo", info_body, "update"))["LegalName"] == "New legal name"
    tracking: JsonObject = {"ClassTrackingPerTxn": False}
    changed = await company.write(
        "Preferences", {**key(preferences.document), "sparse": True, "AccountingInfoPrefs": tracking}, "update"
    )
    assert changed["SyncToken"] != preferences.document["SyncToken"]


def test_nothing_is_left_out() -> None:
    """The list of Intuit's page on entities, in its words."""
    elsewhere = {"TaxCode", "TaxRate", "TaxAgency", "CompanyInfo", "Preferences", "CompanyCurrency", "JournalCode"}
    assert set(LISTS) | set(TRANSACTIONS) | elsewhere == set(FILTERABLE)
