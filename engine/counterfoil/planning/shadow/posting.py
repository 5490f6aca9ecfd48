"""What a document that is only planned would come to on which account.

A symbolic body names accounts and items where a document of the books bears their Ids; so each name is given an Id of
its own, and the figures come from the same place as those of documents that exist.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from counterfoil.planning.rollback.postings import postings
from counterfoil.planning.rollback.types import Chart
from counterfoil.planning.types import NAME_REF, RECORD_REF, Intent
from counterfoil_schema.exact_json import JsonObject, JsonValue

_ACCOUNT = "Account "


def posted(intent: Intent, chart: Chart, income: Mapping[str, str]) -> dict[str, Decimal]:
    """By account, debits less credits, in the document's currency; nothing for what takes a document away.

    Args:
        income: for each of its items, as `items_in` names them, the income account as `grounded` names it.
    """
    if intent.target != "quickbooks" or intent.operation not in ("create", "update"):
        return {}
    body = grounded(intent.body)
    if not isinstance(body, dict):
        return {}
    named: dict[str, tuple[str, str | None]] = {
        each: (each.removeprefix(_ACCOUNT), None) for each in (*_ids_in(body), *income.values())
    }
    accounts = {key: value for key, value in named.items() if key.startswith(_ACCOUNT)}
    known = replace(chart, accounts={**chart.accounts, **accounts}, income={**chart.income, **income})
    return postings(body, intent.entity, known)


def grounded(value: JsonValue) -> JsonValue:
    """The same with an Id in the place of each reference: `Account Sales`, `Item Hours`, or the record's key."""
    if isinstance(value, list):
        return [grounded(member) for member in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$record": str(key)}:
            return {"value": key}
        case {"$name": [str(entity), str(name)]}:
            return {"value": f"{entity} {name}"}
        case _:
            return {name: grounded(part) for name, part in value.items()}


def items_in(body: JsonValue) -> Iterator[JsonObject]:
    """The references to items in a symbolic body."""
    if isinstance(body, list):
        for member in body:
            yield from items_in(member)
    elif isinstance(body, dict):
        item = body.get("ItemRef")
        if isinstance(item, dict) and (RECORD_REF in item or NAME_REF in item):
            yield item
        for part in body.values():
            yield from items_in(part)


def _ids_in(body: JsonValue) -> Iterator[str]:
    if isinstance(body, list):
        for member in body:
            yield from _ids_in(member)
    elif isinstance(body, dict):
        held = body.get("value")
        if isinstance(held, str):
            yield held
        for part in body.values():
            yield from _ids_in(part)
