"""What is made of what: estimates, orders, hours and payments are marked while something is made of them."""

from decimal import Decimal

from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_company import Company, applied, line, posting
from support.quickbooks_reports import amounts, lines, report


def links(record: JsonObject) -> list[tuple[str, str]]:
    found = (as_object(link) for link in as_list(record.get("LinkedTxn")))
    return [(as_text(link["TxnType"]), as_text(link["TxnId"])) for link in found]


def linked(kind: str, record: JsonObject) -> list[JsonValue]:
    return [{"TxnType": kind, "TxnId": record["Id"]}]


def test_an_estimate_is_closed_by_its_invoice_and_open_again_without_it() -> None:
    company = Company()
    who, item = company.customer(), company.item()
    estimate = company.write("Estimate", {"CustomerRef": {"value": who}, "Line": [line(item, "10.00")]})
    made = company.invoice(who, [line(item, "10.00")], LinkedTxn=linked("Estimate", estimate))
    shown = company.shown("Estimate", as_text(estimate["Id"]))
    assert (shown["TxnStatus"], shown["SyncToken"]) == ("Closed", "1")
    assert links(shown) == [("Invoice", made["Id"])]
    assert links(made) == [("Estimate", estimate["Id"])]
    paid = company.payment(who, "10.00", [applied("Invoice", as_text(made["Id"]), "10.00")])
    invoice = company.shown("Invoice", as_text(made["Id"]))
    assert links(invoice) == [("Estimate", estimate["Id"]), ("Payment", paid["Id"])]
    company.write("Invoice", company.handle("Invoice", as_text(made["Id"])), "delete")
    shown = company.shown("Estimate", as_text(estimate["Id"]))
    assert (shown["TxnStatus"], links(shown)) == ("Pending", [])
    operations = [(effect.entity, effect.operation) for effect in company.books.journal if effect.entity == "Estimate"]
    assert operations == [("Estimate", "create"), ("Estimate", "linked"), ("Estimate", "released")]


def test_hours_are_billed_once_an_invoice_names_them() -> None:
    company = Company()
    who, item = company.customer(), company.item()
    worker = company.write("Employee", {"GivenName": "Emily"})
    hours: JsonObject = {"NameOf": "Employee", "EmployeeRef": {"value": worker["Id"]}, "Hours": 2, "Minutes": 0}
    billable: JsonObject = {"BillableStatus": "Billable", "CustomerRef": {"value": who}, "HourlyRate": 20}
    worked = company.write("TimeActivity", {**hours, **billable})
    made = company.invoice(who, [line(item, "40.00")], LinkedTxn=linked("TimeActivity", worked))
    assert company.shown("TimeActivity", as_text(worked["Id"]))["BillableStatus"] == "HasBeenBilled"
    company.write("Invoice", company.handle("Invoice", as_text(made["Id"])), "void")
    assert company.shown("TimeActivity", as_text(worked["Id"]))["BillableStatus"] == "Billable"


def test_an_order_is_closed_by_its_bill() -> None:
    company = Company()
    vendor = company.write("Vendor", {"DisplayName": "Books by Bessie"})
    entry: JsonObject = {
        "Amount": 40,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "7"}},
    }
    body: JsonObject = {"VendorRef": {"value": vendor["Id"]}, "Line": [entry]}
    order = company.write("PurchaseOrder", {**body, "APAccountRef": {"value": "33"}})
    of_line: JsonObject = {**entry, "LinkedTxn": linked("PurchaseOrder", order)}
    bill = company.write("Bill", {**body, "Line": [of_line]})
    shown = company.shown("PurchaseOrder", as_text(order["Id"]))
    assert (shown["POStatus"], links(shown)) == ("Closed", [("Bill", bill["Id"])])
    assert company.refused("Bill", {**body, "LinkedTxn": [{"TxnType": "PurchaseOrder", "TxnId": "99"}]}).code == "610"
    company.write("Bill", company.handle("Bill", as_text(bill["Id"])), "delete")
    assert company.shown("PurchaseOrder", as_text(order["Id"]))["POStatus"] == "Open"


def test_what_is_deposited_cannot_be_deposited_again_deleted_or_changed_in_its_money() -> None:
    company = Company()
    paid = company.payment(company.customer(), "5.00", [])
    body: JsonObject = {"DepositToAccountRef": {"value": "35"}, "Line": [applied("Payment", as_text(paid["Id"]), "5")]}
    deposit = company.write("Deposit", body)
    assert links(company.shown("Payment", as_text(paid["Id"]))) == [("Deposit", deposit["Id"])]
    assert company.refused("Deposit", body).code == "6540"
    handle = company.handle("Payment", as_text(paid["Id"]))
    assert company.refused("Payment", handle, "delete").code == "6540"
    assert company.refused("Payment", {**handle, "sparse": True}, "void").code == "6540"
    assert company.refused("Payment", {**handle, "sparse": True, "TotalAmt": 6}, "update").code == "6540"
    company.write("Payment", {**handle, "sparse": True, "PrivateNote": "seen"}, "update")
    assert links(company.shown("Payment", as_text(paid["Id"]))) == [("Deposit", deposit["Id"])]
    company.write("Deposit", company.handle("Deposit", as_text(deposit["Id"])), "delete")
    company.write("Payment", company.handle("Payment", as_text(paid["Id"])), "delete")
    assert sum(company.books.ledger.accounts().values()) == 0


def test_a_saved_state_remembers_what_was_made_of_what() -> None:
    company = Company()
    paid = company.payment(company.customer(), "5.00", [])
    body: JsonObject = {"DepositToAccountRef": {"value": "35"}, "Line": [applied("Payment", as_text(paid["Id"]), "5")]}
    company.write("Deposit", body)
    company.restored()
    assert company.refused("Payment", company.handle("Payment", as_text(paid["Id"])), "delete").code == "6540"


def test_a_deposit_on_an_invoice_is_paid_from_the_beginning() -> None:
    company = Company()
    who, item = company.customer(), company.item()
    body: JsonObject = {"Deposit": 4, "DepositToAccountRef": {"value": "35"}, "TxnDate": "2026-02-01"}
    made = company.invoice(who, [line(item, "10.00")], **body)
    assert (made["TotalAmt"], made["Balance"]) == (Decimal("10.00"), Decimal("6.00"))
    assert company.shown("Customer", who)["Balance"] == Decimal("6.00")
    assert company.books.ledger.account("35") == Decimal("4.00")
    assert company.books.ledger.account("84") == Decimal("6.00")
    in_cash = amounts(report(company, "BalanceSheet", accounting_method="Cash"))
    assert (in_cash["Checking"], in_cash["Net Income"], in_cash["TOTAL ASSETS"]) == ("4.00", "4.00", "4.00")
    fault = company.refused(
        "Payment",
        {"CustomerRef": {"value": who}, "TotalAmt": 7, "Line": [applied("Invoice", as_text(made["Id"]), "7")]},
    )
    assert fault.code == "6000"
    company.payment(who, "6.00", [applied("Invoice", as_text(made["Id"]), "6")])
    assert company.shown("Customer", who)["Balance"] == Decimal("0.00")
    less: JsonObject = {**body, "CustomerRef": {"value": who}, "Line": [line(item, "3.00")]}
    assert company.refused("Invoice", less).code == "6000"


def test_a_journal_line_on_account_moves_what_its_party_owes() -> None:
    company = Company()
    who = company.customer()
    vendor = as_text(company.write("Vendor", {"DisplayName": "Books by Bessie"})["Id"])
    customer: JsonObject = {"Type": "Customer", "EntityRef": {"value": who}}
    seller: JsonObject = {"Type": "Vendor", "EntityRef": {"value": vendor}}
    entry = company.write(
        "JournalEntry",
        {"Line": [posting("Debit", "84", "9.00", customer), posting("Credit", "33", "9.00", seller)]},
    )
    assert company.shown("Customer", who)["Balance"] == Decimal("9.00")
    assert company.shown("Vendor", vendor)["Balance"] == Decimal("9.00")
    company.write("JournalEntry", {"Id": entry["Id"], "SyncToken": entry["SyncToken"]}, "delete")
    assert company.shown("Customer", who)["Balance"] == company.shown("Vendor", vendor)["Balance"] == Decimal("0.00")


def test_whatever_names_a_record_shows_its_new_name() -> None:
    company = Company()
    who, item = company.customer(), company.item()
    job: JsonObject = {"DisplayName": "Roof", "Job": True, "ParentRef": {"value": who}}
    roof = as_text(company.write("Customer", job)["Id"])
    tile: JsonObject = {"DisplayName": "Tile", "Job": True, "ParentRef": {"value": roof}}
    tile_id = as_text(company.write("Customer", tile)["Id"])
    made = company.invoice(who, [line(item, "10.00")])
    renamed: JsonObject = {**company.handle("Customer", who), "sparse": True, "DisplayName": "Ann Leigh"}
    company.write("Customer", renamed, "update")
    shown = company.shown("Invoice", as_text(made["Id"]))
    assert (as_object(shown["CustomerRef"])["name"], shown["SyncToken"]) == ("Ann Leigh", "0")
    assert company.shown("Customer", roof)["FullyQualifiedName"] == "Ann Leigh:Roof"
    assert company.shown("Customer", tile_id)["FullyQualifiedName"] == "Ann Leigh:Roof:Tile"
    hours: JsonObject = {**company.handle("Item", item), "sparse": True, "Name": "Time"}
    company.write("Item", hours, "update")
    (first, *_) = as_list(company.shown("Invoice", as_text(made["Id"]))["Line"])
    detail = as_object(as_object(first)["SalesItemLineDetail"])
    assert detail["ItemRef"] == {"value": item, "name": "Time"}


def test_the_path_of_a_nested_name_is_free_again_under_its_new_one() -> None:
    company = Company()
    above = company.write("Class", {"Name": "North"})
    below: JsonObject = {"Name": "East", "ParentRef": {"value": above["Id"]}}
    company.write("Class", below)
    renamed: JsonObject = {"Id": above["Id"], "SyncToken": "0", "sparse": True, "Name": "South"}
    company.write("Class", renamed, "update")
    assert company.refused("Class", below).code == "6240"
    other = company.write("Class", {"Name": "North"})
    company.write("Class", {"Name": "East", "ParentRef": {"value": other["Id"]}})


def test_a_payment_pays_what_a_journal_entry_made_its_customer_owe() -> None:
    company = Company()
    ann, bo = company.customer("Ann"), company.customer("Bo")
    entities: list[JsonObject] = [{"Type": "Customer", "EntityRef": {"value": who}} for who in (ann, bo)]
    entry: list[JsonValue] = [
        posting("Debit", "84", "9.00", entities[0]),
        posting("Debit", "84", "5.00", entities[1]),
        posting("Credit", "1", "14.00"),
    ]
    made = company.write("JournalEntry", {"TxnDate": "2026-03-01", "Line": entry})
    journal = as_text(made["Id"])
    paid = company.payment(ann, "6.00", [applied("JournalEntry", journal, "6.00")])
    assert (paid["UnappliedAmt"], company.shown("Customer", ann)["Balance"]) == (Decimal("0.00"), Decimal("3.00"))
    assert company.shown("Customer", bo)["Balance"] == Decimal("5.00")
    (first, second, total) = list(lines(report(company, "AgedReceivables")["Rows"]))
    assert (first[0], first[-1], second[0], second[-1], total[-1]) == ("Ann", "3.00", "Bo", "5.00", "8.00")
    more: JsonObject = {"CustomerRef": {"value": ann}, "TotalAmt": 4, "Line": [applied("JournalEntry", journal, "4")]}
    assert company.refused("Payment", more).code == "6000"
    cy = company.customer("Cy")
    assert company.refused("Payment", {**more, "CustomerRef": {"value": cy}}).code == "620"
    company.write("JournalEntry", company.handle("JournalEntry", journal), "delete")
    assert company.shown("Payment", as_text(paid["Id"]))["UnappliedAmt"] == Decimal("6.00")
    assert company.shown("Customer", ann)["Balance"] == Decimal("-6.00")
    assert sum(company.books.ledger.accounts().values()) == 0


def test_a_credit_by_journal_entry_pays_an_invoice() -> None:
    company = Company()
    ann, item = company.customer("Ann"), company.item()
    entity: JsonObject = {"Type": "Customer", "EntityRef": {"value": ann}}
    entry: JsonObject = {
        "TxnDate": "2026-03-01",
        "Line": [posting("Credit", "84", "30.00", entity), posting("Debit", "1", "30.00")],
    }
    journal = as_text(company.write("JournalEntry", entry)["Id"])
    invoice = as_text(company.invoice(ann, [line(item, "100.00")], TxnDate="2026-03-02")["Id"])
    assert company.shown("Customer", ann)["Balance"] == Decimal("70.00")
    too_much = [applied("Invoice", invoice, "31"), applied("JournalEntry", journal, "31")]
    assert company.refused("Payment", paying(ann, "0", too_much)).code == "6000"
    used = [applied("Invoice", invoice, "30.00"), applied("JournalEntry", journal, "30.00")]
    paid = as_text(company.write("Payment", paying(ann, "0", used))["Id"])

    def stands(unapplied: str, invoiced: str, owed: str) -> bool:
        shown = company.shown("Payment", paid)["UnappliedAmt"], company.shown("Invoice", invoice)["Balance"]
        assert (*shown, company.shown("Customer", ann)["Balance"]) == tuple(map(Decimal, (unapplied, invoiced, owed)))
        assert sum(company.books.ledger.accounts().values()) == 0
        return True

    assert stands("0", "70.00", "70.00")
    assert [as_object(one)["Amount"] for one in as_list(company.shown("Payment", paid)["Line"])] == [30, 30]
    aged = list(lines(report(company, "AgedReceivables")["Rows"]))
    assert [(row[0], row[-1]) for row in aged] == [("Ann", "70.00"), ("TOTAL", "70.00")]
    company.restored()
    assert stands("0", "70.00", "70.00")
    less: JsonObject = {**company.handle("JournalEntry", journal), **entry}
    less["Line"] = [posting("Credit", "84", "20.00", entity), posting("Debit", "1", "20.00")]
    # The entry gives less than the payment uses, which lets go of it, and is overdrawn by what it paid with it.
    company.write("JournalEntry", less, "update")
    assert stands("-30.00", "70.00", "80.00")
    company.write("Payment", company.handle("Payment", paid), "delete")
    assert company.shown("Invoice", invoice)["Balance"] == Decimal("100.00")
    assert company.shown("Customer", ann)["Balance"] == Decimal("80.00")


def test_a_vendor_s_debit_by_journal_entry_pays_a_bill() -> None:
    company = Company()
    vendor = as_text(company.write("Vendor", {"DisplayName": "Books by Bessie"})["Id"])
    entity: JsonObject = {"Type": "Vendor", "EntityRef": {"value": vendor}}
    entry: list[JsonValue] = [posting("Debit", "33", "4.00", entity), posting("Credit", "7", "4.00")]
    journal = as_text(company.write("JournalEntry", {"Line": entry})["Id"])
    detail: JsonObject = {"AccountRef": {"value": "7"}}
    bought: JsonObject = {
        "Amount": 10,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    }
    bill = as_text(company.write("Bill", {"VendorRef": {"value": vendor}, "Line": [bought]})["Id"])
    assert company.shown("Vendor", vendor)["Balance"] == Decimal("6.00")
    body: JsonObject = {
        "VendorRef": {"value": vendor},
        "TotalAmt": 6,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": "35"}},
        "Line": [applied("Bill", bill, "10"), applied("JournalEntry", journal, "4")],
    }
    paid = company.write("BillPayment", body)
    assert (company.shown("Bill", bill)["Balance"], company.shown("Vendor", vendor)["Balance"]) == (0, 0)
    company.restored()
    company.write("BillPayment", company.handle("BillPayment", as_text(paid["Id"])), "delete")
    assert (company.shown("Bill", bill)["Balance"], company.shown("Vendor", vendor)["Balance"]) == (10, 6)


def test_a_vendor_s_money_back_uses_up_its_credit() -> None:
    company = Company()
    vendor = as_text(company.write("Vendor", {"DisplayName": "Books by Bessie"})["Id"])
    expense: JsonObject = {"AccountRef": {"value": "7"}}
    returned: JsonObject = {
        "Amount": 10,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": expense,
    }
    credit = as_text(company.write("VendorCredit", {"VendorRef": {"value": vendor}, "Line": [returned]})["Id"])
    paid_back: JsonObject = {"AccountRef": {"value": "33"}, "Entity": {"value": vendor, "type": "VENDOR"}}
    line_of: JsonObject = {"Amount": 10, "DetailType": "DepositLineDetail", "DepositLineDetail": paid_back}
    deposit = as_text(
        company.write("Deposit", {"DepositToAccountRef": {"value": "35"}, "Line": [line_of], "TxnDate": "2026-03-01"})[
            "Id"
        ]
    )
    assert company.shown("Vendor", vendor)["Balance"] == Decimal("0.00")
    body: JsonObject = {
        "VendorRef": {"value": vendor},
        "TotalAmt": 0,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": "35"}},
        "Line": [applied("Deposit", deposit, "10"), applied("VendorCredit", credit, "10")],
    }
    paid = company.write("BillPayment", body)
    assert (company.shown("VendorCredit", credit)["Balance"], company.shown("Vendor", vendor)["Balance"]) == (0, 0)
    assert list(lines(report(company, "AgedPayables")["Rows"])) == []
    assert company.refused("BillPayment", body).code == "620"
    company.restored()
    company.write("BillPayment", company.handle("BillPayment", as_text(paid["Id"])), "delete")
    assert (company.shown("VendorCredit", credit)["Balance"], company.shown("Vendor", vendor)["Balance"]) == (10, 0)
    assert sum(company.books.ledger.accounts().values()) == 0


def paying(customer: str, amount: str, lines: list[JsonObject]) -> JsonObject:
    return {"CustomerRef": {"value": customer}, "TotalAmt": Decimal(amount), "Line": [*lines]}
