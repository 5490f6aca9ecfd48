"""From an HTTP request to a call, without a refusal: what cannot be understood is a call of unknown kind."""

from collections.abc import Mapping

from counterfoil.quickbooks.emulator.service import Call, CallKind
from counterfoil_schema.exact_json import JsonObject, loads

DEEPEST = 3
_ON_RECORDS: Mapping[tuple[str, str], CallKind] = {("GET", "pdf"): "pdf", ("POST", "send"): "send"}


def understand(method: str, tail: str, parameters: Mapping[str, str], raw: bytes) -> Call:
    """Which call a request is."""
    steps = tuple(step.lower() for step in tail.strip("/").split("/") if step)
    asked = dict(parameters)
    first = steps[0] if steps else ""
    if first == "query" and method in {"GET", "POST"}:
        text = asked.get("query", "") or raw.decode(errors="replace")
        return Call("query", steps, asked, text=text if method == "POST" else asked.get("query", ""))
    if first == "cdc" and method == "GET":
        return Call("cdc", steps, asked)
    if first == "download" and method == "GET":
        return Call("download", steps, asked)
    if first == "upload" and method == "POST":
        return Call("upload", steps, asked, raw=raw)
    if len(steps) == DEEPEST and (kind := _ON_RECORDS.get((method, steps[-1]))) is not None:
        return Call(kind, steps, asked)
    if first == "reports" and method == "GET":
        return Call("report", steps, asked)
    if method == "GET":
        return Call("read", steps, asked)
    if method != "POST" or len(steps) != 1:
        return Call("unknown", steps, asked)
    body = _object(raw)
    if first == "batch":
        return Call("batch", steps, asked, body)
    return Call(_write_kind(asked, body), steps, asked, body)


def _write_kind(asked: Mapping[str, str], body: JsonObject | None) -> CallKind:
    operation = asked.get("operation", "").lower()
    if operation == "void" or "void" in asked.get("include", "").lower().split(","):
        return "void"
    if operation == "delete":
        return "delete"
    if operation not in {"", "update", "create"}:
        return "unknown"
    return "update" if operation == "update" or (body is not None and body.get("Id")) else "create"


def _object(raw: bytes) -> JsonObject | None:
    try:
        value = loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
