"""What a change event says, read from its Avro body."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro

from counterfoil.sources.port import SourceError
from counterfoil_adapters.salesforce.telling import ChangeEvent


def read_event(payload: bytes, schema: Mapping[str, Any]) -> ChangeEvent:
    """An event from its body and the schema that it was written by.

    Raises:
        SourceError: it is none.
    """
    try:
        body = fastavro.schemaless_reader(io.BytesIO(payload), dict(schema), None)
        header = body["ChangeEventHeader"] if isinstance(body, dict) else {}
        return ChangeEvent(
            change=str(header["changeType"]),
            ids=[str(one) for one in header["recordIds"]],
            fields=frozenset(named_fields(header.get("changedFields") or [], schema)),
            origin=str(header.get("changeOrigin") or ""),
        )
    except (KeyError, TypeError, ValueError, EOFError, IndexError) as error:
        raise SourceError(f"A change event of Salesforce cannot be read ({type(error).__name__}).") from error


def named_fields(bitmaps: Sequence[str], schema: Mapping[str, Any]) -> list[str]:
    """The fields that bitmaps stand for: bit n of `0x…` is the schema's nth field, `n-0x…` tells of its parts."""
    names = [str(one["name"]) for one in schema["fields"]]
    found: list[str] = []
    for bitmap in bitmaps:
        parent, inner, _ = bitmap.partition("-")
        if inner:
            found.append(names[int(parent)])
        else:
            bits = int(bitmap, 16)
            found += [name for place, name in enumerate(names) if bits >> place & 1]
    return found
