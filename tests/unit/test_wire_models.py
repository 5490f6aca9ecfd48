"""The wire models against the fact sheet of fields, and what they keep."""

import json
import types
from datetime import date
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import MaxLen
from pydantic.fields import FieldInfo

from counterfoil_schema.quickbooks import MODELS, Entity
from support.fact_sheets import fact_sheet

# What every record has, or what is kept without a model of its own.
EVERYWHERE = frozenset(Entity.model_fields) | {"AttachableRef"}
# Enumerations of hundreds of words, which Intuit adds to; QuickBooks' own answer tells.
OPEN = frozenset({"AccountSubType"})
SCALARS = {"string": str, "decimal": Decimal, "date": date, "boolean": bool, "integer": int, "dateTime": str}
# A name with a space in it, as the sheet has two properties in one row.
TWO_IN_ONE = " "


def sheet() -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(fact_sheet("quickbooks-online-fields.json"))
    return found


def inner(field: FieldInfo) -> tuple[Any, list[Any]]:
    """The type of a property without None, and what bounds it."""
    bounds = list(field.metadata)
    chosen: Any = field.annotation
    if get_origin(chosen) in {types.UnionType, __import__("typing").Union}:
        chosen = next(one for one in get_args(chosen) if one is not type(None))
    if hasattr(chosen, "__metadata__"):
        for one in chosen.__metadata__:
            bounds += getattr(one, "metadata", [one])
        chosen = chosen.__origin__
    return chosen, bounds


@pytest.mark.parametrize("entity", sorted(MODELS))
def test_properties_types_lengths_and_values_are_those_of_the_sheet(entity: str) -> None:
    facts = {name: fact for name, fact in sheet()[entity].items() if TWO_IN_ONE not in name}
    fields = MODELS[entity].model_fields
    assert set(fields) - EVERYWHERE <= set(facts)
    documented = {name for name, fact in facts.items() if fact.get("documented")}
    assert documented - EVERYWHERE <= set(fields)
    for name in set(fields) - EVERYWHERE:
        fact = facts[name]
        chosen, bounds = inner(fields[name])
        assert bool(fact.get("list")) == (get_origin(chosen) is tuple), name
        if fact["type"] in SCALARS:
            assert chosen is SCALARS[fact["type"]], name
        if fact["type"] == "string":
            longest = [bound.max_length for bound in bounds if isinstance(bound, MaxLen)]
            assert longest == ([fact["max_length"]] if fact["max_length"] else []), name
        if fact["type"] == "enum" and name not in OPEN:
            assert get_origin(chosen) is Literal, name
            assert set(get_args(chosen)) == set(fact["enum"]), name


def test_what_is_unknown_is_kept_and_what_was_absent_stays_away() -> None:
    line = {"Id": "1", "Amount": Decimal("10.10"), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    sent: dict[str, object] = {
        "Id": "145",
        "SyncToken": "0",
        "NewProperty": {"of": ["next", "year"]},
        "TxnDate": "2026-11-01",
        "TotalAmt": Decimal("10.10"),
        "Line": [line],
    }
    model = MODELS["Invoice"].model_validate(sent)
    kept = model.model_dump(exclude_unset=True)
    assert kept == {**sent, "TxnDate": date(2026, 11, 1), "Line": (line,)}
    assert model.model_validate(kept) == model


def test_numbers_where_text_belongs_are_taken() -> None:
    """Some tools send Id and SyncToken as numbers."""
    model = MODELS["Customer"].model_validate({"Id": 5, "SyncToken": 0, "DisplayName": "Ann"})
    assert (model.Id, model.SyncToken) == ("5", "0")
