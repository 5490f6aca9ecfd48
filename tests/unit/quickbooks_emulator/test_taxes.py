"""Sales tax, currencies and templates: figures by hand, and a ledger that balances in home money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.special import write_tax_code
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_company import Company

RECEIVABLE, TAX_PAYABLE = "84", "90"


def a_code(company: Company, name: str, *percents: str) -> str:
    agency = company.write("TaxAgency", {"DisplayName": f"Agency of {name}"})
    details: list[JsonValue] = [
        {"TaxRateName": f"{name} {number}", "RateValue": Decimal(percent), "TaxAgencyId": agency["Id"]}
        for number, percent in enumerate(percents)
    ]
    made = write_tax_code(company.books, {"TaxCode": name, "TaxRateDetails": details}, Origin("api"))
    return as_text(made["TaxCodeId"])


def sold(amount: str, code: str) -> JsonObject:
    detail: JsonObject = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": code}}
    return {"Amount": Decimal(amount), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def a_company() -> Company:
    company = Company()
    company.write("Customer", {"DisplayName": "Ann Lee"})
    company.write("Item", {"Name": "Hours", "Type": "Service", "IncomeAccountRef": {"value": "1"}})
    return company


def test_the_rates_of_a_code_tax_the_lines_that_say_so() -> None:
    company = a_company()
    code = a_code(company, "Tucson", "7.1", "2")
    lines: list[JsonValue] = [sold("100.00", "TAX"), sold("50.00", "NON"), sold("0.55", "TAX")]
    tax: JsonObject = {"TxnTaxCodeRef": {"value": code}}
    invoice = company.write("Invoice", {"CustomerRef": {"value": "1"}, "Line": lines, "TxnTaxDetail": tax})
    # 100.55 at 7.1 % is 7.13905, at 2 % 2.011.
    shown = as_object(invoice["TxnTaxDetail"])
    assert [as_object(line)["Amount"] for line in as_list(shown["TaxLine"])] == [Decimal("7.14"), Decimal("2.01")]
    assert (shown["TotalTax"], invoice["TotalAmt"]) == (Decimal("9.15"), Decimal("159.70"))
    assert company.books.ledger.account(TAX_PAYABLE) == Decimal("-9.15")
    assert company.books.ledger.account(RECEIVABLE) == Decimal("159.70")


def test_automated_tax_taxes_what_does_not_say_otherwise() -> None:
    company = a_company()
    code = a_code(company, "California", "8")
    company.books.set_preferences({"TaxPrefs": {"PartnerTaxEnabled": True, "TaxGroupCodeRef": {"value": code}}})
    silent = sold("10.00", "TAX")
    del as_object(silent["SalesItemLineDetail"])["TaxCodeRef"]
    body: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [silent, sold("10.00", "NON")]}
    assert company.write("Invoice", body)["TotalAmt"] == Decimal("20.80")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"TaxRateDetails": [{"TaxRateId": "1"}]}, "2020"),
        ({"TaxCode": "New"}, "2020"),
        ({"TaxCode": "Old", "TaxRateDetails": [{"TaxRateId": "1"}]}, "6240"),
        ({"TaxCode": "New", "TaxRateDetails": [{"TaxRateId": "9"}]}, "2500"),
        ({"TaxCode": "New", "TaxRateDetails": [{"TaxRateName": "N", "RateValue": 1, "TaxAgencyId": "9"}]}, "2500"),
        ({"TaxCode": "New", "TaxRateDetails": [{"TaxRateName": "N", "RateValue": 101, "TaxAgencyId": "1"}]}, "2090"),
        ({"TaxCode": "New", "TaxRateDetails": [{"TaxRateName": "Old 0", "RateValue": 1, "TaxAgencyId": "1"}]}, "6240"),
    ],
)
def test_a_refused_code_makes_nothing(body: JsonObject, code: str) -> None:
    company = a_company()
    a_code(company, "Old", "5")
    before = {name: len(company.books.tables.table(name).rows) for name in ("TaxCode", "TaxRate")}
    with pytest.raises(QuickBooksFaultError) as refused:
        write_tax_code(company.books, body, Origin("api"))
    assert refused.value.code == code
    assert before == {name: len(company.books.tables.table(name).rows) for name in before}


def test_tax_codes_are_made_by_the_service_alone() -> None:
    with pytest.raises(QuickBooksFaultError) as refused:
        Company().write("TaxCode", {"Name": "Mine"})
    assert refused.value.code == "500"


def abroad(company: Company) -> None:
    company.books.set_preferences({"CurrencyPrefs": {"MultiCurrencyEnabled": True}})
    company.write("CompanyCurrency", {"Code": "EUR"})
    company.write("Customer", {"DisplayName": "Zoé", "CurrencyRef": {"value": "EUR"}})


def test_a_document_abroad_without_a_rate_is_stored_with_one() -> None:
    company = a_company()
    abroad(company)
    body: JsonObject = {"CustomerRef": {"value": "2"}, "CurrencyRef": {"value": "EUR"}, "Line": [sold("10.00", "NON")]}
    silent = company.write("Invoice", dict(body))
    sourced = company.write("Invoice", {**body, "ExchangeRate": Decimal("1.0835")})
    assert (silent["ExchangeRate"], silent["HomeTotalAmt"]) == (1, Decimal("10.00"))
    assert (sourced["TotalAmt"], sourced["HomeTotalAmt"], sourced["HomeBalance"]) == (
        Decimal("10.00"), Decimal("10.84"), Decimal("10.84"),
    )  # fmt: skip
    assert company.books.ledger.account(RECEIVABLE) == Decimal("20.84")
    assert company.shown("Customer", "2")["Balance"] == Decimal("20.00")


@given(
    rate=st.decimals("0.0001", "200", places=4),
    amounts=st.lists(st.decimals("0.01", "9999", places=2), min_size=1, max_size=6),
)
def test_the_ledger_balances_at_any_rate(rate: Decimal, amounts: list[Decimal]) -> None:
    company = a_company()
    abroad(company)
    lines: list[JsonValue] = [sold(str(amount), "NON") for amount in amounts]
    head: JsonObject = {"CustomerRef": {"value": "2"}, "CurrencyRef": {"value": "EUR"}, "ExchangeRate": rate}
    made = company.write("Invoice", {**head, "Line": lines})
    paid: JsonObject = {"Amount": amounts[0], "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Invoice"}]}
    company.write("Payment", {**head, "TotalAmt": amounts[0], "Line": [paid]})
    assert sum(company.books.ledger.accounts().values(), ZERO) == ZERO


def test_rates_are_kept_by_currency_and_day() -> None:
    company = Company()
    for rate, day in (("1.05", "2026-11-01"), ("1.10", "2026-11-10"), ("1.11", "2026-11-10")):
        company.write("ExchangeRate", {"SourceCurrencyCode": "EUR", "Rate": Decimal(rate), "AsOfDate": day})
    kept = {row.body["AsOfDate"]: row.body["Rate"] for row in company.books.tables.table("ExchangeRate").rows.values()}
    assert kept == {"2026-11-01": Decimal("1.05"), "2026-11-10": Decimal("1.11")}


def test_a_template_posts_nothing_and_is_changed_like_its_kind() -> None:
    company = a_company()
    info: JsonObject = {"Name": "Monthly", "RecurType": "Automated", "ScheduleInfo": {"IntervalType": "Monthly"}}
    inner: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [sold("10.00", "NON")], "RecurringInfo": info}
    made = as_object(company.write("RecurringTransaction", {"Invoice": inner})["Invoice"])
    assert (made["TotalAmt"], company.books.ledger.accounts()) == (Decimal("10.00"), {})
    changed = company.write(
        "RecurringTransaction",
        {"Invoice": {**made, "Line": [sold("25.00", "NON")]}},
    )
    assert as_object(changed["Invoice"])["SyncToken"] == "1"
    with pytest.raises(QuickBooksFaultError) as stale:
        company.write("RecurringTransaction", {"Invoice": {**made}})
    assert stale.value.code == "5010"
    company.write("RecurringTransaction", {"Invoice": as_object(changed["Invoice"])}, "delete")
    assert not company.books.tables.table("RecurringTransaction").rows
    assert not company.books.tables.table("Invoice").rows


def test_a_template_without_a_schedule_is_refused() -> None:
    company = a_company()
    inner: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [sold("10.00", "NON")]}
    with pytest.raises(QuickBooksFaultError) as refused:
        company.write("RecurringTransaction", {"Invoice": inner})
    assert (refused.value.code, refused.value.element) == ("2020", "RecurringInfo.Name")


def in_britain() -> tuple[Company, str, str]:
    """A British company with codes of 20 and of 0 per cent."""
    company = a_company()
    company.books.set_preferences({"TaxPrefs": {"UsingSalesTax": True}})
    standard, zero = a_code(company, "20.0% S", "20"), a_code(company, "0.0% Z", "0")
    company.write("CompanyInfo", {"SyncToken": "0", "Country": "GB"}, "update")
    return company, standard, zero


def test_abroad_each_line_names_its_code_and_tax_comes_on_top() -> None:
    company, standard, zero = in_britain()
    lines: list[JsonValue] = [
        sold("0.33", standard),
        sold("0.33", standard),
        sold("0.33", standard),
        sold("5.00", zero),
    ]
    body: JsonObject = {"CustomerRef": {"value": "1"}, "Line": lines, "GlobalTaxCalculation": "TaxExcluded"}
    invoice = company.write("Invoice", body)
    # 0.99 at 20 % is 0.198, worked out once over all lines.
    assert (as_object(invoice["TxnTaxDetail"])["TotalTax"], invoice["TotalAmt"]) == (Decimal("0.20"), Decimal("6.19"))
    assert company.write("Invoice", {**body, "GlobalTaxCalculation": "NotApplicable"})["TotalAmt"] == Decimal("5.99")


def test_abroad_a_price_may_contain_the_tax() -> None:
    company, standard, _ = in_britain()
    line = sold("8.33", standard)
    as_object(line["SalesItemLineDetail"])["TaxInclusiveAmt"] = Decimal("10.00")
    body: JsonObject = {"CustomerRef": {"value": "1"}, "Line": [line], "GlobalTaxCalculation": "TaxInclusive"}
    invoice = company.write("Invoice", body)
    # 10.00 less 10.00 x 20/120 = 1.67.
    assert (as_object(invoice["TxnTaxDetail"])["TotalTax"], invoice["TotalAmt"]) == (Decimal("1.67"), Decimal("10.00"))
    assert company.books.ledger.account(TAX_PAYABLE) == Decimal("-1.67")
    assert company.books.ledger.account("1") == Decimal("-8.33")


@pytest.mark.parametrize(
    ("code", "more", "fault"),
    [
        ("NON", {"GlobalTaxCalculation": "TaxExcluded"}, "6100"),
        ("99", {"GlobalTaxCalculation": "TaxExcluded"}, "2500"),
        ("", {"GlobalTaxCalculation": "TaxExcluded"}, "6000"),
        ("standard", {}, "2020"),
    ],
)
def test_abroad_a_form_without_its_code_or_its_method_is_refused(code: str, more: JsonObject, fault: str) -> None:
    company, standard, _ = in_britain()
    lines: list[JsonValue] = [sold("1.00", standard if code == "standard" else code)]
    assert company.refused("Invoice", {"CustomerRef": {"value": "1"}, "Line": lines, **more}).code == fault
