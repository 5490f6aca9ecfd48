"""An account of any size, the same for the same size."""

from collections.abc import Iterator

from counterfoil_schema.exact_json import JsonObject, JsonValue

NAMES = ("Acme", "Söhne & Co", "Bäckerei Groß", "O'Neill Foods", "Nordwind", "Café Zoë", "Widgets", "Harbor Supply")
DEALS_PER_CUSTOMER = 10
PRODUCTS = 50
FIRST_COMPANY, FIRST_PRODUCT, FIRST_DEAL, FIRST_LINE = 1_000_000, 2_000_000, 3_000_000, 4_000_000


def sample(deals: int) -> JsonObject:
    """So many won deals with lines, and the companies and products that they name."""
    customers, products = -(-deals // DEALS_PER_CUSTOMER), min(PRODUCTS, deals)
    lines = list(_lines(deals, products))
    links: list[JsonValue] = [
        *(_link(number, "companies", FIRST_COMPANY + number % customers) for number in range(deals)),
        *(_link(number, "line_items", FIRST_LINE + line) for line, (number, _) in enumerate(lines)),
    ]
    return {
        "objects": {
            "companies": [
                _object(FIRST_COMPANY + number, name=f"{NAMES[number % len(NAMES)]} {number + 1}")
                for number in range(customers)
            ],
            "products": [
                _object(FIRST_PRODUCT + number, name=f"Product {number + 1}", price=_price(number))
                for number in range(products)
            ],
            "deals": [_deal(number) for number in range(deals)],
            "line_items": [line for _, line in lines],
        },
        "associations": links,
    }


def _link(deal: int, to: str, object_id: int) -> JsonObject:
    return {"from": "deals", "from_id": str(FIRST_DEAL + deal), "to": to, "to_ids": [str(object_id)]}


def _deal(number: int) -> JsonObject:
    return _object(
        FIRST_DEAL + number,
        dealname=f"Deal {number + 1}",
        dealstage="closedwon",
        deal_currency_code="USD",
        closedate=f"2026-{number % 10 + 1:02}-{number % 28 + 1:02}T15:30:00Z",
    )


def _lines(deals: int, products: int) -> Iterator[tuple[int, JsonObject]]:
    """Lines, each with the number of its deal."""
    line = 0
    for number in range(deals):
        for step in range(1 + number % 3):
            product = (number + step) % products
            yield (
                number,
                _object(
                    FIRST_LINE + line,
                    name=f"Product {product + 1}",
                    hs_product_id=str(FIRST_PRODUCT + product),
                    price=_price(product),
                    quantity=str(number % 5 + step + 1),
                ),
            )
            line += 1


def _price(product: int) -> str:
    return f"{product * 37 % 400 + 5}.{product * 13 % 100:02}"


def _object(object_id: int, **properties: str) -> JsonObject:
    return {"id": str(object_id), "properties": dict(properties)}
