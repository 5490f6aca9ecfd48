"""A landscaping company like the one that Intuit's US sandboxes start with ("Craig's Design and Landscaping").

Lists carry the numbers that they have there, and that clients' examples lean on: accounts (`landscaper_chart.py`),
items from 1 Services to 18 Trimming, customers from 1 Amy's Bird Sanctuary, vendors from 30 Books by Bessie, employees
54 and 55. Documents are dated before the emulator's today, and their amounts are this emulator's own.
"""

from dataclasses import dataclass
from datetime import timedelta

from counterfoil.quickbooks.emulator import chart
from counterfoil.quickbooks.emulator.books import Books, Write
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.lists import CLASSIFICATION
from counterfoil.quickbooks.emulator.taxes import rate_body, rate_lists
from counterfoil.quickbooks.emulator.values import as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

NAME = "Craig's Design and Landscaping Services"

CUSTOMERS = (
    "Amy's Bird Sanctuary", "Bill's Windsurf Shop", "Cool Cars", "Diego Rodriguez", "Dukes Basketball Camp",
    "Dylan Sollfrank", "Freeman Sporting Goods", "0969 Ocean View Road", "55 Twin Lane", "Geeta Kalapatapu",
    "Gevelber Photography", "Jeff's Jalopies", "John Melton", "Kate Whelan", "Pye's Cakes", "Kookies by Kathy",
    "Mark Cho", "Paulsen Medical Supplies", "Rago Travel Agency", "Red Rock Diner", "Rondonuwu Fruit and Vegi",
    "Shara Barnett", "Barnett Design", "Sonnenschein Family Store", "Sushi by Katsuyuki", "Travis Waldron",
    "Video Games by Dan", "Wedding Planning by Whitney", "Weiskopf Consulting",
)  # fmt: skip
PARENTS = {"0969 Ocean View Road": "7", "55 Twin Lane": "7", "Barnett Design": "22"}
PEOPLE = frozenset(
    {
        "Diego Rodriguez", "Dylan Sollfrank", "Geeta Kalapatapu", "John Melton", "Kate Whelan", "Mark Cho",
        "Shara Barnett", "Travis Waldron",
    }
)  # fmt: skip
ADDRESS: JsonObject = {"City": "Bayshore", "CountrySubDivisionCode": "CA", "PostalCode": "94326", "Country": "USA"}
VENDORS = (
    "Books by Bessie", "Brosnahan Insurance Agency", "Cal Telephone", "Chin's Gas and Oil", "Cigna Health Care",
    "Computers by Jenni", "Diego's Road Warrior Bodyshop", "EDD", "Ellis Equipment Rental", "Fidelity",
    "Hall Properties", "Hicks Hardware", "Lee Advertising", "Mahoney Mugs", "Met Life Dental", "National Eye Care",
    "Norton Lumber and Building Materials", "Pam Seitz", "PG&E", "Robertson & Associates", "Tania's Nursery",
    "Tim Philip Masonry", "Tony Rondonuwu", "United States Treasury",
)  # fmt: skip
EMPLOYEE = len(CUSTOMERS) + len(VENDORS) + 1
EMPLOYEES = (("John", "Johnson"), ("Emily", "Platt"))
LATER_VENDORS = ("Bob's Burger Joint", "Squeaky Kleen Car Wash")

# Name, type, income account, price, cost, quantity on hand.
ITEMS = (
    ("Services", "Service", "1", "0", "0", 0),
    ("Hours", "Service", "1", "0", "0", 0),
    ("Concrete", "Service", "48", "0", "0", 0),
    ("Design", "Service", "82", "75", "0", 0),
    ("Rock Fountain", "Inventory", "79", "275", "125", 2),
    ("Gardening", "Service", "45", "0", "0", 0),
    ("Installation", "Service", "52", "50", "0", 0),
    ("Lighting", "Service", "45", "0", "0", 0),
    ("Maintenance & Repair", "Service", "53", "0", "0", 0),
    ("Pest Control", "Service", "54", "35", "0", 0),
    ("Pump", "Inventory", "79", "15", "10", 25),
    ("Refunds & Allowances", "Service", "1", "0", "0", 0),
    ("Rocks", "Service", "48", "0", "0", 0),
    ("Sod", "Service", "49", "0", "0", 0),
    ("Soil", "Service", "49", "10", "0", 0),
    ("Sprinkler Heads", "Inventory", "79", "2", "0.75", 25),
    ("Sprinkler Pipes", "Inventory", "79", "4", "2.50", 31),
    ("Trimming", "Service", "45", "35", "0", 0),
)
AGENCIES = ("Arizona Dept. of Revenue", "Board of Equalization")
# Id, name, agency, and its rates by name and percent.
TAX_CODES: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    ("2", "California", "2", (("California", "8"),)),
    ("3", "Tucson", "1", (("AZ State tax", "7.1"), ("Tucson City", "2"))),
)
RATES = (("EUR", "1.08"), ("CAD", "0.73"))


@dataclass(frozen=True, slots=True)
class _Sale:
    """Customer, item and amount of a document, and how many days ago it was made."""

    customer: str
    item: str
    amount: int
    days: int


INVOICES = (
    _Sale("1", "4", 225, 60), _Sale("1", "10", 70, 40), _Sale("2", "18", 85, 55), _Sale("3", "7", 2194, 30),
    _Sale("4", "10", 35, 35), _Sale("7", "6", 477, 28), _Sale("12", "4", 81, 25), _Sale("17", "4", 954, 20),
    _Sale("24", "7", 362, 14), _Sale("28", "6", 375, 5),
)  # fmt: skip
PAYMENTS = ((1, 225), (3, 85), (5, 35), (6, 300), (8, 954), (9, 80))
RECEIPTS = (_Sale("6", "10", 337, 33), _Sale("11", "18", 108, 12))
# Way of paying, account that paid, account of the expense, amount, days ago.
SPENT = (
    ("Cash", "35", "56", "52.56", 22), ("Check", "35", "76", "114.09", 19), ("CreditCard", "42", "13", "18.97", 8),
)  # fmt: skip
NURSERY = "50"
BILLS = (("30", "7", 75, 45), ("46", "20", 103, 31), ("31", "11", 241, 22), ("48", "76", 86, 9))


def furnish_landscaper(books: Books) -> None:
    """Fill a fresh company that has the landscaper's accounts."""
    company = books.tables.find("CompanyInfo", "1")
    books.seed("CompanyInfo", "1", {**company.body, "CompanyName": NAME, "LegalName": NAME})
    _taxes(books)
    _lists(books)
    _documents(books)
    _more_documents(books)


def seed_account(books: Books, identifier: str, name: str, kind: str, subtype: str, above: str = "") -> None:
    """An account of the first furniture, under another where it says so."""
    parent = books.tables.get("Account", above)
    path = f"{as_text(parent.body['FullyQualifiedName'])}:{name}" if parent is not None else name
    body: JsonObject = {
        "Name": name,
        "SubAccount": bool(above),
        "FullyQualifiedName": path,
        "Active": True,
        "Classification": CLASSIFICATION[kind],
        "AccountType": kind,
        "AccountSubType": subtype,
        "CurrencyRef": {"value": chart.HOME_CURRENCY, "name": "United States Dollar"},
    }
    if parent is not None:
        body["ParentRef"] = {"value": parent.id, "name": as_text(parent.body["FullyQualifiedName"])}
    books.seed("Account", identifier, body)


def _taxes(books: Books) -> None:
    for number, name in enumerate(AGENCIES, start=1):
        body: JsonObject = {"DisplayName": name, "TaxTrackedOnSales": True, "TaxTrackedOnPurchases": False}
        books.seed("TaxAgency", str(number), body)
    made = 0
    for identifier, name, agency, rates in TAX_CODES:
        details: list[JsonObject] = []
        for rate, percent in rates:
            made += 1
            detail: JsonObject = {
                "TaxRateName": rate,
                "TaxRateId": str(made),
                "RateValue": int(percent) if percent.isdigit() else percent,
                "TaxAgencyId": agency,
                "TaxApplicableOn": "Sales",
            }
            books.seed("TaxRate", str(made), rate_body(detail))
            details.append(detail)
        code: JsonObject = {"Name": name, "Description": name, "Active": True, "Taxable": True, "TaxGroup": True}
        books.seed("TaxCode", identifier, {**code, **rate_lists(details)})
    books.set_preferences({"TaxPrefs": {"UsingSalesTax": True, "TaxGroupCodeRef": {"value": "2"}}})


def _lists(books: Books) -> None:
    _make(books, "CompanyCurrency", {"Code": "CAD", "Name": "Canadian Dollar"})
    _make(books, "CompanyCurrency", {"Code": "EUR", "Name": "Euro"})
    for code, rate in RATES:
        _make(books, "ExchangeRate", {"SourceCurrencyCode": code, "Rate": rate})
    for number, name in enumerate(CUSTOMERS, start=1):
        _make(books, "Customer", _customer(number, name))
    for name in VENDORS:
        _make(books, "Vendor", {"DisplayName": name})
    for given, family in EMPLOYEES:
        _make(books, "Employee", {"GivenName": given, "FamilyName": family})
    for name in LATER_VENDORS:
        _make(books, "Vendor", {"DisplayName": name})
    for name, kind, income, price, cost, on_hand in ITEMS:
        item: JsonObject = {"Name": name, "Type": kind, "IncomeAccountRef": {"value": income}, "UnitPrice": price}
        if kind == "Inventory":
            item |= {
                "TrackQtyOnHand": True,
                "QtyOnHand": on_hand,
                "PurchaseCost": cost,
                "InvStartDate": _day(books, 90),
                "AssetAccountRef": {"value": "81"},
                "ExpenseAccountRef": {"value": chart.COST_OF_GOODS_SOLD},
            }
        _make(books, "Item", item)
    for name in ("Commercial", "Residential"):
        _make(books, "Class", {"Name": name})
    _make(books, "Department", {"Name": "Head office"})
    books.seed("CustomerType", "1", {"Name": "Retail", "Active": True})


def _customer(number: int, name: str) -> JsonObject:
    """One with a name of a person or a company, an address and an e-mail; of a job only where it belongs."""
    body: JsonObject = {
        "DisplayName": name,
        "PrimaryEmailAddr": {"Address": f"customer{number}@example.com"},
        "BillAddr": {"Line1": f"{number} Finch St.", **ADDRESS},
    }
    if name in PARENTS:
        return body | {"ParentRef": {"value": PARENTS[name]}, "Job": True}
    if name in PEOPLE:
        given, _, family = name.partition(" ")
        return body | {"GivenName": given, "FamilyName": family}
    return body | {"CompanyName": name}


def _documents(books: Books) -> None:
    made = [_make(books, "Invoice", _billed(books, sale)) for sale in INVOICES]
    for place, amount in PAYMENTS:
        invoice = made[place - 1]
        line: JsonObject = {"Amount": amount, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        body: JsonObject = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": amount, "Line": [line]}
        _make(books, "Payment", {**body, "TxnDate": _day(books, 3)})
    for sale in RECEIPTS:
        _make(books, "SalesReceipt", _sale(books, sale))
    _make(books, "Estimate", _sale(books, _Sale("16", "5", 275, 10)))
    for vendor, account, amount, days in BILLS:
        entry = _expense(account, str(amount))
        _make(books, "Bill", {"VendorRef": {"value": vendor}, "TxnDate": _day(books, days), "Line": [entry]})
    _make(books, "Deposit", _paid_in(books))
    moved: JsonObject = {"FromAccountRef": {"value": chart.CHECKING}, "ToAccountRef": {"value": "36"}, "Amount": 200}
    _make(books, "Transfer", {**moved, "TxnDate": _day(books, 15)})


def _more_documents(books: Books) -> None:
    """One or two of each other kind."""
    lent = _make(books, "CreditMemo", _sale(books, _Sale("1", "10", 100, 18)))
    _make(books, "Payment", _applied(books, "1", 17, [("CreditMemo", lent["Id"], 40), ("Invoice", "2", 40)]))
    _make(books, "RefundReceipt", {**_sale(books, _Sale("20", "10", 87, 16)), "DepositToAccountRef": {"value": "35"}})
    for kind, paid_from, account, spent, days in SPENT:
        body: JsonObject = {"PaymentType": kind, "AccountRef": {"value": paid_from}, "TxnDate": _day(books, days)}
        _make(books, "Purchase", {**body, "Line": [_expense(account, spent)]})
    bills = [row.id for row in books.tables.table("Bill").rows.values()]
    for bill, vendor, amount in zip(bills, ("30", "46"), (75, 50), strict=False):
        link: JsonObject = {"TxnId": bill, "TxnType": "Bill"}
        settled: JsonObject = {
            "VendorRef": {"value": vendor},
            "TotalAmt": amount,
            "TxnDate": _day(books, 6),
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": chart.CHECKING}},
            "Line": [{"Amount": amount, "LinkedTxn": [link]}],
        }
        _make(books, "BillPayment", settled)
    nursery: JsonObject = {"VendorRef": {"value": NURSERY}, "TxnDate": _day(books, 11)}
    _make(books, "VendorCredit", {**nursery, "Line": [_expense("20", "24.36")]})
    payables: JsonObject = {"value": chart.ACCOUNTS_PAYABLE}
    _make(books, "PurchaseOrder", {**nursery, "APAccountRef": payables, "Line": [_expense("20", "125.00")]})
    payment = next(iter(books.tables.table("Payment").rows.values()))
    taken: JsonObject = {"TxnId": payment.id, "TxnType": "Payment"}
    lines: list[JsonValue] = [{"Amount": payment.body["TotalAmt"], "LinkedTxn": [taken]}]
    into: JsonObject = {"DepositToAccountRef": {"value": chart.CHECKING}, "TxnDate": _day(books, 2)}
    _make(books, "Deposit", {**into, "Line": lines})
    _make(books, "JournalEntry", {"TxnDate": _day(books, 4), "Line": [_half("Debit", "40"), _half("Credit", "39")]})
    for number, hours in ((EMPLOYEE, 8), (EMPLOYEE + 1, 6)):
        worked: JsonObject = {"NameOf": "Employee", "EmployeeRef": {"value": str(number)}, "Hours": hours, "Minutes": 0}
        _make(books, "TimeActivity", {**worked, "TxnDate": _day(books, 1)})


def _paid_in(books: Books) -> JsonObject:
    """What the owner began with."""
    detail: JsonObject = {"AccountRef": {"value": chart.OPENING_EQUITY}}
    line: JsonObject = {"Amount": 5000, "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    into: JsonObject = {"value": chart.CHECKING}
    return {"DepositToAccountRef": into, "TxnDate": _day(books, 95), "Line": [line]}


def _applied(books: Books, customer: str, days: int, links: list[tuple[str, JsonValue, int]]) -> JsonObject:
    """A payment of nothing, which sets a credit against an invoice."""
    lines: list[JsonValue] = []
    for kind, identifier, amount in links:
        link: JsonObject = {"TxnId": identifier, "TxnType": kind}
        lines.append({"Amount": amount, "LinkedTxn": [link]})
    return {"CustomerRef": {"value": customer}, "TotalAmt": 0, "TxnDate": _day(books, days), "Line": lines}


def _half(side: str, account: str) -> JsonValue:
    detail: JsonObject = {"PostingType": side, "AccountRef": {"value": account}}
    return {"Amount": 250, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}


def _expense(account: str, amount: str) -> JsonObject:
    detail: JsonObject = {"AccountRef": {"value": account}}
    return {
        "Amount": amount,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    }


def _billed(books: Books, sale: _Sale) -> JsonObject:
    email: JsonObject = {"Address": f"customer{sale.customer}@example.com"}
    return {**_sale(books, sale), "BillEmail": email}


def _sale(books: Books, sale: _Sale) -> JsonObject:
    line: JsonValue = {
        "Amount": sale.amount,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": sale.item}, "Qty": 1, "UnitPrice": sale.amount},
    }
    return {"CustomerRef": {"value": sale.customer}, "TxnDate": _day(books, sale.days), "Line": [line]}


def _day(books: Books, days_ago: int) -> str:
    return (books.today() - timedelta(days=days_ago)).isoformat()


def _make(books: Books, entity: str, body: JsonObject) -> JsonObject:
    return books.write(Write(entity, "create", body), Origin("server"))
