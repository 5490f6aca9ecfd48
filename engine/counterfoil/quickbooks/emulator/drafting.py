"""What a shaper gets to see while it turns a checked body into a record, and what it hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.catalog import EntitySpec
from counterfoil.quickbooks.emulator.ledger import Ledger
from counterfoil.quickbooks.emulator.postings import DocumentKey
from counterfoil.quickbooks.emulator.tables import Row, Tables, unique_name
from counterfoil.quickbooks.emulator.values import as_object, as_text, reference_id
from counterfoil_schema.exact_json import JsonObject, JsonValue

TRACKING = {"Class": ("ClassTrackingPerTxn", "ClassTrackingPerTxnLine"), "Department": ("TrackDepartments",)}
NO_LINKS: Mapping[DocumentKey, Decimal] = {}


@dataclass(frozen=True, slots=True)
class Draft:
    """A body, checked property by property and merged with what was there, on its way to a record.

    Attributes:
        current: the record that it updates, or None for a new one.
        include: values of the `include` parameter.
        identifier: the Id it has or will have.
        sent: the properties that the client sent; the others are what was there.
    """

    spec: EntitySpec
    body: JsonObject
    current: Row | None
    include: frozenset[str]
    identifier: str
    today: date
    preferences: JsonObject
    tables: Tables
    ledger: Ledger
    sent: frozenset[str]

    @property
    def key(self) -> DocumentKey:
        return (self.spec.name, self.identifier)

    def preference(self, group: str, name: str) -> JsonValue:
        return as_object(self.preferences.get(group)).get(name)

    def resolve(self, reference: JsonValue, entity: str, element: str) -> Row:
        """The active row that a reference names; a row that the record already named may be inactive by now.

        Raises:
            QuickBooksFaultError: 2020 without a value, 2500 if there is no such row, 610 if it is inactive.
        """
        identifier = reference_id(reference)
        if not identifier:
            raise faults.required(element)
        row = self.tables.get(entity, identifier)
        if row is None:
            raise faults.bad_reference(element, identifier[:40])
        if not row.active and not self._named_before(element, identifier):
            raise faults.not_found()
        return row

    def reference(self, reference: JsonValue, entity: str, element: str) -> JsonObject:
        """The reference with the name that the server fills in."""
        row = self.resolve(reference, entity, element)
        self._require_switched_on(entity, element, row.id)
        return {"value": row.id, "name": name_of(row)}

    def _require_switched_on(self, entity: str, element: str, identifier: str) -> None:
        """Refuse classes and departments where the company does not track them.

        Raises:
            QuickBooksFaultError: 5030.
        """
        switches = TRACKING.get(entity, ())
        off = switches and not any(self.preference("AccountingInfoPrefs", name) is True for name in switches)
        if off and not self._named_before(element, identifier):
            raise faults.switched_off(f"{entity} tracking", element)

    def _named_before(self, element: str, identifier: str) -> bool:
        if self.current is None:
            return False
        name = element.rpartition(".")[2]
        if reference_id(self.current.body.get(name)) == identifier:
            return True
        lines = self.current.body.get("Line")
        if not isinstance(lines, list):
            return False
        details = (as_object(line.get(as_text(line.get("DetailType")))) for line in lines if isinstance(line, dict))
        return any(reference_id(detail.get(name)) == identifier for detail in details)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A record ready to be stored: its properties, and what it is applied to."""

    body: JsonObject
    links: Mapping[DocumentKey, Decimal] = field(default_factory=lambda: NO_LINKS)
    lines_made: int = 0


def name_of(row: Row) -> str:
    """How a reference shows a row."""
    body = row.body
    return as_text(body.get("DisplayName") or body.get("FullyQualifiedName") or body.get("Name"))


def require_unique_name(draft: Draft, body: JsonObject) -> None:
    """Refuse a name that another bears, in whatever case, active or not.

    Raises:
        QuickBooksFaultError: 6240.
    """
    holder = draft.tables.holder_of_name(draft.spec, unique_name(draft.spec, body))
    if holder is not None and holder != draft.key:
        raise faults.duplicate_name(party=draft.spec.name_space == "party")


def check_name(name: str, element: str, *, forbidden: str = ":\t\n\r") -> None:
    """Refuse the characters that QuickBooks keeps for itself.

    Raises:
        QuickBooksFaultError: 2040.
    """
    if any(character in forbidden for character in name):
        raise faults.bad_string(element, "contains a character that is not allowed (colon, tab, new line)")
    if not name.strip():
        raise faults.required(element)


def nested(draft: Draft, body: JsonObject, name: str, *, levels: int) -> None:
    """Fill in FullyQualifiedName, and the parent's name and depth.

    Raises:
        QuickBooksFaultError: 6180 when the entry would lie too deep.
    """
    own = as_text(body.get(name))
    if "ParentRef" not in body:
        body["FullyQualifiedName"] = own
        return
    parent = draft.resolve(body["ParentRef"], draft.spec.name, "ParentRef")
    depth = 1
    above: Row | None = parent
    while above is not None:
        if above.id == draft.identifier or depth >= levels:
            raise faults.QuickBooksFaultError(
                "6180", "Nesting too deep", f"No more than {levels} levels are supported", element="ParentRef"
            )
        depth += 1
        above = draft.tables.get(draft.spec.name, reference_id(above.body.get("ParentRef")))
    full = as_text(parent.body.get("FullyQualifiedName"))
    body["ParentRef"] = {"value": parent.id, "name": full}
    body["FullyQualifiedName"] = f"{full}:{own}"
    if draft.spec.name in {"Customer", "Item"}:
        body["Level"] = depth - 1
