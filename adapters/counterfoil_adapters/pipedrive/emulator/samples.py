"""A company of any size, the same for the same size."""

from decimal import Decimal

from counterfoil_adapters.pipedrive.emulator.company import Company
from counterfoil_schema.exact_json import JsonObject

NAMES = ("Acme", "Söhne & Co", "Bäckerei Groß", "O'Neill Foods", "Nordwind", "Café Zoë", "Widgets", "Harbor Supply")
FIRST = ("Ada", "Zoë", "Jürgen", "Mei", "Oluwaseun", "Ines")
LAST = ("Lovelace", "Groß", "O'Brien", "Chen", "Adeyemi", "García")
DEALS_PER_CUSTOMER = 10
PRODUCTS = 50
METHODS = ("none", "exclusive", "inclusive")


def fill(company: Company, deals: int) -> None:
    """So many won deals, with the customers and products that they name."""
    if deals <= 0:
        return
    customers = max(1, deals // DEALS_PER_CUSTOMER)
    products = [_product(company, number) for number in range(min(PRODUCTS, deals))]
    organizations = [
        company.put("organizations", {"name": f"{NAMES[number % len(NAMES)]} {number + 1}"})
        for number in range(customers)
    ]
    persons = [_person(company, number) for number in range(customers)]
    for number in range(deals):
        by_person = number % 7 == 0
        deal = company.put(
            "deals",
            {
                "title": f"Deal {number + 1}",
                "currency": "EUR" if number % 11 == 0 else "USD",
                "org_id": None if by_person else organizations[number % customers]["id"],
                "person_id": persons[number % customers]["id"],
                "status": "won",
            },
        )
        lines = [_line(products[(number + step) % len(products)], number, step) for step in range(1 + number % 4)]
        held = [company.put_product(deal, line) for line in lines]
        deal["value"] = sum((Decimal(str(line["sum"])) for line in held), Decimal(0))


def _product(company: Company, number: int) -> JsonObject:
    price = Decimal(number * 37 % 400 + 5) + Decimal(number * 13 % 100) / 100
    return company.put(
        "products",
        {
            "name": f"Product {number + 1}",
            "code": f"P-{number + 1:03d}",
            "prices": [{"currency": "USD", "price": price, "cost": 0, "direct_cost": None, "notes": ""}],
        },
    )


def _person(company: Company, number: int) -> JsonObject:
    name = f"{FIRST[number % len(FIRST)]} {LAST[number // len(FIRST) % len(LAST)]} {number + 1}"
    email: JsonObject = {"value": f"person{number + 1}@example.com", "primary": True, "label": "work"}
    return company.put("persons", {"name": name, "emails": [email]})


def _line(product: JsonObject, number: int, step: int) -> JsonObject:
    return {
        "product_id": product["id"],
        "quantity": Decimal(number % 5 + step + 1) / (2 if number % 9 == 0 else 1),
        "item_price": Decimal(number * 7 % 300 + 10) + Decimal(number * 3 % 100) / 100,
        "discount": (0, 10, Decimal("2.5"))[number % 3] if step == 0 else 0,
        "discount_type": "amount" if number % 5 == 0 else "percentage",
        "tax": 0 if METHODS[number % 3] == "none" else 20,
        "tax_method": METHODS[number % 3],
    }
