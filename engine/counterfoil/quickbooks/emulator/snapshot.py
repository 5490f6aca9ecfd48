"""The whole state of a company as JSON, and back: records, counters, links between documents, attached files.

The journal of effects belongs to one run and stays behind; for tokens and request ids see `session`.
"""

from base64 import b64decode, b64encode
from datetime import datetime
from decimal import Decimal

from counterfoil.quickbooks.emulator.attachments import StoredFile
from counterfoil.quickbooks.emulator.books import Books
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads

VERSION = 1


class SnapshotError(ValueError):
    """A state that cannot be taken up; nothing has changed."""


def saved(books: Books, session: JsonObject | None = None) -> JsonObject:
    """Everything that a later run needs to go on from here."""
    tables: JsonObject = {}
    for name in ENTITIES:
        table = books.tables.table(name)
        if table.rows or table.deleted:
            tables[name] = {
                "rows": [_row(row) for row in table.rows.values()],
                "deleted": [_row(row) for row in table.deleted.values()],
            }
    links: list[JsonValue] = [
        [payment, entity, identifier, amount]
        for payment, applied in books.ledger.all_links().items()
        for (entity, identifier), amount in applied.items()
    ]
    files: JsonObject = {
        identifier: {"type": file.content_type, "content": b64encode(file.content).decode()}
        for identifier, file in books.files.all().items()
    }
    return {
        "counterfoil_emulator": VERSION,
        "tables": tables,
        "links": links,
        "sequences": dict(books.tables.sequences),
        "numbers": dict(books.numbering.last),
        "files": files,
        **({"session": session} if session is not None else {}),
    }


def loaded(content: bytes) -> JsonObject:
    """A saved state from the bytes of its file.

    Raises:
        SnapshotError: it is no JSON.
    """
    try:
        state = as_object(loads(content))
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"This is no saved state of this emulator ({error}).") from error
    if "counterfoil_emulator" not in state:
        raise SnapshotError("This is no saved state of this emulator (counterfoil_emulator is missing).")
    return state


def restore(books: Books, state: JsonValue) -> None:
    """Put fresh books into a saved state.

    Raises:
        SnapshotError: it is no saved state, or of another version.
    """
    whole = as_object(state)
    if whole.get("counterfoil_emulator") != VERSION:
        raise SnapshotError(f"This is no saved state of this emulator (counterfoil_emulator is not {VERSION}).")
    try:
        rows = {
            name: (
                [_row_from(row) for row in as_list(as_object(table).get("rows"))],
                [_row_from(row) for row in as_list(as_object(table).get("deleted"))],
            )
            for name, table in as_object(whole.get("tables")).items()
        }
        links = [_link_from(link) for link in as_list(whole.get("links"))]
        files = {
            identifier: StoredFile(b64decode(as_text(as_object(file)["content"])), as_text(as_object(file)["type"]))
            for identifier, file in as_object(whole.get("files")).items()
        }
        sequences = {name: int(as_text(value)) for name, value in as_object(whole.get("sequences")).items()}
        numbers = {name: int(as_text(value)) for name, value in as_object(whole.get("numbers")).items()}
        unknown = sorted(rows.keys() - ENTITIES.keys())
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise SnapshotError(f"The saved state is damaged: {error}.") from error
    if unknown:
        raise SnapshotError(f"The saved state holds entities that are unknown here: {', '.join(unknown)}.")
    books.take_up(rows, links, files)
    books.tables.sequences.update(sequences)
    books.numbering.last.update(numbers)


def _row(row: Row) -> JsonObject:
    return {
        "id": row.id,
        "token": row.token,
        "created": row.created.isoformat(),
        "updated": row.updated.isoformat(),
        "lines_made": row.lines_made,
        "body": row.body,
    }


def instant_from(value: JsonValue) -> datetime:
    """An instant as it was saved.

    Raises:
        ValueError: it is none.
    """
    at = datetime.fromisoformat(as_text(value))
    if at.tzinfo is None:
        raise ValueError("an instant without its offset")
    return at


def _row_from(value: JsonValue) -> Row:
    row = as_object(value)
    created, updated = (instant_from(row[name]) for name in ("created", "updated"))
    identifier = as_text(row["id"])
    made = int(as_text(row.get("lines_made", 0)))
    return Row(identifier, int(as_text(row["token"])), created, updated, as_object(row["body"]), made)


def _link_from(value: JsonValue) -> tuple[str, str, str, Decimal]:
    payment, entity, identifier, amount = as_list(value)
    return as_text(payment), as_text(entity), as_text(identifier), Decimal(as_text(amount))
