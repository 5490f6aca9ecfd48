"""Whether a document shows the effect of a body that was sent: the question behind every lost answer."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from counterfoil_schema.exact_json import JsonObject, JsonValue

_NOT_COMPARED = frozenset({"Id", "SyncToken", "sparse", "MetaData", "domain"})


def shows_effect(body: JsonObject, document: JsonObject) -> bool:
    """Whether every field that was sent stands in the document as it was sent.

    Numbers are compared as numbers, references by their value, lines in order with sub-totals left out.
    """
    return all(_shows(value, document.get(name)) for name, value in body.items() if name not in _NOT_COMPARED)


def _shows(sent: JsonValue, found: JsonValue) -> bool:
    if isinstance(sent, bool) or isinstance(found, bool):
        return sent is found
    if isinstance(sent, int | Decimal) and isinstance(found, int | Decimal):
        return Decimal(sent) == Decimal(found)
    if isinstance(sent, Mapping):
        if not isinstance(found, Mapping):
            return False
        if "value" in sent and "value" in found:
            return sent["value"] == found["value"]
        return all(_shows(value, found.get(name)) for name, value in sent.items())
    if isinstance(sent, Sequence) and not isinstance(sent, str):
        if not isinstance(found, Sequence) or isinstance(found, str):
            return False
        lines = [line for line in found if not _is_subtotal(line)]
        return len(lines) == len(sent) and all(_shows(one, other) for one, other in zip(sent, lines, strict=True))
    return sent == found


def _is_subtotal(line: JsonValue) -> bool:
    return isinstance(line, Mapping) and line.get("DetailType") == "SubTotalLineDetail"
