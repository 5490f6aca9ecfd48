"""What a person does in QuickBooks' own pages: no limits, no tokens to carry, and notifications like any change."""

from dataclasses import dataclass
from typing import Literal

from counterfoil.quickbooks.emulator.books import Books, Write, WriteOperation
from counterfoil.quickbooks.emulator.catalog import BY_PATH, EntitySpec
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.merging import merge
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

Action = WriteOperation | Literal["merge"]
OPERATIONS: dict[str, Action] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "void": "void",
    "merge": "merge",
}
PARTS = frozenset({"entity", "operation", "id", "body", "add_lines", "remove_lines", "into"})


@dataclass(frozen=True, slots=True)
class PersonAction:
    """One action.

    Attributes:
        operation: what is done.
        id: of the record that is updated, deleted, voided, or merged into another.
        body: the properties to set; an update leaves all others as they are.
        add_lines: lines to put behind those that an invoice, credit memo or journal entry has.
        remove_lines: Ids of lines to take out.
        into: Id of the record that stays after a merge.
    """

    spec: EntitySpec
    operation: Action
    id: str
    body: JsonObject
    add_lines: tuple[JsonValue, ...] = ()
    remove_lines: frozenset[str] = frozenset()
    into: str = ""


def action_from(entry: JsonValue, entity: str = "") -> PersonAction:
    """The action that a control body describes.

    Raises:
        ValueError: it describes none.
    """
    described = as_object(entry)
    unknown = described.keys() - PARTS
    if unknown or not isinstance(entry, dict):
        raise ValueError(
            f"an action has the parts {', '.join(sorted(PARTS))}, not {', '.join(sorted(unknown)) or entry!r}"
        )
    name = entity or as_text(described.get("entity"))
    spec = BY_PATH.get(name.lower())
    if spec is None:
        raise ValueError(f"there is no entity {name[:60]!r}")
    operation = OPERATIONS.get(as_text(described.get("operation")) or "create")
    if operation is None:
        raise ValueError(f"an operation is one of {', '.join(OPERATIONS)}")
    body = as_object(described.get("body"))
    return PersonAction(
        spec=spec,
        operation=operation,
        id=as_text(described.get("id")) or as_text(body.get("Id")),
        body=body,
        add_lines=tuple(as_list(described.get("add_lines"))),
        remove_lines=frozenset(as_text(line) for line in as_list(described.get("remove_lines"))),
        into=as_text(described.get("into")),
    )


def act(books: Books, action: PersonAction) -> JsonObject:
    """Do it, as a person would.

    Raises:
        QuickBooksFaultError: QuickBooks' own pages would refuse it as well.
    """
    if action.operation == "merge":
        return {action.spec.name: merge(books, action.spec, action.id, action.into, Origin("person"))}
    body = action.body if action.operation == "create" else _on_record(books, action)
    write = Write(action.spec.name, action.operation, body, frozenset({"allowduplicatedocnum"}))
    return {action.spec.name: books.write(write, Origin("person"))}


def _on_record(books: Books, action: PersonAction) -> JsonObject:
    row = books.tables.find(action.spec.name, action.id)
    body: JsonObject = {**action.body, "Id": row.id, "SyncToken": str(row.token), "sparse": True}
    if action.add_lines or action.remove_lines:
        kept = (line for line in books.lines_to_keep(row) if as_text(line.get("Id")) not in action.remove_lines)
        body["Line"] = [*kept, *action.add_lines]
    return body
