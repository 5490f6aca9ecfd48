"""The same bodies as XML, both ways: what Intuit's clients for PHP, Java and .NET, and one for Ruby, speak by default.

Source: Intuit's schema, which says what is an attribute, and samples of its answers. Everything else is as in JSON: an
object is an element with its members inside, a list repeats its element, a reference has its Id as text and its name as
an attribute.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from lxml import etree

from counterfoil.quickbooks.emulator.catalog import BY_PATH, ENTITIES
from counterfoil.quickbooks.emulator.fields import fields_of
from counterfoil.quickbooks.emulator.nested import types
from counterfoil.quickbooks.emulator.values import as_object
from counterfoil_schema.exact_json import JsonObject, JsonValue

NAMESPACE = "http://schema.intuit.com/finance/v3"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
ROOT = "IntuitResponse"
BATCH = "IntuitBatchRequest"
ITEM = "BatchItemRequest"
REPORT = frozenset({"Header", "Columns", "Rows"})
RECORD = frozenset({"domain", "sparse", "status"})
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(ENTITIES, RECORD),
    ROOT: frozenset({"time"}),
    "Fault": frozenset({"type"}),
    "Error": frozenset({"code", "element"}),
    "QueryResponse": frozenset({"startPosition", "maxResults", "totalCount"}),
    "CDCResponse": frozenset({"startPosition", "maxResults", "totalCount"}),
    "BatchItemResponse": frozenset({"bId"}),
    "Row": frozenset({"type", "group", "id", "parentId"}),
    "ColData": frozenset({"value", "id", "href"}),
}
# What has its value as text and the rest as attributes.
TEXT = "value"
AROUND_TEXT = frozenset({TEXT, "name", "type"})
LISTS = frozenset({"TaxRateDetails"})
DEEPEST = 40
# What XML cannot hold is left out.
_BEYOND_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written(body: JsonObject, *, time: str) -> bytes:
    """An answer as XML: a report by itself, everything else in an envelope.

    Args:
        time: of the answer, where its body does not say.
    """
    if body.keys() >= REPORT:
        root = _element("Report", body)
    else:
        told: JsonObject = {"time": time, **body}
        if isinstance(gateway := told.get("fault"), dict):
            # The gateway's other shape is one of its JSON alone.
            told = {"time": time, "Fault": _fault(gateway)}
        elif "TaxCodeId" in told:
            told = {"time": time, "TaxService": {name: value for name, value in body.items() if name != "time"}}
        root = _element(ROOT, told)
    return DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def _fault(gateway: JsonObject) -> JsonObject:
    errors = gateway.get("error")
    told: list[JsonValue] = [
        {"code": error.get("code"), "Message": error.get("message"), "Detail": error.get("detail")}
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    return {"type": gateway.get("type"), "Error": told}


def _element(name: str, value: JsonValue) -> etree._Element:
    made = etree.fromstring(f'<{name} xmlns="{NAMESPACE}"/>'.encode())
    _fill(made, name, value)
    return made


def _fill(made: etree._Element, name: str, value: JsonValue) -> None:
    if not isinstance(value, dict):
        made.text = _text(value)
        return
    attributes = ATTRIBUTES.get(name, frozenset())
    if name not in ATTRIBUTES and TEXT in value and value.keys() <= AROUND_TEXT:
        made.text = _text(value[TEXT])
        attributes = AROUND_TEXT - {TEXT}
    for inner, member in value.items():
        if member is None or (inner == TEXT and attributes == AROUND_TEXT - {TEXT}):
            continue
        if inner in attributes:
            made.set(inner, _text(member))
            continue
        for one in member if isinstance(member, list) else [member]:
            _fill(etree.SubElement(made, f"{{{NAMESPACE}}}{inner}"), inner, one)


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return _BEYOND_XML.sub("", str(value))


def read(raw: bytes) -> JsonObject | None:
    """What a request's XML says, as its JSON would; None if it is no XML, or would have anything looked up or expanded.

    A batch becomes its list, a record its properties, both without the name of the root.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None or root.getroottree().docinfo.internalDTD is not None or _depth(root) > DEEPEST:
        return None
    if _name(root) == BATCH:
        items: list[JsonValue] = [_item(one) for one in root if _name(one) == ITEM]
        return {ITEM: items}
    return as_object(_record(root))


def _item(item: etree._Element) -> JsonObject:
    made: JsonObject = {str(name): str(value) for name, value in item.attrib.items()}
    for inner in item:
        made[_name(inner)] = _record(inner) if _name(inner).lower() in BY_PATH else _any(inner)
    return made


def _record(element: etree._Element) -> JsonValue:
    """A record, by the table of its properties."""
    spec = BY_PATH.get(_name(element).lower())
    if spec is None:
        return _any(element)
    table = fields_of(spec.name)
    told = {name: (field.type, field.many) for name, field in table.items()}
    made = _members(element, told)
    for name in RECORD & set(element.attrib):
        made[name] = _typed(str(element.attrib[name]), "boolean" if name == "sparse" else "string")
    return made


def _members(element: etree._Element, told: Mapping[str, tuple[str, bool]]) -> JsonObject:
    made: JsonObject = {}
    for inner in element:
        name = _name(inner)
        kind, many = told.get(name, ("", name in LISTS))
        value = _record(inner) if not kind and name.lower() in BY_PATH else _value(inner, kind)
        held = made.get(name)
        if isinstance(held, list):
            held.append(value)
        elif name in made or many:
            made[name] = [held, value] if name in made else [value]
        else:
            made[name] = value
    return made


def _value(element: etree._Element, kind: str) -> JsonValue:
    if kind in {"ReferenceType", "value:string"}:
        return _reference(element)
    parts = types().get(kind)
    if parts is not None:
        return _members(element, {name: (part.type, part.many) for name, part in parts.items()})
    return _typed(element.text or "", kind) if kind and not len(element) else _any(element)


def _reference(element: etree._Element) -> JsonObject:
    named: JsonObject = {name: str(element.attrib[name]) for name in AROUND_TEXT & set(element.attrib)}
    return {TEXT: (element.text or "").strip(), **named}


def _any(element: etree._Element) -> JsonValue:
    """What no table tells of."""
    if len(element):
        return _members(element, {})
    return _reference(element) if _name(element).endswith("Ref") else element.text or ""


def _typed(text: str, kind: str) -> JsonValue:
    if kind == "boolean" and text.strip().lower() in {"true", "false"}:
        return text.strip().lower() == "true"
    return text if kind == "string" else text.strip()


def _depth(root: etree._Element) -> int:
    return max((sum(1 for _ in leaf.iterancestors()) for leaf in _leaves(root)), default=0)


def _leaves(root: etree._Element) -> Iterator[etree._Element]:
    return (element for element in root.iter() if not len(element))


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
