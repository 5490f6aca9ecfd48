"""An org of any size, the same for the same size."""

from collections.abc import Iterator

from counterfoil_schema.exact_json import JsonObject, JsonValue

NAMES = ("Acme", "Söhne & Co", "Bäckerei Groß", "O'Neill Foods", "Nordwind", "Café Zoë", "Widgets", "Harbor Supply")
DEALS_PER_CUSTOMER = 10
PRODUCTS = 50


def sample(deals: int, standard_book: str) -> JsonObject:
    """So many won opportunities, with the accounts and products that they name."""
    customers, products = -(-deals // DEALS_PER_CUSTOMER), min(PRODUCTS, deals)
    accounts: list[JsonValue] = [
        {"Id": _id("001", number), "Name": f"{NAMES[number % len(NAMES)]} {number + 1}"} for number in range(customers)
    ]
    sold: list[JsonValue] = [
        {"Id": _id("01t", number), "Name": f"Product {number + 1}", "IsActive": True} for number in range(products)
    ]
    prices: list[JsonValue] = [
        {
            "Id": _id("01u", number),
            "Pricebook2Id": standard_book,
            "Product2Id": _id("01t", number),
            "UnitPrice": _price(number),
            "IsActive": True,
        }
        for number in range(products)
    ]
    won: list[JsonValue] = [
        {
            "Id": _id("006", number),
            "Name": f"Deal {number + 1}",
            "AccountId": _id("001", number % customers),
            "StageName": "Closed Won",
            "CloseDate": f"2026-{number % 10 + 1:02}-{number % 28 + 1:02}",
        }
        for number in range(deals)
    ]
    return {
        "records": {
            "Account": accounts,
            "Product2": sold,
            "PricebookEntry": prices,
            "Opportunity": won,
            "OpportunityLineItem": list(_lines(deals, products)),
        }
    }


def _lines(deals: int, products: int) -> Iterator[JsonValue]:
    line = 0
    for number in range(deals):
        for step in range(1 + number % 3):
            product = (number + step) % products
            yield {
                "Id": _id("00k", line),
                "OpportunityId": _id("006", number),
                "PricebookEntryId": _id("01u", product),
                "Quantity": str(number % 5 + step + 1),
                "UnitPrice": _price(product),
            }
            line += 1


def _price(product: int) -> str:
    return f"{product * 37 % 400 + 5}.{product * 13 % 100:02}"


def _id(prefix: str, number: int) -> str:
    """Without capitals, so that its check ends in three A's."""
    return f"{prefix}{number + 1:012d}AAA"
