"""Properties that HubSpot computes from others."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def derive(kind: str, properties: dict[str, str]) -> None:
    """Bring computed properties up to date, in place."""
    if kind == "deals":
        stage = properties.get("dealstage", "")
        properties["hs_is_closed_won"] = "true" if stage == "closedwon" else "false"
        properties["hs_is_closed"] = "true" if stage in {"closedwon", "closedlost"} else "false"
    if kind == "line_items" and "price" in properties:
        properties["amount"] = str(_net(properties))


def _net(properties: dict[str, str]) -> Decimal:
    """Net price: quantity times price, less the unit discount or the percentage."""
    price = Decimal(properties["price"])
    quantity = Decimal(properties.get("quantity", "1"))
    if "hs_discount_percentage" in properties:
        price *= 1 - Decimal(properties["hs_discount_percentage"]) / 100
    else:
        price -= Decimal(properties.get("discount", "0"))
    return (price * quantity).quantize(CENT, ROUND_HALF_UP)
