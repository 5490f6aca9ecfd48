"""In which form an answer goes out: JSON, or XML as the clients for PHP, Java, .NET and Ruby ask for it."""

from typing import Literal

from counterfoil.quickbooks.emulator.markup import written
from counterfoil_schema.exact_json import JsonObject, dumps

Form = Literal["json", "xml"]
JSON_TYPE = "application/json;charset=UTF-8"
XML_TYPE = "application/xml;charset=UTF-8"


def form_wanted(accept: str, content_type: str, unasked: Form) -> Form:
    """What the Accept header names first, else the form that the request came in, else the default.

    Args:
        accept: the header, which may name neither, as `*/*`.
        unasked: the default.
    """
    for header in (accept, content_type):
        for part in header.lower().split(","):
            kind = part.partition(";")[0]
            if "json" in kind:
                return "json"
            if "xml" in kind:
                return "xml"
    return unasked


def put_into(form: Form, body: JsonObject, *, time: str) -> tuple[bytes, str]:
    """The bytes and the type of an answer."""
    if form == "json":
        return dumps(body), JSON_TYPE
    return written(body, time=time), XML_TYPE
