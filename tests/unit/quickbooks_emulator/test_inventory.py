"""Items of inventory and bundles: what comes and goes, what it costs, what a bundle sells."""

from decimal import Decimal

import pytest

from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_company import Company, line
from support.quickbooks_reports import amounts, lines, report


@pytest.fixture
def company() -> Company:
    """With customer 1, vendor 2, and item 1: ten pumps at a cost of 4, sold for 10."""
    made = Company()
    made.customer()
    made.write("Vendor", {"DisplayName": "Books by Bessie"})
    pump: JsonObject = {
        "Name": "Pump",
        "Type": "Inventory",
        "TrackQtyOnHand": True,
        "QtyOnHand": 10,
        "InvStartDate": "2026-01-01",
        "UnitPrice": 10,
        "PurchaseCost": 4,
        "AssetAccountRef": {"value": "81"},
        "IncomeAccountRef": {"value": "79"},
        "ExpenseAccountRef": {"value": "80"},
    }
    made.write("Item", pump)
    return made


def on_hand(company: Company) -> JsonValue:
    return company.shown("Item", "1")["QtyOnHand"]


def bill(quantity: int) -> JsonObject:
    detail: JsonObject = {"ItemRef": {"value": "1"}, "Qty": quantity, "UnitPrice": 4}
    bought: JsonObject = {
        "Amount": quantity * 4,
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": detail,
    }
    return {"VendorRef": {"value": "2"}, "TxnDate": "2026-02-01", "Line": [bought]}


def test_what_is_sold_leaves_the_stock_at_its_cost_and_comes_back(company: Company) -> None:
    account = company.books.ledger.account
    assert (on_hand(company), account("81"), account("34")) == (Decimal(10), Decimal("40.00"), Decimal("-40.00"))
    sold = company.invoice("1", [line("1", "30.00", Qty="3", UnitPrice="10")], TxnDate="2026-03-01")
    assert (on_hand(company), account("81"), account("80")) == (Decimal(7), Decimal("28.00"), Decimal("12.00"))
    assert amounts(report(company, "ProfitAndLoss"))["Gross Profit"] == "18.00"
    bought = company.write("Bill", bill(5))
    assert (on_hand(company), account("81")) == (Decimal(12), Decimal("48.00"))
    (pump,) = list(lines(report(company, "InventoryValuationSummary")["Rows"]))
    assert pump == ["Pump", "12", "48.00", "4.00"]
    company.write("Invoice", company.handle("Invoice", as_text(sold["Id"])), "void")
    company.write("Bill", company.handle("Bill", as_text(bought["Id"])), "delete")
    assert (on_hand(company), account("81"), account("80")) == (Decimal(10), Decimal("40.00"), Decimal("0.00"))
    assert sum(company.books.ledger.accounts().values()) == 0


def test_what_a_client_counts_is_what_there_is(company: Company) -> None:
    company.invoice("1", [line("1", "30.00", Qty="3", UnitPrice="10")])
    shown = company.shown("Item", "1")
    # Sent back as it was shown, it stays; a sparse change of something else leaves it alone.
    assert company.write("Item", shown, "update")["QtyOnHand"] == Decimal(7)
    renamed: JsonObject = {**company.handle("Item", "1"), "sparse": True, "Name": "Small pump"}
    assert company.write("Item", renamed, "update")["QtyOnHand"] == Decimal(7)
    counted: JsonObject = {**company.handle("Item", "1"), "sparse": True, "QtyOnHand": 2}
    assert company.write("Item", counted, "update")["QtyOnHand"] == Decimal(2)
    company.invoice("1", [line("1", "10.00", Qty="1", UnitPrice="10")])
    company.restored()
    assert on_hand(company) == Decimal(1)
    assert sum(company.books.ledger.accounts().values()) == 0


def test_a_sheet_with_stock_has_two_equal_sides(company: Company) -> None:
    company.invoice("1", [line("1", "30.00", Qty="3", UnitPrice="10")], TxnDate="2026-03-01")
    for method in ("Accrual", "Cash"):
        sheet = amounts(report(company, "BalanceSheet", accounting_method=method))
        assert sheet["TOTAL ASSETS"] == sheet["TOTAL LIABILITIES AND EQUITY"]


def test_a_bundle_sells_what_it_holds(company: Company) -> None:
    hose_body: JsonObject = {"Name": "Hose", "Type": "Service", "IncomeAccountRef": {"value": "1"}, "UnitPrice": 5}
    hose = as_text(company.write("Item", hose_body)["Id"])
    parts: list[JsonValue] = [{"ItemRef": {"value": "1"}, "Qty": 1}, {"ItemRef": {"value": hose}, "Qty": 2}]
    kit = as_text(
        company.write("Item", {"Name": "Kit", "Type": "Group", "ItemGroupDetail": {"ItemGroupLine": parts}})["Id"]
    )
    bundle: JsonObject = {
        "DetailType": "GroupLineDetail",
        "GroupLineDetail": {"GroupItemRef": {"value": kit}, "Quantity": 2},
    }
    made = company.invoice("1", [bundle, line(hose, "5.00")])
    assert (made["TotalAmt"], on_hand(company)) == (Decimal("45.00"), Decimal(8))
    group, single, total = (as_object(one) for one in as_list(made["Line"]))
    assert (group["Amount"], single["Amount"], total["Amount"]) == (Decimal(40), Decimal("5.00"), Decimal("45.00"))
    inside = [as_object(one) for one in as_list(as_object(group["GroupLineDetail"])["Line"])]
    assert [one["Amount"] for one in inside] == [Decimal("20.00"), Decimal("20.00")]
    ids = [as_text(one["Id"]) for one in (group, *inside, single)]
    assert len(set(ids)) == len(ids)
    assert company.books.ledger.account("1") == Decimal("-25.00")
    assert company.write("Invoice", made, "update")["TotalAmt"] == Decimal("45.00")
    company.write("Invoice", company.handle("Invoice", as_text(made["Id"])), "void")
    assert (on_hand(company), sum(company.books.ledger.accounts().values())) == (Decimal(10), 0)
    without: JsonObject = {"DetailType": "GroupLineDetail", "GroupLineDetail": {"Quantity": 1}}
    assert company.refused("Invoice", {"CustomerRef": {"value": "1"}, "Line": [without]}).code == "2020"
