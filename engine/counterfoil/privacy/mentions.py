"""What one recorded event has to do with a person, read from its clear part. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import orjson

from counterfoil.log import RecordedEvent
from counterfoil.log.sealing import SEGMENTS
from counterfoil.privacy.people import books_subject, parties_of
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import ERASED
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import record_key

_SEALED = f'"{SEGMENTS}"'.encode()
_REFERENCES = {"CustomerRef": "Customer", "VendorRef": "Vendor", "EmployeeRef": "Employee"}
_OTHER_REFERENCES = frozenset(
    {"EntityRef", "DropShipToEntity", "OtherNameRef", "PayerRef", "RemitToRef", "SalesRepRef"}
)
_DOCUMENT_EVENTS = frozenset({"books.observed", "books.merged", "intent.accepted", "record.adopted"})
_NAMES = frozenset({"name", "email", "phone", "DisplayName", "FullyQualifiedName", "PrintOnCheckName"})
_INNER_NAMES = frozenset({"Address", "FreeFormNumber", "Line1"})
_NAME_CHARACTERS_MIN = 4


class Mentions:
    """Tells which events name one of some people: source records by key, documents of the books by Id."""

    def __init__(self, records: Collection[str], documents: Collection[tuple[str, str]]) -> None:
        self._records = frozenset(records)
        self._documents = frozenset(documents)
        ids = sorted({re.escape(document_id) for _, document_id in documents})
        keys = sorted(re.escape(orjson.dumps(one).decode()) for one in records)
        patterns = [*keys, *(rf'\\"value\\":\s?\\"(?:{"|".join(ids)})\\"' for _ in ids[:1])]
        self._likely = re.compile("|".join(patterns).encode()) if patterns else None

    def subjects(self, recorded: RecordedEvent) -> list[str]:
        """The record and the document that name the person in this event; their personal parts may be the person's."""
        if self._likely is None or self._likely.search(recorded.body) is None:
            return []
        body = recorded.light()
        if recorded.event_type in {"source.observed", "source.edited"}:
            named = not self._records.isdisjoint(parties_of(body.get("record")))
            return [recorded.record_key] if named and recorded.record_key is not None else []
        if recorded.event_type not in _DOCUMENT_EVENTS:
            return []
        fields = clear_document(body.get("document"))
        if not self._names_person(fields):
            return []
        found = [books_subject(str(body["entity"]), str(body["document_id"]))]
        own = body.get("record_key")
        return [*found, own] if isinstance(own, str) else found

    def _names_person(self, value: JsonValue) -> bool:
        if isinstance(value, list):
            return any(self._names_person(one) for one in value)
        if not isinstance(value, dict):
            return False
        for name, part in value.items():
            entity = _REFERENCES.get(name)
            if isinstance(part, dict) and "value" in part and (entity is not None or name in _OTHER_REFERENCES):
                said = entity or part.get("type") or value.get("Type")
                if any(one == part["value"] and said in {None, kind} for kind, one in self._documents):
                    return True
            elif self._names_person(part):
                return True
        return False


def clear_document(value: object) -> JsonObject:
    """The clear fields of a document inside an event."""
    clear = value.get("clear") if isinstance(value, dict) else None
    return exact_json.loads_object(clear) if isinstance(clear, str) else {}


def keys_of(recorded: RecordedEvent) -> list[str]:
    """The ids of the keys under which parts of an event are sealed."""
    if _SEALED not in recorded.body:
        return []
    body: dict[str, Any] = orjson.loads(recorded.body)
    return [segment["key"] for segment in body.get(SEGMENTS, ())]


def hinted(recorded: RecordedEvent) -> Iterator[str]:
    """The records that a delivery says have changed."""
    if recorded.event_type == "webhook.received":
        body = recorded.light()
        for hint in body["hints"]:
            yield record_key(str(body["connection"]), str(hint["kind"]), str(hint["source_id"]))


def telling_words(body: Mapping[str, Any]) -> set[str]:
    """Texts of an opened event that tell who the person is: names, addresses, numbers; in small letters."""
    found: set[str] = set()
    record = body.get("record")
    if isinstance(record, Mapping):
        found |= _words(record)
        billing = record.get("billing")
        found |= set(billing.get("lines") or ()) if isinstance(billing, Mapping) else set()
    document = body.get("document")
    if isinstance(document, Mapping) and document.get("personal") not in {None, ERASED}:
        found |= _words(Document(**document).fields())
    return {one.casefold() for one in found if one != ERASED and len(one) >= _NAME_CHARACTERS_MIN}


def _words(fields: Mapping[str, Any]) -> set[str]:
    found = {str(fields[name]) for name in _NAMES if isinstance(fields.get(name), str)}
    for given, family in (("given_name", "family_name"), ("GivenName", "FamilyName")):
        both = [one for name in (given, family) if isinstance(one := fields.get(name), str)]
        found |= {" ".join(both)} if len(both) > 1 else set()
    for part in fields.values():
        if isinstance(part, Mapping):
            found |= {str(part[name]) for name in _INNER_NAMES if isinstance(part.get(name), str)}
    return found


def says(text: str, words: Iterable[str]) -> bool:
    """Whether a text holds one of these words, whatever their case."""
    folded = text.casefold()
    return any(word in folded for word in words)
