"""All that is held on a person, as one JSON document, written as it is read."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Protocol

from counterfoil.log import EventCodec, LogReader, RecordedEvent
from counterfoil.privacy.people import Person
from counterfoil.privacy.scanning import Held
from counterfoil.state.rows import LinkRow
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.exact_json import JsonObject, JsonValue

EVENTS_AT_ONCE = 500


class TextFile(Protocol):
    """Where the document goes."""

    def write(self, text: str, /) -> object:
        """Take a piece of it."""
        ...


async def write_export(
    person: Person, held: Held, links: Sequence[LinkRow], *, reader: LogReader, codec: EventCodec, out: TextFile
) -> int:
    """Write who the person is, links, documents, and every event about them, opened; how many events that were.

    Of calls that carried several documents only the person's are given; of deliveries, only what concerns them.

    Raises:
        LogCorruptError: an event cannot be opened.
    """
    head: JsonObject = {
        "company": person.company,
        "person": list(person.subjects),
        "sources": list(person.sources),
        "links": [
            {"record": row.record_key, "entity": row.entity, "document": row.document_id, "status": row.status}
            for row in links
        ],
        "documents": [
            {
                "entity": one.entity,
                "document": one.document_id,
                "number": one.number,
                "dated": one.dated,
                "total": one.total,
            }
            for one in held.retained
        ],
    }
    out.write(exact_json.dumps(head).decode().removesuffix("}") + ',"events":[')
    written = 0
    async for event in _events(held, person.company, reader, codec):
        out.write(("," if written else "") + "\n" + exact_json.dumps(event).decode())
        written += 1
    out.write("\n]}\n")
    return written


async def _events(held: Held, company: int, reader: LogReader, codec: EventCodec) -> AsyncIterator[JsonObject]:
    subjects = frozenset(held.subjects)
    for start in range(0, len(held.positions), EVENTS_AT_ONCE):
        for recorded in await reader.get_many(company, held.positions[start : start + EVENTS_AT_ONCE]):
            yield _shown(recorded, _theirs(recorded, await codec.body(recorded), subjects))


def _shown(recorded: RecordedEvent, body: Mapping[str, Any]) -> JsonObject:
    return {
        "position": recorded.position,
        "recorded_at": recorded.recorded_at.isoformat(),
        "event": recorded.event_type,
        "record": recorded.record_key,
        "body": _opened(dict(body)),
    }


def _theirs(recorded: RecordedEvent, body: Mapping[str, Any], subjects: Collection[str]) -> Mapping[str, Any]:
    match recorded.event_type:
        case "call.sent":
            items = [one for one in body["items"] if one["record_key"] in subjects or one.get("person") in subjects]
            return {**body, "items": items}
        case "webhook.received":
            where = body["connection"]
            hints = [one for one in body["hints"] if f"{where}:{one['kind']}:{one['source_id']}" in subjects]
            # The payload as a whole may be about others as well.
            raw = body.get("raw") if len(hints) == len(body["hints"]) else None
            return {**body, "hints": hints, "raw": raw}
        case _:
            return body


def _opened(value: Any) -> JsonValue:
    """The same with each document as its fields."""
    if isinstance(value, dict):
        if value.keys() == {"entity", "clear", "personal"} or value.keys() == {"entity", "clear"}:
            return {"entity": value["entity"], "fields": Document(**value).fields()}
        return {name: _opened(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_opened(part) for part in value]
    plain: JsonValue = value
    return plain
