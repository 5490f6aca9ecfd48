"""What rows keep of a document's body: names that are no personal data, and when QuickBooks made it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from counterfoil_schema.documents import Document

NAMED_ENTITIES = frozenset({"Account", "Class", "Department", "Item", "Term"})
"""Lists that mappings refer to by name; no names of people among them."""

_SECOND_CHARACTERS = len("2026-05-04T10:11:12")


class _Dated(msgspec.Struct):
    """Of a document, which may be long, the one part that says when it was made."""

    MetaData: Any = None


_metadata_of = msgspec.json.Decoder(_Dated).decode


def list_name(document: Document) -> str | None:
    """The name by which others call a document; None for all whose names may be personal."""
    if document.entity not in NAMED_ENTITIES:
        return None
    fields = document.fields()
    name = fields.get("FullyQualifiedName") or fields.get("Name")
    return name if isinstance(name, str) else None


def account_type(document: Document) -> str | None:
    """The AccountType of an account; None for everything else."""
    found = document.fields().get("AccountType") if document.entity == "Account" else None
    return found if isinstance(found, str) else None


def created_at(document: Document) -> str | None:
    """When QuickBooks made a document, in UTC to the second; None where it does not say."""
    metadata = _metadata_of(document.clear).MetaData
    created = metadata.get("CreateTime") if isinstance(metadata, dict) else None
    try:
        instant = datetime.fromisoformat(created) if isinstance(created, str) else None
        return None if instant is None or instant.tzinfo is None else second_of(instant)
    except (ValueError, OverflowError):
        return None


def second_of(instant: datetime) -> str:
    """An instant as rows keep it."""
    return instant.astimezone(UTC).isoformat()[:_SECOND_CHARACTERS] + "Z"
