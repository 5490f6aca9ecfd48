"""What a fresh company holds: always its accounts, terms and settings; on request a few records to play with."""

from counterfoil.ports import Entropy
from counterfoil.quickbooks.emulator import chart, landscaper_chart
from counterfoil.quickbooks.emulator.books import Books, Write
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.landscaper import furnish_landscaper, seed_account
from counterfoil.quickbooks.emulator.taxes import built_in_codes
from counterfoil.quickbooks.emulator.volume import furnish_volume
from counterfoil_schema.exact_json import JsonObject

SMALL: tuple[tuple[str, JsonObject], ...] = (
    ("Customer", {"DisplayName": "Amy's Bird Sanctuary", "GivenName": "Amy", "FamilyName": "Lauterbach"}),
    ("Customer", {"DisplayName": "Bill's Windsurf Shop", "GivenName": "Bill", "FamilyName": "Lucchini"}),
    ("Customer", {"DisplayName": "Cool Cars"}),
    ("Vendor", {"DisplayName": "Books by Bessie"}),
    ("Employee", {"GivenName": "Emily", "FamilyName": "Platt"}),
    ("Employee", {"GivenName": "John", "FamilyName": "Johnson"}),
    ("Item", {"Name": "Services", "Type": "Service", "IncomeAccountRef": {"value": chart.SERVICES}}),
    ("Item", {"Name": "Hours", "Type": "Service", "IncomeAccountRef": {"value": chart.SERVICES}}),
    ("Item", {"Name": "Rocks", "Type": "NonInventory", "IncomeAccountRef": {"value": chart.PRODUCT_INCOME}}),
    ("Class", {"Name": "Commercial"}),
    ("Department", {"Name": "Head office"}),
)


def furnish(books: Books, sample: str, volume: int, entropy: Entropy) -> None:
    """Set up the company, with so many generated invoices on top."""
    for account in landscaper_chart.ACCOUNTS if sample == "craig" else chart.ACCOUNTS:
        seed_account(books, *account)
    for identifier, name, days in chart.TERMS:
        books.seed("Term", identifier, {"Name": name, "Active": True, "Type": "STANDARD", "DueDays": days})
    for identifier, name in chart.PAYMENT_METHODS:
        books.seed("PaymentMethod", identifier, {"Name": name, "Active": True, "Type": "NON_CREDIT_CARD"})
    for name, code in built_in_codes():
        books.seed("TaxCode", name, code)
    books.seed("CompanyInfo", "1", chart.company_info())
    books.seed("Preferences", "1", chart.preferences())
    if sample == "craig":
        furnish_landscaper(books)
    elif sample == "small":
        for entity, body in SMALL:
            books.write(Write(entity, "create", body), Origin("server"))
    if volume:
        furnish_volume(books, volume, entropy)
