"""Makes the body that is sent out of a symbolic one: references resolved, merged with what stands in the books.

Pure: the same arguments always give the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.planning.lines import Arranged, arrange, line_links, same_lines, take_keys
from counterfoil.planning.merge import SHARED, Merged, merge_fields, merge_lines
from counterfoil.planning.outcome import MARKER
from counterfoil.planning.ownership import Ownership, note_field
from counterfoil.planning.types import (
    LINE_KEY,
    NAME_REF,
    RATE_REF,
    RECORD_REF,
    Composed,
    Conflicts,
    Link,
    Side,
    Unresolved,
)
from counterfoil.planning.values import holds, real_lines, same
from counterfoil_schema import exact_json
from counterfoil_schema.events.decisions import Operation
from counterfoil_schema.exact_json import JsonObject, JsonValue

__all__ = ["compose", "exact_body", "line_links"]

ResolveRecord = Callable[[str], tuple[str, str] | None]
"""Record key to (entity, document id), or None where no document stands for it yet."""

ResolveName = Callable[[str, str], str | None]
"""Entity and name to document id, or None where the books hold no such name."""

ResolveRate = Callable[[str, str], Decimal | None]
"""Currency and day to the books' own rate, or None where it was never asked for."""


def no_rates(currency: str, day: str) -> Decimal | None:
    """No rate is known."""
    del currency, day
    return None


NOTHING_SHARED = Merged(fields={}, kept=(), conflicts=())

# In these fields QuickBooks wants the bare id, not {"value": id}.
_BARE_ID_FIELDS = frozenset({"TxnId", "Id"})


def exact_body(body: JsonObject) -> bytes:
    """The bytes of a body: always the same for the same body, every amount written exactly."""
    return exact_json.dumps(body)


def compose(
    intent_body: JsonObject,
    operation: Operation,
    entity: str,
    link: Link | None,
    resolve_record: ResolveRecord,
    resolve_name: ResolveName,
    marker: str,
    ownership: Ownership | None = None,
    resolve_rate: ResolveRate = no_rates,
    later: Mapping[str, Side] | None = None,
) -> Composed | Unresolved | Conflicts:
    """The body to send.

    Args:
        intent_body: symbolic, as planned.
        operation: `create` and `adopt` resolve; `update` merges with the document as last seen and names its
            SyncToken; `void` and `delete` name id and token; `write_back` and `note` pass through.
        entity: the QuickBooks entity, or whatever a write-back calls its kind.
        link: the document that stands for the record; required for update, void and delete.
        resolve_record: finds the document that stands for another record.
        resolve_name: finds a document by its name.
        marker: what takes the marker's place at the end of the document's note.
        ownership: whose word counts per field; the defaults where None.
        resolve_rate: finds the books' own rate of a currency on a day.
        later: of what both sides changed, who did so last, as far as that has been found out.

    Returns:
        Composed; Unresolved with all references that lead nowhere yet (or the document to read first, where an
        update has no image to build on); Conflicts where both sides changed something that both may change.
    """
    if operation in ("write_back", "note"):
        return Composed(entity=entity, operation=operation, body=intent_body, sync_token=None)
    if operation in ("void", "delete"):
        return _ending(operation, entity, link)
    resolver = _Resolver(resolve_record, resolve_name, marker, resolve_rate, note_field(entity))
    resolved = resolver.object(intent_body)
    if resolver.records or resolver.names or resolver.rates:
        return Unresolved(records=tuple(resolver.records), names=tuple(resolver.names), rates=tuple(resolver.rates))
    if operation == "update":
        return _update(resolved, entity, link, ownership or Ownership(entity=entity), later or {})
    arranged = take_keys(_line_objects(resolved))
    body = {**resolved, "Line": arranged.lines} if "Line" in resolved else resolved
    return Composed(
        entity=entity,
        operation=operation,
        body=body,
        sync_token=None,
        line_keys=arranged.keys,
        changes=tuple(body),
    )


def _ending(operation: Operation, entity: str, link: Link | None) -> Composed | Unresolved:
    token = _token(link)
    if link is None or token is None:
        return _read_first(entity, link)
    body: JsonObject = {"Id": link.document_id, "SyncToken": token}
    if operation == "void" and entity != "Invoice":
        # Everything but an invoice is voided by an update that says so (Intuit: payment page).
        body["sparse"] = True
    return Composed(entity=entity, operation=operation, body=body, sync_token=token, changes=("status",))


def _token(link: Link | None) -> str | None:
    """The token of the document that the body builds on."""
    if link is None:
        return None
    token = link.latest.get("SyncToken")
    return token if isinstance(token, str) else link.sync_token


def _read_first(entity: str, link: Link | None) -> Unresolved:
    return Unresolved(read_first=((entity, link.document_id if link is not None else ""),))


def _update(
    ours: JsonObject, entity: str, link: Link | None, ownership: Ownership, later: Mapping[str, Side]
) -> Composed | Unresolved | Conflicts:
    token = _token(link)
    has_lines = "Line" in ours
    # An update replaces every line: without the document as last seen, a bookkeeper's lines would be lost.
    if link is None or token is None or (has_lines and "Line" not in link.latest):
        return _read_first(entity, link)
    merged = merge_fields(ours, link, ownership, later)
    owner = ownership.owner("Line")
    lines = _line_objects(ours)
    shared = merge_lines(lines, link, owner, later) if has_lines and owner in SHARED else NOTHING_SHARED
    if merged.conflicts or shared.conflicts:
        return Conflicts((*merged.conflicts, *shared.conflicts))
    body: JsonObject = {"Id": link.document_id, "SyncToken": token, "sparse": True, **merged.fields}
    changes = [name for name, value in merged.fields.items() if not _stands(name, value, link.latest.get(name))]
    arranged = Arranged(lines=[], keys=())
    if has_lines and owner != "books":
        arranged = arrange(lines, link.lines, link.latest, frozenset(shared.kept))
        body["Line"] = arranged.lines
        if not same_lines(real_lines(body), real_lines(link.latest)):
            changes.append("Line")
    return Composed(
        entity=entity,
        operation="update",
        body=body,
        sync_token=token,
        line_keys=arranged.keys,
        changes=tuple(changes),
        kept=(*merged.kept, *shared.kept, *_untouched(ours, link)),
    )


def _untouched(ours: JsonObject, link: Link) -> tuple[str, ...]:
    """What was left to the books before and is no part of this update at all."""
    return tuple(name for name in link.bases if name.partition("[")[0] not in ours)


def _stands(name: str, wanted: JsonValue, held: JsonValue) -> bool:
    """Whether a document says it already; of its tax QuickBooks shows more than we send."""
    return same(wanted, held) or (name == "TxnTaxDetail" and holds(held, wanted))


def _line_objects(body: JsonObject) -> list[JsonObject]:
    lines = body.get("Line")
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []


@dataclass(slots=True)
class _Resolver:
    """Walks a body once and notes every reference that leads nowhere."""

    resolve_record: ResolveRecord
    resolve_name: ResolveName
    marker: str
    resolve_rate: ResolveRate
    note: str
    records: dict[str, None] = field(default_factory=dict)
    names: dict[tuple[str, str], None] = field(default_factory=dict)
    rates: dict[tuple[str, str], None] = field(default_factory=dict)

    def object(self, body: JsonObject) -> JsonObject:
        resolved: JsonObject = {}
        for name, value in body.items():
            if name == self.note and isinstance(value, str) and value.endswith(MARKER):
                resolved[name] = value.removesuffix(MARKER) + self.marker
            elif name == LINE_KEY:
                resolved[name] = value
            else:
                resolved[name] = self._value(value, name)
        return resolved

    def _value(self, value: JsonValue, name: str) -> JsonValue:
        if isinstance(value, list):
            return [self._value(part, name) for part in value]
        if not isinstance(value, dict):
            return value
        if RECORD_REF in value or NAME_REF in value:
            identity = self._reference(value)
            # Whom an EntityRef names is said by the word beside it (Intuit: purchase page).
            beside = {key: part for key, part in value.items() if key not in (RECORD_REF, NAME_REF)}
            return identity if name in _BARE_ID_FIELDS else {**beside, "value": identity}
        if RATE_REF in value:
            return self._rate(value[RATE_REF])
        return self.object(value)

    def _rate(self, asked: JsonValue) -> Decimal | None:
        currency, day = (str(part) for part in asked) if isinstance(asked, list) else ("", "")
        rate = self.resolve_rate(currency, day)
        if rate is None:
            self.rates[currency, day] = None
        return rate

    def _reference(self, reference: JsonObject) -> str | None:
        key = reference.get(RECORD_REF)
        if isinstance(key, str):
            found = self.resolve_record(key)
            if found is None:
                self.records[key] = None
                return None
            return found[1]
        pair = reference.get(NAME_REF)
        entity, name = (str(part) for part in pair) if isinstance(pair, list) else ("", "")
        identity = self.resolve_name(entity, name)
        if identity is None:
            self.names[entity, name] = None
        return identity
