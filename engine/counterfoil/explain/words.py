"""Small pieces of the sentences that a chain is told in. Pure."""

from decimal import Decimal

from counterfoil_schema import exact_json
from counterfoil_schema.events.base import ERASED
from counterfoil_schema.exact_json import JsonObject, JsonValue

_HOW = {
    "sync": "in a full reading",
    "poll": "found by polling",
    "webhook": "after a webhook",
    "sweep": "found by the sweep of changes",
    "look-up": "looked up",
    "edit": "corrected by a person",
}


def how(value: JsonValue) -> str:
    """What made us look."""
    return _HOW.get(str(value), str(value))


def sentence(value: JsonValue) -> str:
    """A reason as a sentence."""
    text = str(value or "").strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def part(body: JsonObject, name: str) -> JsonObject:
    """A nested object, empty if there is none."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def parts(body: JsonObject, name: str) -> list[JsonObject]:
    """A list of nested objects."""
    value = body.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def document(value: JsonValue) -> JsonObject:
    """The fields of a document inside an event: the clear ones, and the personal ones where they were opened."""
    if not isinstance(value, dict) or not isinstance(value.get("clear"), str):
        return {}
    fields = exact_json.loads_object(str(value["clear"]))
    personal = value.get("personal")
    if isinstance(personal, str) and personal != ERASED:
        fields = {**fields, **exact_json.loads_object(personal)}
    return fields


def amount(value: JsonValue, currency: JsonValue) -> str:
    """An amount with its currency, as recorded."""
    return f"{value} {currency or ''}".rstrip() if value is not None else ""


def totals(fields: JsonObject) -> str:
    """What a document comes to: `, total 120.00, open 20.00`."""
    said = []
    for name, word in (("DocNumber", "number"), ("TotalAmt", "total"), ("Balance", "open")):
        value = fields.get(name)
        if value is not None and value != "":
            said.append(f"{word} {value}")
    return f", {', '.join(said)}" if said else ""


def tied(figures: JsonObject) -> str:
    """What the total is made of and compared with, where that is not plain: ` Tax 8.25 USD.`"""
    said = []
    if Decimal(str(figures.get("tax") or 0)):
        said.append(f"Tax {amount(figures['tax'], figures.get('currency'))}.")
    if figures.get("home_total") is not None:
        said.append(f"Worth {figures['home_total']} at home, at {figures.get('rate')}.")
    expected = figures.get("expected")
    if expected is not None and Decimal(str(expected)) != Decimal(str(figures.get("total"))):
        said.append(f"The source makes it {amount(expected, figures.get('currency'))}.")
    return "".join(f" {one}" for one in said)


def values(fields: JsonObject) -> str:
    """Values that are written back: `name = value, …`."""
    return ", ".join(f"{name} = {value}" for name, value in fields.items()) or "nothing"
