"""Reading what comes back: JSON, XML or HTML, both fault shapes, faults inside a 200. Never raises.

Intuit's gateway answers in XML or HTML whatever was asked for, so the body decides together with its content
type (REST API features; public reports in python-quickbooks #43 and oauth-jsclient #135).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from counterfoil.quickbooks.online.faults import Fault, fault_from
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads

HTTP_ERROR_MIN = 400
_ERRORS_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Good:
    """A JSON object without a fault at its top, under a status below 400."""

    document: JsonObject


@dataclass(frozen=True, slots=True)
class Faulty:
    """The answer states a fault, or its status does."""

    fault: Fault
    stated: bool
    """True where the body itself names the fault in one of Intuit's shapes; False for a bare gateway page."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A status below 400 whose body is not what was asked for."""

    reason: str


Answer: TypeAlias = Good | Faulty | Unreadable


def parse_answer(body: bytes, content_type: str | None, http_status: int) -> Answer:
    """Tell success, fault and gibberish apart, whatever the body is."""
    document = _json_object(body)
    if document is not None:
        fault = fault_in(document, http_status)
        if fault is not None:
            return Faulty(fault, stated=True)
        if http_status < HTTP_ERROR_MIN:
            return Good(document)
        return Faulty(fault_from(code="", http_status=http_status), stated=False)
    kind = _markup_kind(body, content_type)
    if kind == "xml":
        fault = _xml_fault(body, http_status)
        if fault is not None:
            return Faulty(fault, stated=True)
    if http_status >= HTTP_ERROR_MIN:
        name = {"xml": "an XML page", "html": "an HTML page"}.get(kind, "no readable body")
        message = f"HTTP {http_status} with {name}"
        return Faulty(fault_from(code="", http_status=http_status, message=message), stated=False)
    return Unreadable(f"HTTP {http_status} with a body that is not a JSON object")


def fault_in(document: Mapping[str, JsonValue], http_status: int) -> Fault | None:
    """The fault that an object carries, in the service's shape (`Fault`) or the gateway's (`fault`); else None."""
    for key in ("Fault", "fault"):
        value = document.get(key)
        if isinstance(value, dict):
            return _from_errors(list(_json_errors(value)), http_status)
    return None


@dataclass(frozen=True, slots=True)
class _Error:
    code: str
    message: str
    detail: str
    element: str


def _json_errors(fault: Mapping[str, JsonValue]) -> Iterator[_Error]:
    errors = fault.get("Error", fault.get("error"))
    listed: Sequence[JsonValue] = errors if isinstance(errors, list) else [errors]
    for error in listed:
        if isinstance(error, dict):
            lower = {key.lower(): value for key, value in error.items()}
            yield _Error(
                _text(lower.get("code")),
                _text(lower.get("message")),
                _text(lower.get("detail")),
                _text(lower.get("element")),
            )


def _from_errors(errors: Sequence[_Error], http_status: int) -> Fault:
    """The first error decides; the others are kept in the detail."""
    if not errors:
        return fault_from(code="", http_status=http_status, message="a fault without any error in it")
    first = errors[0]
    further = "; ".join(f"{e.code} {e.detail or e.message}" for e in errors[1:_ERRORS_SHOWN_MAX])
    detail = f"{first.detail} (also: {further})" if further else first.detail
    return fault_from(
        code=first.code, http_status=http_status, message=first.message, detail=detail, element=first.element
    )


def _json_object(body: bytes) -> JsonObject | None:
    try:
        value = loads(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _markup_kind(body: bytes, content_type: str | None) -> str:
    declared = (content_type or "").lower()
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    if "xml" in declared or start.startswith((b"<?xml", b"<intuitresponse", b"<fault")):
        return "xml"
    return "html" if "html" in declared else "other"


def _xml_fault(body: bytes, http_status: int) -> Fault | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if not any(_local_name(node) == "fault" for node in root.iter()):
        return None
    errors = [_xml_error(node) for node in root.iter() if _local_name(node) == "error"]
    return _from_errors(errors, http_status)


def _xml_error(node: etree._Element) -> _Error:
    children = {_local_name(child): (child.text or "") for child in node}
    attributes = {str(key).lower(): str(value) for key, value in node.attrib.items()}
    return _Error(
        code=attributes.get("code", children.get("code", "")),
        message=children.get("message", ""),
        detail=children.get("detail", ""),
        element=attributes.get("element", children.get("element", "")),
    )


def _local_name(node: etree._Element) -> str:
    tag = node.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)
