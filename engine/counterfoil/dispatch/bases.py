"""What both sides last agreed on, of fields and lines that are left as the books have them: opened where it lies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from counterfoil.planning.lines import line_name
from counterfoil.planning.types import Base, Chosen, Common
from counterfoil.planning.values import line_id, real_lines
from counterfoil.state.rows import LinkRow
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    CallSent,
    ConflictAnswered,
    IntentAccepted,
    IntentWithdrawn,
    RecordAdopted,
)
from counterfoil_schema.events.receipts import BooksMerged, BooksObserved
from counterfoil_schema.exact_json import JsonObject, JsonValue

if TYPE_CHECKING:
    from counterfoil.dispatch.view import EventSource


async def bases_of(events: "EventSource", company: int, row: LinkRow) -> Mapping[str, Base]:
    """By field, or `Line[KEY]`, what both sides started from."""
    found: dict[str, Base] = {}
    for name, position in row.kept.items():
        found[name] = _base(name, await events.event_at(company, position), row)
    return found


def _base(name: str, event: Event, row: LinkRow) -> Base:
    if isinstance(event, ConflictAnswered):
        for one in event.answers:
            if one.field == name:
                return Chosen(keep=one.keep, source=one.source, books=one.books, shown=one.base)
        return Common(value=None)
    fields, keys = _written(event, row.record_key)
    if not name.startswith("Line["):
        return Common(value=fields.get(name))
    return Common(value=_line(name, fields, keys, row.lines))


def _written(event: Event, record_key: str) -> tuple[JsonObject, tuple[str, ...]]:
    """The document as an event carries it, and the source lines that its lines stand for, where it says so."""
    match event:
        case CallSent():
            items = [item for item in event.items if item.record_key == record_key]
            return (items[0].body.fields(), items[0].line_keys) if items else ({}, ())
        case IntentWithdrawn(held=held) if held is not None:
            return held.fields(), ()
        case IntentAccepted() | BooksObserved() | BooksMerged() | RecordAdopted():
            return event.document.fields(), ()
        case _:
            return {}, ()


def _line(name: str, fields: JsonObject, keys: tuple[str, ...], links: Mapping[str, str]) -> JsonValue:
    lines = real_lines(fields)
    for key, line in zip(keys, lines, strict=False):
        if line_name(key) == name:
            return line
    known = {line_name(key): identity for key, identity in links.items()}
    return next((line for line in lines if line_id(line) and line_id(line) == known.get(name)), None)
