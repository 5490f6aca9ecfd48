"""References to a record, wherever they lie in others: turned to another record, or to its new name."""

from counterfoil.quickbooks.emulator.catalog import REFERENCES
from counterfoil.quickbooks.emulator.tables import Row
from counterfoil.quickbooks.emulator.values import as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue


class Pointing:
    """Finds references to one record, and turns them to another."""

    def __init__(self, entity: str, gone: str, kept: JsonObject) -> None:
        self._entity = entity
        self._gone = gone
        self._kept = kept

    def moved(self, body: JsonObject, owner: str) -> JsonObject:
        """The body with its references turned."""
        kind = as_text(body.get("Type") or body.get("type"))
        return {name: self._value(name, value, owner, kind) for name, value in body.items()}

    def _value(self, name: str, value: JsonValue, owner: str, kind: str) -> JsonValue:
        if isinstance(value, list):
            return [self._value(name, member, owner, kind) for member in value]
        if not isinstance(value, dict):
            return value
        if self._points(name, value, owner, kind) and as_text(value.get("value")) == self._gone:
            return {**value, **self._kept}
        return self.moved(value, owner)

    def _points(self, name: str, value: JsonObject, owner: str, kind: str) -> bool:
        if name == "ParentRef":
            return owner == self._entity
        if name == "EntityRef":
            return self._entity in {kind, as_text(value.get("type"))}
        return REFERENCES.get(name) == self._entity


def below(body: JsonObject, parent: Row) -> JsonObject:
    """An entry of a nested list with the path that it has under a parent; the entries of others stay as they are."""
    if as_text(as_object(body.get("ParentRef")).get("value")) != parent.id:
        return body
    path = as_text(parent.body.get("FullyQualifiedName"))
    own = as_text(body.get("DisplayName") or body.get("Name"))
    return {**body, "FullyQualifiedName": f"{path}:{own}"}
