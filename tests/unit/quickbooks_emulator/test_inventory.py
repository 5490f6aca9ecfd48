"""Items of inventory and bundles: what comes and goes, what it costs, what a bundle sells."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.merging import merge
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_company import Company, line
from support.quickbooks_reports import amounts, lines, report


@pytest.fixture
def company() -> Company:
    return with_pumps()


def with_pumps() -> Company:
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
    summary = list(lines(report(company, "InventoryValuationSummary")["Rows"]))
    assert summary == [["Pump", "", "12.00", "48.00", "4.00"], ["TOTAL", "", "", "48.00", ""]]
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


def priced(quantity: int, cost: str, day: str) -> JsonObject:
    """A bill of so many pumps at a cost."""
    detail: JsonObject = {"ItemRef": {"value": "1"}, "Qty": quantity, "UnitPrice": Decimal(cost)}
    bought: JsonObject = {
        "Amount": quantity * Decimal(cost),
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": detail,
    }
    return {"VendorRef": {"value": "2"}, "TxnDate": day, "Line": [bought]}


def sale(company: Company, quantity: int, day: str) -> str:
    amount = f"{quantity * 10}.00"
    made = company.invoice("1", [line("1", amount, Qty=str(quantity), UnitPrice="10")], TxnDate=day)
    return as_text(made["Id"])


def test_what_came_first_goes_first(company: Company) -> None:
    # Ten at 4 to begin with, then five at 6, then seven at 5.
    company.write("Bill", priced(5, "6", "2026-02-01"))
    company.write("Bill", priced(7, "5", "2026-03-01"))
    account = company.books.ledger.account
    first = sale(company, 12, "2026-03-10")
    # 10 x 4 + 2 x 6
    assert (account("80"), account("81")) == (Decimal(52), Decimal(53))
    sale(company, 6, "2026-03-20")
    # 3 x 6 + 3 x 5
    assert (account("80"), account("81"), on_hand(company)) == (Decimal(85), Decimal(20), Decimal(4))
    company.restored()
    account = company.books.ledger.account
    assert (account("80"), account("81"), on_hand(company)) == (Decimal(85), Decimal(20), Decimal(4))
    # A purchase that is entered late, dated before them all, is sold before them: 3 at 1, then 10 x 4, then 5 x 6.
    company.write("Bill", priced(3, "1", "2025-12-31"))
    assert (account("80"), account("81")) == (Decimal(3 + 40 + 30), Decimal(35))
    # Without the first sale the second takes 3 x 1 + 3 x 4.
    company.write("Invoice", company.handle("Invoice", first), "void")
    assert (account("80"), account("81")) == (Decimal(15), Decimal(93))
    assert sum(company.books.ledger.accounts().values()) == 0


DAYS = st.lists(
    st.tuples(st.integers(2, 28), st.booleans(), st.integers(1, 6), st.integers(1, 9)),
    min_size=1,
    max_size=8,
    unique_by=lambda step: step[0],
)


@given(DAYS, st.randoms(use_true_random=False))
def test_whatever_order_they_are_entered_in_pump_by_pump(
    steps: list[tuple[int, bool, int, int]], random: Random
) -> None:
    # Each pump has its cost; those that came first stand first.
    pumps, gone = [4] * 10, 0
    for _, bought, quantity, cost in sorted(steps):
        if bought:
            pumps += [cost] * quantity
        else:
            assume(len(pumps) >= quantity)
            gone += sum(pumps[:quantity])
            del pumps[:quantity]
    company = with_pumps()
    random.shuffle(steps)
    for day, bought, quantity, cost in steps:
        on = f"2026-01-{day:02}"
        if bought:
            company.write("Bill", priced(quantity, str(cost), on))
        else:
            sale(company, quantity, on)
    account = company.books.ledger.account
    assert (account("80"), account("81")) == (Decimal(gone), Decimal(sum(pumps)))
    assert on_hand(company) == Decimal(len(pumps))
    (shown, _) = lines(report(company, "InventoryValuationSummary")["Rows"])
    assert Decimal(shown[3]) == sum(pumps)
    assert sum(company.books.ledger.accounts().values()) == 0


def test_another_cost_of_an_item_is_that_of_those_to_come(company: Company) -> None:
    dearer: JsonObject = {**company.handle("Item", "1"), "sparse": True, "PurchaseCost": 9}
    shown = company.write("Item", dearer, "update")
    assert (shown["PurchaseCost"], "FirstCost" in shown) == (9, False)
    assert company.books.ledger.account("81") == Decimal("40.00")
    sale(company, 10, "2026-03-10")
    company.restored()
    assert company.books.ledger.account("80") == Decimal("40.00")


def test_what_is_sold_before_it_came_is_settled_when_it_comes(company: Company) -> None:
    account = company.books.ledger.account
    sale(company, 13, "2026-03-10")
    assert (account("80"), account("81"), on_hand(company)) == (Decimal(52), Decimal(-12), Decimal(-3))
    # Three of the five that come at 6 were sold at 4 each.
    company.write("Bill", priced(5, "6", "2026-04-01"))
    assert (account("80"), account("81"), on_hand(company)) == (Decimal(58), Decimal(12), Decimal(2))
    assert sum(company.books.ledger.accounts().values()) == 0


def test_what_is_given_back_comes_at_what_it_cost(company: Company) -> None:
    account = company.books.ledger.account
    company.write("Bill", priced(5, "6", "2026-02-01"))
    sale(company, 12, "2026-03-10")
    back: JsonObject = {"CustomerRef": {"value": "1"}, "TxnDate": "2026-03-11"}
    back["Line"] = [line("1", "10.00", Qty="1", UnitPrice="10")]
    company.write("CreditMemo", back)
    # Twelve cost 52, one of them 4.33.
    assert (account("80"), account("81"), on_hand(company)) == (Decimal("47.67"), Decimal("22.33"), Decimal(4))
    credit = priced(2, "7", "2026-03-12")
    company.write("VendorCredit", credit)
    # Two go back to the vendor for 14; they stood at 4.33 and 6.
    assert (account("81"), account("80")) == (Decimal("12.00"), Decimal("47.67") + Decimal("10.33") - 14)
    assert sum(company.books.ledger.accounts().values()) == 0


def test_an_adjustment_moves_the_stock_against_its_account(company: Company) -> None:
    def counted(*differences: int) -> JsonObject:
        details: list[JsonObject] = [{"ItemRef": {"value": "1"}, "QtyDiff": number} for number in differences]
        kind = "ItemAdjustmentLineDetail"
        found: list[JsonValue] = [{"DetailType": kind, kind: detail} for detail in details]
        return {"AdjustAccountRef": {"value": "7"}, "TxnDate": "2026-03-01", "Line": found}

    account = company.books.ledger.account
    made = company.write("InventoryAdjustment", counted(-2))
    assert (made["DocNumber"], on_hand(company)) == ("1001", Decimal(8))
    assert (account("7"), account("80"), account("81")) == (Decimal("8.00"), Decimal(0), Decimal("32.00"))
    more: JsonObject = {**counted(5), "Id": made["Id"], "SyncToken": made["SyncToken"]}
    company.write("InventoryAdjustment", more, "update")
    assert (on_hand(company), account("7"), account("81")) == (Decimal(15), Decimal("-20.00"), Decimal("60.00"))
    company.restored()
    assert company.books.ledger.account("81") == Decimal("60.00")
    company.write("InventoryAdjustment", company.handle("InventoryAdjustment", as_text(made["Id"])), "delete")
    assert on_hand(company) == Decimal(10)
    hours = company.item()
    wrong = counted(1)
    as_object(as_object(as_list(wrong["Line"])[0])["ItemAdjustmentLineDetail"])["ItemRef"] = {"value": hours}
    assert company.refused("InventoryAdjustment", wrong).code == "6000"
    without: JsonObject = {"TxnDate": "2026-03-01", "Line": counted(1)["Line"]}
    assert company.refused("InventoryAdjustment", without).code == "2020"


def test_the_valuation_says_what_it_is_made_of(company: Company) -> None:
    company.write("Bill", priced(5, "6", "2026-02-01"))
    sale(company, 12, "2026-03-10")
    (before, _) = lines(report(company, "InventoryValuationSummary", report_date="2026-02-15")["Rows"])
    assert before == ["Pump", "", "15.00", "70.00", "4.67"]
    detail = report(company, "InventoryValuationDetail")
    assert [column["ColTitle"] for column in detail["Columns"]["Column"]] == [
        "Date", "Transaction Type", "Num", "Name", "Qty", "Rate", "FIFO Cost", "Qty on Hand", "Asset Value",
    ]  # fmt: skip
    assert list(lines(detail["Rows"])) == [
        ["Pump", "", "", "", "", "", "", "", ""],
        ["Total for Pump", "", "", "", "3", "", "18.00", "3", "18.00"],
        ["2026-01-01", "Inventory Starting Value", "START", "", "10", "4.00", "40.00", "10", "40.00"],
        ["2026-02-01", "Bill", "", "Books by Bessie", "5", "6.00", "30.00", "15", "70.00"],
        ["2026-03-10", "Invoice", "1001", "Ann Lee", "-12", "4.33", "-52.00", "3", "18.00"],
    ]
    later = list(lines(report(company, "InventoryValuationDetail", start_date="2026-03-01")["Rows"]))
    assert [row[0] for row in later] == ["Pump", "Total for Pump", "2026-03-10"]


def test_stock_is_not_merged(company: Company) -> None:
    hours = company.item()
    with pytest.raises(QuickBooksFaultError) as refused:
        merge(company.books, ENTITIES["Item"], hours, "1", Origin("person"))
    assert (refused.value.code, on_hand(company)) == ("6000", Decimal(10))
