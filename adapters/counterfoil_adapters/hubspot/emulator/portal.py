"""The state of one HubSpot account, and the rules by which it changes. No network here."""

import bisect
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from counterfoil.ports import Clock
from counterfoil_adapters.hubspot.emulator import commerce
from counterfoil_adapters.hubspot.emulator.catalogue import (
    ASSOCIATION_TYPE_IDS,
    OBJECT_TYPES,
    PRIMARY_TYPE_IDS,
    ObjectType,
    built_in_properties,
)
from counterfoil_adapters.hubspot.emulator.derived import derive
from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.values import check_values, iso_millis

JOURNAL_ENTRIES_MAX = 200_000
FIRST_ID = 9_000_000_001


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, as webhooks name it."""

    change_source: str
    source_id: str
    by_api: bool = False


PERSON = Actor("CRM_UI", "userId:1")


@dataclass(frozen=True, slots=True)
class Was:
    """A value that a property had from an instant on."""

    value: str
    since: datetime
    source: str


@dataclass(slots=True)
class CrmObject:
    """One object; `properties` holds only what is set, `history` what each was, the newest last."""

    object_id: int
    properties: dict[str, str]
    created: datetime
    updated: datetime
    archived_at: datetime | None = None
    history: dict[str, list[Was]] = field(default_factory=dict)


@dataclass(slots=True)
class Table:
    """The objects of one type, in the order of their ids."""

    kind: ObjectType
    rows: dict[int, CrmObject] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)
    properties: dict[str, dict[str, object]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=lambda: {"information": "Information"})

    def put(self, row: CrmObject) -> None:
        if row.object_id not in self.rows:
            bisect.insort(self.ids, row.object_id)
        self.rows[row.object_id] = row

    def ids_after(self, after: int) -> Iterable[int]:
        """Ids greater than one, ascending."""
        return self.ids[bisect.bisect_right(self.ids, after) :]


Event = dict[str, object]


class Portal:
    """One account: objects, associations, properties, and the journal of what was written.

    Args:
        clock: the machine's time; `shift` moves the account's own time away from it.
        emit: told every change as a webhook event, without the envelope that the sender adds.
    """

    def __init__(self, clock: Clock, emit: Callable[[Event], None]) -> None:
        self._clock = clock
        self._emit = emit
        self._next_id = FIRST_ID
        self._writes = 0
        self.shift = timedelta()
        self.tables = {kind.plural: Table(kind) for kind in OBJECT_TYPES}
        self.associations: dict[tuple[str, str], dict[int, dict[int, int]]] = {}
        self.journal: deque[dict[str, object]] = deque(maxlen=JOURNAL_ENTRIES_MAX)
        for table in self.tables.values():
            for definition in built_in_properties(table.kind):
                table.properties[str(definition["name"])] = definition

    def now(self) -> datetime:
        """The account's time, in whole milliseconds."""
        now = self._clock.now() + self.shift
        return now.replace(microsecond=now.microsecond // 1000 * 1000).astimezone(UTC)

    def find(self, kind: str, object_id: int, *, archived: bool = False) -> CrmObject | None:
        """A live (or archived) object; the id of a merged one leads to the one it became."""
        table = self.tables[kind]
        row = table.rows.get(table.merged.get(object_id, object_id))
        return row if row is not None and (row.archived_at is not None) == archived else None

    def create(self, kind: str, properties: Mapping[str, object], actor: Actor) -> CrmObject:
        """A new object under the next id."""
        table = self.tables[kind]
        values = check_values(table.properties, properties)
        now = self.now()
        self._next_id = max(self._next_id, (table.ids[-1] + 1) if table.ids else 0)
        row = CrmObject(self._next_id, {name: value for name, value in values.items() if value != ""}, now, now)
        commerce.check(kind, None, values, self)
        self._refuse_duplicates(kind, None, values)
        commerce.begin(kind, row.properties, len(table.ids))
        self._next_id += 1
        derive(kind, row.properties)
        table.put(row)
        self._note(row, {}, actor)
        self._record("create", kind, row, values, actor)
        self._tell("creation", kind, row, actor)
        for name, value in row.properties.items():
            self._tell("propertyChange", kind, row, actor, propertyName=name, propertyValue=value)
        return row

    def update(self, kind: str, row: CrmObject, properties: Mapping[str, object], actor: Actor) -> None:
        """Set properties; an empty value clears one. The object counts as modified even where nothing differs."""
        values = check_values(self.tables[kind].properties, properties)
        commerce.check(kind, row.object_id, values, self)
        self._refuse_duplicates(kind, row.object_id, values)
        before = dict(row.properties)
        for name, value in values.items():
            if value == "":
                row.properties.pop(name, None)
            else:
                row.properties[name] = value
        derive(kind, row.properties)
        row.updated = max(self.now(), row.updated)
        self._record("update", kind, row, values, actor)
        self._tell_changes(kind, row, before, actor)
        self._settle_around(kind, row.object_id, actor)

    def _tell_changes(self, kind: str, row: CrmObject, before: Mapping[str, str], actor: Actor) -> None:
        self._note(row, before, actor)
        for name in sorted(before.keys() | row.properties.keys()):
            value = row.properties.get(name, "")
            if before.get(name, "") != value:
                self._tell("propertyChange", kind, row, actor, propertyName=name, propertyValue=value)

    def _note(self, row: CrmObject, before: Mapping[str, str], actor: Actor) -> None:
        for name, value in row.properties.items():
            if before.get(name) != value:
                row.history.setdefault(name, []).append(Was(value, row.updated, actor.change_source))

    def _refuse_duplicates(self, kind: str, object_id: int | None, values: Mapping[str, str]) -> None:
        table = self.tables[kind]
        for name, value in values.items():
            if value == "" or table.properties[name].get("hasUniqueValue") is not True:
                continue
            if any(row.object_id != object_id and row.properties.get(name) == value for row in table.rows.values()):
                told = f"{name} must be unique: another of the {kind} has the value {value}"
                problem: dict[str, object] = {
                    "message": told,
                    "code": "CONFLICTING_UNIQUE_VALUE",
                    "context": {"propertyName": [name]},
                }
                raise PortalError(400, told, errors=[problem])

    def _settle_around(self, kind: str, object_id: int, actor: Actor) -> None:
        """Work out anew what depends on an object: the quote or invoice that it is, or is linked to."""
        around = [(kind, object_id)] if kind in commerce.SETTLED else []
        if kind in {"line_items", "commerce_payments"}:
            linked = ((left, end) for left in ("quotes", "invoices") for end in self.linked_ids(kind, object_id, left))
            around.extend(linked)
        for left, end in around:
            row = self.find(left, end)
            if row is None:
                continue
            before = dict(row.properties)
            commerce.settle(left, end, self)
            if before != row.properties:
                row.updated = max(self.now(), row.updated)
                self._tell_changes(left, row, before, actor)

    def properties_of(self, kind: str, object_id: int) -> dict[str, str] | None:
        """What a live object holds, to be changed in place."""
        row = self.find(kind, object_id)
        return row.properties if row is not None else None

    def linked_ids(self, left: str, left_id: int, right: str) -> list[int]:
        """Ids of what an object is linked to."""
        return [end for end, _ in self.ends(left, left_id, right)]

    def erase(self, kind: str, row: CrmObject, actor: Actor) -> None:
        """Delete for good, as privacy laws ask for it: nothing of it is shown any more, archived or not."""
        self.archive(kind, row, actor, told=False)
        table = self.tables[kind]
        del table.rows[row.object_id]
        table.ids.remove(row.object_id)
        self._record("erase", kind, row, {}, actor)
        self._tell("privacyDeletion", kind, row, actor)

    def archive(self, kind: str, row: CrmObject, actor: Actor, *, told: bool = True) -> None:
        """Delete: the object stays readable with `archived=true`, its associations go."""
        row.archived_at = self.now()
        row.updated = row.archived_at
        for (left, right), links in self.associations.items():
            if left == kind:
                links.pop(row.object_id, None)
            if right == kind:
                for ends in links.values():
                    ends.pop(row.object_id, None)
        if told:
            self._record("archive", kind, row, {}, actor)
            self._tell("deletion", kind, row, actor)

    def restore(self, kind: str, row: CrmObject, actor: Actor) -> None:
        """Bring a deleted object back, without its associations."""
        row.archived_at = None
        row.updated = self.now()
        self._record("restore", kind, row, {}, actor)
        self._tell("restore", kind, row, actor)

    def merge(self, kind: str, primary: CrmObject, loser: CrmObject, actor: Actor) -> None:
        """Fold one object into another: the loser's id leads to the winner from now on."""
        table = self.tables[kind]
        moved = {name: value for name, value in loser.properties.items() if name not in primary.properties}
        primary.properties.update(moved)
        known = [part for part in primary.properties.get("hs_merged_object_ids", "").split(";") if part]
        primary.properties["hs_merged_object_ids"] = ";".join([*known, str(loser.object_id)])
        primary.updated = self.now()
        for (left, right), links in list(self.associations.items()):
            if left == kind:
                for other, type_id in links.pop(loser.object_id, {}).items():
                    self.associations.get((right, kind), {}).get(other, {}).pop(loser.object_id, None)
                    self.associate(kind, primary.object_id, right, other, type_id)
        del table.rows[loser.object_id]
        table.ids.remove(loser.object_id)
        table.merged[loser.object_id] = primary.object_id
        self._record("merge", kind, primary, {"merged": str(loser.object_id)}, actor)
        self._tell(
            "merge",
            kind,
            primary,
            actor,
            primaryObjectId=primary.object_id,
            mergedObjectIds=[loser.object_id],
            newObjectId=primary.object_id,
            numberOfPropertiesMoved=len(moved),
        )

    def associate(self, left: str, left_id: int, right: str, right_id: int, type_id: int | None = None) -> None:
        """Link two objects, in both directions; a deal's first company becomes its primary one."""
        primary = PRIMARY_TYPE_IDS.get((left, right))
        if type_id is None:
            taken = self.associations.get((left, right), {}).get(left_id, {}).values()
            type_id = primary if primary is not None and primary not in taken else default_type_id(left, right)
        back = default_type_id(right, left)
        if primary is not None and type_id == primary:
            back = PRIMARY_TYPE_IDS[right, left]
        self.associations.setdefault((left, right), {}).setdefault(left_id, {})[right_id] = type_id
        self.associations.setdefault((right, left), {}).setdefault(right_id, {})[left_id] = back

    def dissociate(self, left: str, left_id: int, right: str, right_id: int) -> None:
        """Take a link away, in both directions."""
        self.associations.get((left, right), {}).get(left_id, {}).pop(right_id, None)
        self.associations.get((right, left), {}).get(right_id, {}).pop(left_id, None)

    def ends(self, left: str, left_id: int, right: str) -> Iterable[tuple[int, int]]:
        """Ids of what an object is linked to, each with the type of the link."""
        return sorted(self.associations.get((left, right), {}).get(left_id, {}).items())

    def type_named(self, left: str, type_id: int) -> str | None:
        """Where an association type leads from an object type."""
        for (start, end), known in [*ASSOCIATION_TYPE_IDS.items(), *PRIMARY_TYPE_IDS.items()]:
            if start == left and known == type_id:
                return end
        return None

    def types_of(self, left: str, right: str, type_id: int) -> list[tuple[int, str | None]]:
        """The types of a link with their labels: a primary company is an ordinary one as well."""
        if type_id == PRIMARY_TYPE_IDS.get((left, right)):
            return [(type_id, "Primary"), (default_type_id(left, right), None)]
        return [(type_id, None)]

    def load(self, kind: str, entries: Iterable[CrmObject]) -> None:
        """Put objects in as they are, without events and without a line in the journal."""
        table = self.tables[kind]
        for row in entries:
            for name in row.properties:
                if name not in table.properties:
                    table.properties[name] = custom_property(name, "string", "text", "information", name)
            derive(kind, row.properties)
            for name, value in row.properties.items():
                row.history.setdefault(name, [Was(value, row.updated, "IMPORT")])
            table.put(row)
            self._next_id = max(self._next_id, row.object_id + 1)

    def next_id(self) -> int:
        """A fresh id."""
        self._next_id += 1
        return self._next_id - 1

    def tell_association(
        self, left: str, left_id: int, right: str, right_id: int, actor: Actor, *, removed: bool
    ) -> None:
        """Emit the event of a link that was made or taken away."""
        for kind, object_id in ((left, left_id), (right, right_id)):
            self._settle_around(kind, object_id, actor)
        row = self.tables[left].rows.get(left_id)
        if row is not None:
            names = (self.tables[left].kind.singular.upper(), self.tables[right].kind.singular.upper())
            self._tell(
                "associationChange",
                left,
                row,
                actor,
                associationType="_TO_".join(names),
                fromObjectId=left_id,
                toObjectId=right_id,
                associationRemoved=removed,
                isPrimaryAssociation=False,
            )

    def _record(self, operation: str, kind: str, row: CrmObject, values: Mapping[str, str], actor: Actor) -> None:
        self._writes += 1
        self.journal.append(
            {
                "seq": self._writes,
                "at": iso_millis(self.now()),
                "operation": operation,
                "object_type": kind,
                "id": str(row.object_id),
                "properties": dict(values),
                "by": "api" if actor.by_api else "person",
                "source_id": actor.source_id,
            }
        )

    def _tell(self, happening: str, kind: str, row: CrmObject, actor: Actor, **more: object) -> None:
        self._emit(
            {
                "happening": happening,
                "object_type": kind,
                "objectId": row.object_id,
                "occurredAt": int(row.updated.timestamp() * 1000),
                "changeSource": actor.change_source,
                "sourceId": actor.source_id,
                **more,
            }
        )


def default_type_id(left: str, right: str) -> int:
    """The type of an unlabelled link; for pairs that this account does not name, a fixed made-up one."""
    known = ASSOCIATION_TYPE_IDS.get((left, right))
    return known if known is not None else 1000 + hashlib.sha256(f"{left}>{right}".encode()).digest()[0]


def custom_property(name: str, kind: str, field_type: str, group: str, label: str) -> dict[str, object]:
    """The definition of a property that somebody added."""
    return {
        "name": name,
        "label": label,
        "description": "",
        "groupName": group,
        "type": kind,
        "fieldType": field_type,
        "options": [],
        "hubspotDefined": False,
        "archived": False,
        "hasUniqueValue": False,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
    }
