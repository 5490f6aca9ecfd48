"""What QuickBooks refuses, with which code; every refusal leaves books and journal as they were."""

import pytest

from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_company import Company, line, posting

REF: JsonObject = {"value": "1"}


@pytest.fixture
def company() -> Company:
    made = Company()
    made.customer()
    made.item()
    return made


def invoice(**more: JsonValue) -> JsonObject:
    return {"CustomerRef": REF, "Line": [line("1", "1.00")], **more}


@pytest.mark.parametrize(
    ("entity", "body", "code", "element"),
    [
        ("Customer", {}, "2020", "DisplayName or one of Title, GivenName, MiddleName, FamilyName, Suffix"),
        ("Customer", {"DisplayName": "ANN LEE"}, "6240", ""),
        ("Vendor", {"DisplayName": "ann lee"}, "6240", ""),
        ("Employee", {"GivenName": "Ann", "FamilyName": "Lee"}, "6240", ""),
        ("Employee", {"DisplayName": "Somebody"}, "2020", "GivenName or FamilyName"),
        ("Customer", {"DisplayName": "A:B"}, "2040", "DisplayName"),
        ("Customer", {"DisplayName": "A\tB"}, "2040", "DisplayName"),
        ("Customer", {"DisplayName": "x" * 501}, "2050", "DisplayName"),
        ("Customer", {"DisplayName": "☃"}, "2040", "DisplayName"),
        ("Customer", {"DisplayName": "B", "GivenName": "x" * 101}, "2050", "GivenName"),
        ("Customer", {"DisplayName": "B", "PrimaryEmailAddr": {"Address": "nowhere"}}, "2210", "PrimaryEmailAddr"),
        ("Customer", {"DisplayName": "B", "CurrencyRef": {"value": "EUR"}}, "2220", "CurrencyRef"),
        ("Customer", {"DisplayName": "B", "ParentRef": {"value": "77"}}, "2500", "ParentRef"),
        ("Customer", {"DisplayName": "B", "Colour": "red"}, "2010", "Colour"),
        ("Customer", {"DisplayName": "B", "Active": "maybe"}, "2230", "Active"),
        ("Customer", {"DisplayName": ["B"]}, "2010", "DisplayName"),
        ("Item", {"Name": "HOURS", "Type": "Service", "IncomeAccountRef": REF}, "6240", ""),
        ("Item", {"Name": "More", "Type": "Magic", "IncomeAccountRef": REF}, "2170", "Type"),
        ("Item", {"Name": "More", "Type": "Service"}, "2020", "IncomeAccountRef"),
        ("Item", {"Name": "More", "Type": "Service", "IncomeAccountRef": {"value": "35"}}, "6430", "IncomeAccountRef"),
        ("Item", {"Name": "More", "Type": "Inventory", "IncomeAccountRef": REF}, "2020", "TrackQtyOnHand"),
        ("Item", {"Type": "Service", "IncomeAccountRef": REF}, "2020", "Name"),
        ("Account", {"Name": 'A "B"', "AccountType": "Bank"}, "2040", "Name"),
        ("Account", {"Name": "A"}, "2020", "AccountType"),
        ("Account", {"Name": "A", "AccountType": "Cash"}, "2170", "AccountType"),
        ("Account", {"Name": "A", "AccountType": "Bank", "AcctNum": "1" * 21}, "2050", "AcctNum"),
        ("Account", {"Name": "checking", "AccountType": "Bank"}, "6240", ""),
        ("Class", {}, "2020", "Name"),
        ("Department", {"Name": "x" * 101}, "2050", "Name"),
        ("Term", {"Name": "Soon"}, "2020", "DueDays"),
        ("Invoice", {"Line": [line("1", "1.00")]}, "2020", "CustomerRef"),
        ("Invoice", {"CustomerRef": REF}, "2250", "Line"),
        ("Invoice", invoice(CustomerRef={"value": "99"}), "2500", "CustomerRef"),
        ("Invoice", invoice(Line=[line("99", "1.00")]), "2500", "Line.SalesItemLineDetail.ItemRef"),
        ("Invoice", invoice(DocNumber="x" * 22), "2050", "DocNumber"),
        ("Invoice", invoice(PrivateNote="x" * 4001), "2050", "PrivateNote"),
        ("Invoice", invoice(TxnDate="15/11/2026"), "2060", "TxnDate"),
        ("Invoice", invoice(TxnDate="2026-02-30"), "2060", "TxnDate"),
        ("Invoice", invoice(Line=[{"Amount": 1, "DetailType": "Nothing"}]), "2170", "Line.DetailType"),
        ("Invoice", invoice(Line=[posting("Debit", "60", "1")]), "2170", "Line.DetailType"),
        ("Invoice", invoice(Line=[{"Amount": 1}]), "2020", "Line.DetailType"),
        ("Invoice", invoice(Line=[line("1", "-1.00")]), "6000", ""),
        ("Invoice", invoice(Line=["x"]), "2010", "Line"),
        ("JournalEntry", {"DocNumber": "x" * 22, "Line": []}, "2050", "DocNumber"),
    ],
)
def test_refused(company: Company, entity: str, body: JsonObject, code: str, element: str) -> None:
    fault = company.refused(entity, body)
    assert (code, element) == (fault.code, fault.element)


def test_the_text_of_a_document_number_that_is_too_long(company: Company) -> None:
    fault = company.refused("Invoice", invoice(DocNumber="x" * 45))
    assert fault.detail.endswith("Min:0 Max:21 supported. Supplied length:45")


def test_inactive_names_still_block_and_inactive_records_cannot_be_used(company: Company) -> None:
    company.write("Customer", {**company.handle("Customer", "1"), "sparse": True, "Active": False}, "update")
    assert company.refused("Customer", {"DisplayName": "Ann Lee"}).code == "6240"
    fault = company.refused("Invoice", invoice())
    assert (fault.code, "has been made inactive" in fault.detail) == ("610", True)


def test_a_customer_with_a_balance_stays_active(company: Company) -> None:
    company.write("Invoice", invoice())
    body: JsonObject = {**company.handle("Customer", "1"), "sparse": True, "Active": False}
    assert company.refused("Customer", body, "update").code == "6220"


def test_duplicate_document_numbers(company: Company) -> None:
    company.write("Invoice", invoice(DocNumber="A-1"))
    fault = company.refused("Invoice", invoice(DocNumber="a-1"))
    assert (fault.code, fault.detail.endswith("DocNumber=a-1 is assigned to TxnType=Invoice with TxnId=1")) == (
        "6140",
        True,
    )
    company.write("Invoice", invoice(DocNumber="A-1"), include="allowduplicatedocnum")
    company.write("CreditMemo", invoice(DocNumber="A-1"))
    entry: JsonObject = {"DocNumber": "J", "Line": [posting("Debit", "60", "1"), posting("Credit", "35", "1")]}
    company.write("JournalEntry", entry)
    company.write("JournalEntry", entry)
    company.books.set_preferences(
        {"OtherPrefs": {"NameValue": [{"Name": "WarnDuplicateJournalNumber", "Value": "true"}]}}
    )
    assert company.refused("JournalEntry", entry).code == "6140"


def test_numbers_are_made_unless_the_company_sets_its_own(company: Company) -> None:
    company.write("Invoice", invoice(DocNumber="1002"))
    numbers = [company.write("Invoice", invoice())["DocNumber"] for _ in range(2)]
    assert numbers == ["1001", "1003"]
    company.books.set_preferences({"SalesFormsPrefs": {"CustomTxnNumbers": True}})
    assert "DocNumber" not in company.write("Invoice", invoice())
    entry: JsonObject = {"Line": [posting("Debit", "60", "1"), posting("Credit", "35", "1")]}
    assert "DocNumber" not in company.write("JournalEntry", entry)
    assert company.write("JournalEntry", entry, include="allowautodocnum")["DocNumber"] == "1001"


def test_a_closed_period_takes_no_change(company: Company) -> None:
    open_one = company.write("Invoice", invoice(TxnDate="2026-10-31"))
    company.books.set_preferences({"AccountingInfoPrefs": {"BookCloseDate": "2026-10-31"}})
    assert company.refused("Invoice", invoice(TxnDate="2026-10-31")).code == "6210"
    handle: JsonObject = {"Id": open_one["Id"], "SyncToken": "0"}
    assert company.refused("Invoice", {**handle, "sparse": True, "TxnDate": "2026-11-01"}, "update").code == "6210"
    assert company.refused("Invoice", handle, "delete").code == "6210"
    assert company.refused("Invoice", handle, "void").code == "6210"
    company.write("Invoice", invoice(TxnDate="2026-11-01"))


def test_updates_need_id_and_current_token(company: Company) -> None:
    assert company.refused("Customer", {"Id": "9", "SyncToken": "0"}, "update").code == "610"
    assert company.refused("Customer", {"Id": "nine", "SyncToken": "0"}, "update").code == "2030"
    assert (
        company.refused("Customer", {"Id": "1"}, "update").code,
        company.refused("Customer", {"Id": "1"}, "update").element,
    ) == ("2020", "SyncToken")
    assert company.refused("Customer", {"Id": "1", "SyncToken": "7", "sparse": True}, "update").code == "5010"
    assert company.refused("Customer", {"Id": "1", "SyncToken": "0"}, "delete").code == "500"


def test_read_only_properties_are_passed_over(company: Company) -> None:
    made = company.write("Customer", {"DisplayName": "Bo", "Balance": 99, "FullyQualifiedName": "Else", "Level": 7})
    assert (made["Balance"], made["FullyQualifiedName"], "Level" in made) == (0, "Bo", False)


def test_personal_numbers_come_back_masked(company: Company) -> None:
    employee = company.write("Employee", {"GivenName": "Bo", "SSN": "123-45-6789"})
    vendor = company.write("Vendor", {"DisplayName": "V", "TaxIdentifier": "99-5688293"})
    assert (employee["SSN"], vendor["TaxIdentifier"]) == ("XXX-XX-XXXX", "XXXXXX8293")


def test_employees_where_the_payroll_is_quickbooks_own(company: Company) -> None:
    on: list[JsonValue] = [{"Name": "PayrollFeature", "Value": "true"}]
    company.write("CompanyInfo", {"Id": "1", "SyncToken": "0", "sparse": True, "NameValue": on}, "update")
    body: JsonObject = {"GivenName": "Emily", "FamilyName": "Platt", "DisplayName": "Em"}
    assert company.refused("Employee", body).element == "PrimaryAddr"
    body["PrimaryAddr"] = {"Line1": "1 Main Street", "City": "Here"}
    for name, value in (("Title", "Ms"), ("Suffix", "Jr"), ("PrintOnCheckName", "E"), ("BillRate", 5)):
        fault = company.refused("Employee", {**body, name: value})
        assert (fault.code, fault.element) == ("2010", name)
    made = company.write("Employee", body)
    assert made["DisplayName"] == "Emily Platt"
    assert company.write("Employee", made, "update")["DisplayName"] == "Emily Platt"


def test_customers_nest_four_deep(company: Company) -> None:
    parent = "1"
    for level in range(1, 4):
        made = company.write("Customer", {"DisplayName": f"Job {level}", "ParentRef": {"value": parent}, "Job": True})
        assert level == made["Level"]
        parent = str(made["Id"])
    assert company.shown("Customer", parent)["FullyQualifiedName"] == "Ann Lee:Job 1:Job 2:Job 3"
    assert company.refused("Customer", {"DisplayName": "Job 4", "ParentRef": {"value": parent}}).code == "6180"


def test_bottomless_bodies_and_boundless_numbers(company: Company) -> None:
    deep: JsonValue = "x"
    for _ in range(60):
        deep = {"a": deep}
    assert company.refused("Customer", {"DisplayName": "B", "BillAddr": deep}).code == "6180"
    huge: JsonObject = {"CustomerRef": REF, "Line": [{**line("1", "1"), "Amount": 10**30}]}
    assert company.refused("Invoice", huge).code == "2090"
