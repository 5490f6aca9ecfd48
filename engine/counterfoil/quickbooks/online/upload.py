"""Files on their way to QuickBooks: one multipart body with what is known of the file, and its content.

Source: Intuit's page of Attachable: parts `file_metadata_01` and `file_content_01`.
"""

from dataclasses import dataclass

from counterfoil.quickbooks.online.answers import fault_in
from counterfoil.quickbooks.online.faults import Fault
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, and the records that it hangs on as pairs of entity and Id."""

    name: str
    content: bytes
    content_type: str
    attached_to: tuple[tuple[str, str], ...] = ()
    note: str = ""


def multipart(attachment: Attachment, boundary: str) -> bytes:
    """The body; the same for the same arguments.

    Raises:
        ValueError: a name or type that cannot stand in a header.
    """
    for text in (attachment.name, attachment.content_type):
        if not text or any(ord(character) < ord(" ") or character == '"' for character in text):
            raise ValueError(f"a file cannot be called or typed {text[:60]!r}")
    links: list[JsonValue] = [
        {"EntityRef": {"type": entity, "value": identifier}} for entity, identifier in attachment.attached_to
    ]
    told: JsonObject = {"FileName": attachment.name, "ContentType": attachment.content_type}
    if links:
        told["AttachableRef"] = links
    if attachment.note:
        told["Note"] = attachment.note
    return b"".join(
        (
            _part(boundary, "file_metadata_01", "attachment.json", "application/json", dumps(told)),
            _part(boundary, "file_content_01", attachment.name, attachment.content_type, attachment.content),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _part(boundary: str, name: str, file_name: str, content_type: str, content: bytes) -> bytes:
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        f"Content-Type: {content_type}\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"


def attachable_in(document: JsonObject, http_status: int) -> JsonObject | Fault | None:
    """The Attachable in the answer, the fault that stands in its place, or None where there is neither."""
    answers = document.get("AttachableResponse")
    first = answers[0] if isinstance(answers, list) and answers else None
    if not isinstance(first, dict):
        return None
    fault = fault_in(first, http_status)
    if fault is not None:
        return fault
    made = first.get("Attachable")
    return made if isinstance(made, dict) and made.get("Id") else None
