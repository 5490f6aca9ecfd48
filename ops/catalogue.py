"""Write the catalogue of events, schema/EVENTS.md, from the models; with `--check`, only compare."""

import importlib
import json
import sys
import types
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from counterfoil.log.sealing import plan_for
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event, Seal, registry
from counterfoil_schema.exact_json import JsonObject

TARGET = Path(__file__).resolve().parents[1] / "schema" / "EVENTS.md"
MODULES = (
    "counterfoil_schema.events.receipts",
    "counterfoil_schema.events.decisions",
    "counterfoil_schema.events.rollbacks",
    "counterfoil_schema.events.redrives",
    "counterfoil_schema.events.recoveries",
)

SEALED = {Seal.PERSON: "the subject's key", Seal.RAW: "the month's key"}

HEADER = """\
# The events

Written by `make catalogue` from the models in `counterfoil_schema/events`, never by hand; a test compares the two.
{count} events: {receipts} receipts, which anybody may append, and {decisions} decisions, which need the company's
lease: the log refuses them from anybody else.

Beside its body each event bears an envelope: company, position (from 1, without gaps, per company), event id, type,
version, `recorded_at` (UTC), the key of the record it is about, `cause` (position of the event that led to it), W3C
trace context, the epoch of the lease (decisions), the delivery it came by (webhooks), and its link in the hash chain.

**Sealed** fields are encrypted inside the body: under the key of the event's subject (a record key, often the record
itself), so that destroying that key erases the person while the chain still verifies; or, for payloads as they came
in, under a key for the company and month. In the examples they are shown open. Amounts are decimals and travel as
text. A QuickBooks document travels as JSON text of its own, so that its numbers stay exact.

**Versions.** What is recorded is never rewritten. A change that old bodies do not fit raises the event's
`event_version` and comes with a step that lifts the version before:

```python
@registry.upcaster("intent.parked", from_version=1)
def lift(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {{**body, "fix": ""}}
```

`EventRegistry.read` runs all steps from the recorded version to today's, then validates. A type or version that a
release does not know stops that company's projection, visibly, and is never skipped. A new field with a default needs
no new version, nor does a kind of record that was not there before.
"""

TEXTS: Mapping[str, str] = {
    "action": "retry",
    "author": "mary",
    "batch_id": "1",
    "body_hash": "9d2f",
    "code": "unknown_account",
    "connection": "hubspot",
    "content_hash": "5b1c",
    "currency": "USD",
    "delivery_id": "evt-1",
    "department": "Sales",
    "digest": "77aa",
    "doc_number": "1041",
    "document_id": "153",
    "email": "ada@example.com",
    "entity": "Invoice",
    "evidence": "no document bears the marker",
    "family_name": "Lovelace",
    "fingerprint": "e0c4",
    "fix": "Create the account, or change the mapping.",
    "given_name": "Ada",
    "home_currency": "USD",
    "intent_id": "i-41",
    "intuit_tid": "1-5f3e",
    "kind": "deal",
    "line_id": "1",
    "line_key": "7001",
    "mapping": "77aa",
    "merged_into": "513",
    "name": "Alfreds Futterkiste",
    "name_key": "alfreds futterkiste",
    "operation": "updated",
    "other_id": "513",
    "outcome": "reopened",
    "person": "hubspot:company:9",
    "place": "orders.csv, row 17",
    "planner": "1",
    "preferences": "c3d9",
    "problem": "the amount 'n/a' is not a number",
    "proof": "5b1c",
    "raw": "{}",
    "realm_id": "9341452",
    "reason": "There is no account called Sales.",
    "record": "5b1c",
    "record_key": "hubspot:deal:512",
    "request_id": "8c41d0e2",
    "source_id": "512",
    "source_kind": "deal",
    "sync_token": "0",
    "target": "quickbooks",
    "text": "[documents]",
    "version": "2026-03-31T21:30:00Z",
    "zone": "America/New_York",
}
NUMBERS: Mapping[str, int] = {"attempt": 1, "change": 17, "request": 40, "through": 17}
DOCUMENT: JsonObject = {
    "DocNumber": "1041",
    "TotalAmt": Decimal("125.50"),
    "CustomerRef": {"value": "58", "name": "Alfreds"},
}
INSTANT = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
DAY = date(2026, 3, 31)


def known_events() -> list[type[Event]]:
    """The events of this release: receipts first, each kind by name."""
    for module in MODULES:
        importlib.import_module(module)
    ours = [event for event in registry.types().values() if event.__module__ in MODULES]
    return sorted(ours, key=lambda event: (event.decision, event.event_type))


# -- types in words --------------------------------------------------------------------------------------------------


def describe(annotation: Any) -> str:
    """A type as a reader of JSON would name it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return describe(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in {Union, types.UnionType}:
        models = [describe(part) for part in arguments if part is not type(None)]
        return " or ".join(models) + (", or null" if type(None) in arguments else "")
    if origin is tuple:
        if arguments[-1] is ...:
            return f"list of {describe(arguments[0])}"
        return f"list of {len(arguments)}: {', '.join(describe(part) for part in arguments)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    names = {str: "text", int: "whole number", bool: "true or false", Decimal: "decimal as text"}
    names |= {datetime: "instant", date: "date"}
    return names[annotation]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def shapes_of(events: list[type[Event]]) -> list[type[BaseModel]]:
    """Every model inside the events, by name."""
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [*events]
    while waiting:
        for field in waiting.pop().model_fields.values():
            for model in models_in(field.annotation):
                if model.__name__ not in found:
                    found[model.__name__] = model
                    waiting.append(model)
    return [found[name] for name in sorted(found)]


def table_of(model: type[BaseModel]) -> list[str]:
    """The fields of a model as a table."""
    plan = plan_for(model)
    seals = {name: SEALED[seal] for name, seal, _ in plan.sealed} | dict.fromkeys(plan.nested, "in part")
    lines = ["| field | type | unless given | sealed under |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        lines.append(f"| `{name}` | {describe(field.annotation)} | {default_of(field)} | {seals.get(name, '')} |")
    return lines


def default_of(field: FieldInfo) -> str:
    """What a field is when nobody says; empty where somebody must."""
    if field.default is PydanticUndefined:
        return ""
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{json.dumps(default, default=str)}`"


# -- examples --------------------------------------------------------------------------------------------------------


def example_of(model: type[BaseModel]) -> BaseModel:
    """An instance with every field set, always the same."""
    if model is Document:
        return Document.of("Invoice", DOCUMENT)
    return model.model_validate({name: value_of(name, field.annotation) for name, field in model.model_fields.items()})


def value_of(name: str, annotation: Any) -> Any:
    """A plausible value for a field of this name and type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return value_of(name, arguments[0])
    if origin is Literal:
        return arguments[0]
    if origin in {Union, types.UnionType}:
        # Of the records, an invoice says most.
        first = next((part for part in arguments if getattr(part, "__name__", "") == "Invoice"), arguments[0])
        return value_of(name, first)
    if origin is tuple:
        if arguments[-1] is ...:
            return (value_of(element_name(name), arguments[0]),)
        return tuple(value_of(part, kind) for part, kind in zip(("kind", "source_id"), arguments, strict=True))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return example_of(annotation)
    if annotation is str:
        return TEXTS.get(name, "hubspot:company:9" if name in {"customer", "product", "invoice"} else name)
    plain: dict[Any, Any] = {
        int: NUMBERS.get(name, 1),
        bool: name in {"active", "won", "processed", "custom_numbers"},
        Decimal: amount_of(name),
    }
    return (plain | {datetime: INSTANT, date: DAY})[annotation]


def element_name(name: str) -> str:
    """What one member of a list of this name is called."""
    return {"needs": "person", "line_keys": "line_key"}.get(name, name)


def amount_of(name: str) -> Decimal:
    """An amount that fits the field's name."""
    return {"discount": Decimal("0.15"), "quantity": Decimal(1), "deadline_seconds": Decimal(30)}.get(
        name, Decimal("125.50")
    )


# -- the page --------------------------------------------------------------------------------------------------------


def section_of(event: type[Event]) -> list[str]:
    """One event's part of the page."""
    kind = "decision" if event.decision else "receipt"
    example = json.dumps(example_of(event).model_dump(mode="json"), ensure_ascii=False, indent=2)
    return [
        f"### {event.event_type}",
        "",
        f"`{event.__name__}`, version {event.event_version}, {kind}. {' '.join((event.__doc__ or '').split())}",
        "",
        f"**When:** {event.when}",
        "",
        *table_of(event),
        "",
        "```json",
        example,
        "```",
        "",
    ]


def page(events: list[type[Event]]) -> str:
    """The whole page."""
    decisions = sum(event.decision for event in events)
    lines = [HEADER.format(count=len(events), receipts=len(events) - decisions, decisions=decisions)]
    for title, is_decision in (("Receipts", False), ("Decisions", True)):
        lines += [f"## {title}", ""]
        for event in events:
            if event.decision is is_decision:
                lines += section_of(event)
    lines += ["## Shapes inside them", ""]
    for shape in shapes_of(events):
        lines += [f"### {shape.__name__}", "", " ".join((shape.__doc__ or "").split()), "", *table_of(shape), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or check it."""
    fresh = page(known_events())
    if "--check" in sys.argv[1:]:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == fresh
        print("The catalogue is up to date." if same else "The catalogue is out of date: run `make catalogue`.")
        return 0 if same else 1
    TARGET.write_text(fresh, encoding="utf-8")
    print(f"{TARGET.name}: {len(known_events())} events")
    return 0


if __name__ == "__main__":
    sys.exit(main())
