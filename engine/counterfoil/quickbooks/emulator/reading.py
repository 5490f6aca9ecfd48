"""From an HTTP request to a call, without a refusal: what cannot be understood is a call of unknown kind."""

from codecs import BOM_UTF8
from collections.abc import Mapping

from counterfoil.quickbooks.emulator.markup import read
from counterfoil.quickbooks.emulator.service import Call, CallKind
from counterfoil_schema.exact_json import JsonObject, loads

DEEPEST = 3
TAX_STEPS = 2
_ON_RECORDS: Mapping[tuple[str, str], CallKind] = {("GET", "pdf"): "pdf", ("POST", "send"): "send"}
_WITHOUT_RECORDS: Mapping[tuple[str, str], CallKind] = {
    ("GET", "cdc"): "cdc",
    ("GET", "download"): "download",
    ("GET", "reports"): "report",
    ("POST", "upload"): "upload",
}


def understand(method: str, tail: str, parameters: Mapping[str, str], raw: bytes) -> Call:
    """Which call a request is."""
    steps = _steps(tail)
    asked = dict(parameters)
    # Answered like the reading that it asks about; HTTP leaves the body out.
    method = "GET" if method == "HEAD" else method
    first = steps[0] if steps else ""
    if first == "query" and method in {"GET", "POST"}:
        text = asked.get("query", "") or raw.decode(errors="replace")
        return Call("query", steps, asked, text=text if method == "POST" else asked.get("query", ""))
    if (method, first) in _WITHOUT_RECORDS:
        kind = _WITHOUT_RECORDS[method, first]
        return Call(kind, steps, asked, raw=raw if kind == "upload" else b"")
    if len(steps) == DEEPEST and (method, steps[-1]) in _ON_RECORDS:
        return Call(_ON_RECORDS[method, steps[-1]], steps, asked)
    if method == "GET":
        return Call("read", steps, asked)
    if method == "POST" and len(steps) == TAX_STEPS and (first, steps[1].lower()) == ("taxservice", "taxcode"):
        return Call("tax", steps, asked, _object(raw))
    if method != "POST" or len(steps) != 1:
        return Call("unknown", steps, asked)
    body = _object(raw) if raw.strip() else _named(asked)
    if first == "batch":
        return Call("batch", steps, asked, body)
    return Call(_write_kind(asked, body), steps, asked, body)


def _steps(tail: str) -> tuple[str, ...]:
    """Its parts, names in lower case; an Id stays as it is, for there are some with letters."""
    steps = [step for step in tail.split("/") if step]
    return tuple(step if place == 1 else step.lower() for place, step in enumerate(steps))


def _write_kind(asked: Mapping[str, str], body: JsonObject | None) -> CallKind:
    operation = asked.get("operation", "").lower()
    if operation == "void" or "void" in asked.get("include", "").lower().split(","):
        return "void"
    if operation == "delete":
        return "delete"
    if operation not in {"", "update", "create"}:
        return "unknown"
    return "update" if operation == "update" or (body is not None and body.get("Id")) else "create"


def _named(asked: Mapping[str, str]) -> JsonObject | None:
    """The record that an address names by itself: some clients send their voids without a body."""
    ends = asked.get("operation", "").lower() in {"void", "delete"}
    return {name: asked[name] for name in ("Id", "SyncToken") if asked.get(name)} if ends and asked.get("Id") else None


def _object(raw: bytes) -> JsonObject | None:
    if raw.lstrip().startswith(b"<") or raw.startswith(BOM_UTF8 + b"<"):
        return read(raw)
    try:
        value = loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
