"""The state of one Salesforce org, and the rules by which it changes. No network here."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from counterfoil.ports import Clock
from counterfoil_adapters.salesforce.emulator.derived import dependents, derive
from counterfoil_adapters.salesforce.emulator.errors import OrgError, not_found
from counterfoil_adapters.salesforce.emulator.schema import FieldDef, ObjectDef, new_object, standard_objects
from counterfoil_adapters.salesforce.emulator.values import (
    SHORT_ID,
    checked,
    instant_text,
    long_id,
    made_id,
    parse_instant,
)
from counterfoil_schema.exact_json import JsonObject, JsonValue

JOURNAL_ENTRIES_MAX = 200_000
BIN_DAYS = 15
T = TypeVar("T")
CURRENCIES = ("USD", "EUR", "GBP", "CAD", "CHF", "JPY")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: a user, and the name a client gave in Sforce-Call-Options."""

    user_id: str
    client: str | None = None
    by_api: bool = False


@dataclass(slots=True)
class Row:
    """One record. `deleted_at` puts it into the recycle bin; `held` is a change that nobody sees yet."""

    object: str
    values: JsonObject
    stamp: datetime
    deleted_at: datetime | None = None
    purged: bool = False
    held: bool = False

    @property
    def id(self) -> str:
        return str(self.values["Id"])


@dataclass(frozen=True, slots=True)
class Happening:
    """A change as change events tell it."""

    change: str
    row: Row
    fields: tuple[str, ...]
    actor: Actor


@dataclass(slots=True)
class Table:
    """The records of one object by id, and what was deleted of it."""

    definition: ObjectDef
    rows: dict[str, Row] = field(default_factory=dict)
    made: int = 0
    version: int = 0
    _orders: dict[str, tuple[tuple[int, int], Any]] = field(default_factory=dict)

    def by_stamp(self) -> list[Row]:
        """All rows by (SystemModstamp, Id), put in order when something has changed."""
        return self._kept("", lambda: sorted(self.rows.values(), key=lambda row: (row.stamp, row.id)))

    def by_reference(self, name: str) -> dict[str, list[Row]]:
        """All rows by what a field of theirs refers to."""

        def gathered() -> dict[str, list[Row]]:
            groups: dict[str, list[Row]] = {}
            for row in self.rows.values():
                groups.setdefault(str(row.values.get(name)), []).append(row)
            return groups

        return self._kept(name, gathered)

    def _kept(self, name: str, make: Callable[[], T]) -> T:
        state = (self.version, len(self.rows))
        held = self._orders.get(name)
        if held is None or held[0] != state:
            held = (state, make())
            self._orders[name] = held
        made: T = held[1]  # a name stands for one kind of order only
        return made


class Org:
    """One org: objects, records, and the journal of what was written.

    Args:
        seed: decides every id.
        tell: told every change, for change events.
        home: the org's currency; in an org with several, that of records which name none.
    """

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[Happening], None],
        *,
        seed: int = 1,
        multi_currency: bool = False,
        home: str = "USD",
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._instance = f"H{seed % 1000:03d}"
        self.multi_currency = multi_currency
        self.home = home
        self.tables = {
            name: Table(definition) for name, definition in standard_objects(multi_currency=multi_currency).items()
        }
        self.hidden_objects: set[str] = set()
        self.hidden_fields: dict[str, set[str]] = {}
        self.journal: deque[dict[str, object]] = deque(maxlen=JOURNAL_ENTRIES_MAX)
        self.history_days = BIN_DAYS
        self._writes = 0
        self._quiet = False
        self._held: list[Callable[[], None]] = []
        self.held_since: list[datetime] = []
        self.lines: dict[str, dict[str, Row]] = {}
        self.person = Actor(self._first_user("Ada Admin", "ada@example.test"))
        self.integration = self._first_user("Integration User", "integration@example.test")
        self.org_id = self._organization()
        self.standard_book = self.create("Pricebook2", {"Name": "Standard Price Book", "IsActive": True}, self.person)
        self.table("Pricebook2").rows[self.standard_book].values["IsStandard"] = True

    def now(self) -> datetime:
        """The org's time, in whole seconds."""
        return self._clock.now().replace(microsecond=0)

    def definition(self, name: str) -> ObjectDef | None:
        """An object that users may see, by its name, whatever its case."""
        found = next((known for known in self.tables if known.lower() == name.lower()), None)
        return self.tables[found].definition if found is not None and found not in self.hidden_objects else None

    def table(self, name: str) -> Table:
        """The records of an object.

        Raises:
            OrgError: 404, there is none of that name.
        """
        definition = self.definition(name)
        if definition is None:
            raise not_found()
        return self.tables[definition.name]

    def visible(self, definition: ObjectDef, name: str) -> FieldDef | None:
        """A field that users may see."""
        found = definition.find(name)
        hidden = self.hidden_fields.get(definition.name, set())
        return found if found is not None and found.name not in hidden else None

    def visible_fields(self, definition: ObjectDef) -> Iterator[FieldDef]:
        """All of them, in order."""
        return (
            one for one in definition.fields.values() if one.name not in self.hidden_fields.get(definition.name, ())
        )

    def find(self, name: str, record_id: str, *, deleted: bool = False) -> Row:
        """One record.

        Raises:
            OrgError: 404, not there, or in the recycle bin where `deleted` does not allow that.
        """
        row = self.table(name).rows.get(long_id(record_id) if len(record_id) == SHORT_ID else record_id)
        if row is None or row.purged or row.held:
            raise not_found("Provided external ID field does not exist or is not accessible: " + record_id[:40])
        if row.deleted_at is not None and not deleted:
            raise OrgError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def find_by(self, name: str, field_name: str, value: str) -> Row | None:
        """The record that holds a value in an external id, which compares without regard to case.

        Raises:
            OrgError: the field is no external id, or several records hold the value.
        """
        table = self.table(name)
        definition = self.visible(table.definition, field_name)
        if definition is None or not definition.external_id:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {field_name}")
        found = [
            row
            for row in table.rows.values()
            if row.deleted_at is None and str(row.values.get(definition.name) or "").lower() == value.lower()
        ]
        if len(found) > 1:
            raise OrgError("DUPLICATE_EXTERNAL_ID", f"{field_name}: more than one record found", status=300)
        return found[0] if found else None

    def create(self, name: str, values: Mapping[str, JsonValue], actor: Actor, *, record_id: str | None = None) -> str:
        """A new record; its id.

        Raises:
            OrgError: unknown, read-only, missing or ill-typed fields.
        """
        table = self.table(name)
        given = self._checked(table.definition, values, loading=self._quiet)
        missing = [f.name for f in table.definition.fields.values() if f.required and given.get(f.name) is None]
        if missing:
            raise OrgError(
                "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", fields=missing
            )
        self._refer(table.definition, given)
        table.made += 1
        now = self.now()
        blank = {f.name: False if f.type == "boolean" else None for f in table.definition.fields.values()}
        new_id = record_id or made_id(table.definition.prefix, self._instance, table.made)
        stamp = {"Id": new_id, "CreatedDate": instant_text(now), "CreatedById": actor.user_id}
        row = Row(table.definition.name, {**blank, **given, **stamp}, now)
        if "IsActive" in table.definition.fields and "IsActive" not in given:
            row.values["IsActive"] = True
        if "CurrencyIsoCode" in table.definition.fields and given.get("CurrencyIsoCode") is None:
            row.values["CurrencyIsoCode"] = self.home
        derive(self, row, given)
        table.rows[new_id] = row
        self._touch(row, actor, "CREATE", tuple(given))
        return new_id

    def update(self, name: str, record_id: str, values: Mapping[str, JsonValue], actor: Actor) -> Row:
        """Set fields; the record counts as modified even where nothing differs.

        Raises:
            OrgError: no such record, or fields that are unknown, read-only or ill-typed.
        """
        row = self.find(name, record_id)
        definition = self.table(name).definition
        given = self._checked(definition, values)
        emptied = [key for key, value in given.items() if value is None and definition.fields[key].required]
        if emptied:
            raise OrgError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(emptied)}]")
        self._refer(definition, given)
        row.values.update(given)
        derive(self, row, given)
        self._touch(row, actor, "UPDATE", tuple(given))
        return row

    def hold(self, name: str, record_id: str, values: Mapping[str, JsonValue], actor: Actor) -> None:
        """An edit in a transaction that began now and becomes visible, under today's stamp, when it is committed."""
        row, began = self.find(name, record_id), self.now()
        self.held_since.append(began)

        def commit() -> None:
            self.update(name, row.id, values, actor)
            row.stamp = began
            self.tables[row.object].version += 1
            row.values["SystemModstamp"] = row.values["LastModifiedDate"] = instant_text(began)

        self._held.append(commit)

    def commit(self) -> int:
        """End all transactions that are under way; how many."""
        held, self._held = self._held, []
        self.held_since.clear()
        for one in held:
            one()
        return len(held)

    def delete(self, name: str, record_id: str, actor: Actor) -> None:
        """Into the recycle bin, with what cannot be without it."""
        row = self.find(name, record_id)
        row.deleted_at = self.now()
        row.values["IsDeleted"] = True
        self._touch(row, actor, "DELETE", ())
        for inner in dependents(self, row):
            if inner.deleted_at is None:
                self.delete(inner.object, inner.id, actor)

    def undelete(self, name: str, record_id: str, actor: Actor) -> Row:
        """Back out of the recycle bin."""
        row = self.find(name, record_id, deleted=True)
        row.deleted_at = None
        row.values["IsDeleted"] = False
        if "MasterRecordId" in row.values:
            row.values["MasterRecordId"] = None
        self._touch(row, actor, "UNDELETE", ())
        return row

    def merge(self, name: str, master_id: str, loser_id: str, actor: Actor) -> None:
        """Fold one record into another: what pointed at the loser points at the winner, without a new stamp."""
        master, loser = self.find(name, master_id), self.find(name, loser_id)
        for table in self.tables.values():
            references = [f.name for f in table.definition.fields.values() if f.refers_to == master.object]
            for row in table.rows.values():
                for reference in references:
                    if row.values.get(reference) == loser.id and row is not loser:
                        row.values[reference] = master.id
                        table.version += 1
        loser.values["MasterRecordId"] = master.id
        loser.values["IsDeleted"] = True
        loser.deleted_at = self.now()
        self._touch(loser, actor, "DELETE", ())
        self._touch(master, actor, "UPDATE", ())

    def purge(self, name: str) -> int:
        """Empty the recycle bin of one object; how many went."""
        gone = [row for row in self.table(name).rows.values() if row.deleted_at is not None and not row.purged]
        for row in gone:
            row.purged = True
        return len(gone)

    def load(self, name: str, entries: Sequence[JsonObject]) -> list[str]:
        """Records as they are, with ids and stamps of the caller's choice: no events, no journal. Their ids."""
        quiet, self._quiet = self._quiet, True
        try:
            return [self._load(name, entry) for entry in entries]
        finally:
            self._quiet = quiet

    def _load(self, name: str, entry: JsonObject) -> str:
        values = dict(entry)
        stamp, record_id = values.pop("SystemModstamp", None), values.pop("Id", None)
        new_id = self.create(name, values, self.person, record_id=str(record_id) if record_id else None)
        if stamp is not None:
            row = self.table(name).rows[new_id]
            row.stamp = parse_instant(str(stamp))
            for field_name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
                row.values[field_name] = instant_text(row.stamp)
            self.table(name).version += 1
        return new_id

    def add_object(self, name: str, prefix: str, fields: str) -> None:
        """A custom object."""
        self.tables[name] = Table(new_object(name, prefix, fields, currency=self.multi_currency))

    def touch(self, row: Row, actor: Actor, *fields: str) -> None:
        """A change that follows from another one."""
        self._touch(row, actor, "UPDATE", fields)

    def _touch(self, row: Row, actor: Actor, change: str, fields: tuple[str, ...]) -> None:
        row.stamp = self.now()
        self.tables[row.object].version += 1
        text = instant_text(row.stamp)
        row.values.update(LastModifiedDate=text, SystemModstamp=text, LastModifiedById=actor.user_id)
        if self._quiet:
            return
        self._writes += 1
        self.journal.append(
            {
                "seq": self._writes,
                "at": text,
                "operation": change.lower(),
                "object": row.object,
                "id": row.id,
                "values": {name: row.values.get(name) for name in fields},
                "by": "api" if actor.by_api else "person",
                "client": actor.client,
            }
        )
        self._tell(Happening(change, row, (*fields, "LastModifiedDate"), actor))

    def _checked(
        self, definition: ObjectDef, values: Mapping[str, JsonValue], *, loading: bool = False
    ) -> dict[str, JsonValue]:
        given: dict[str, JsonValue] = {}
        for name, value in values.items():
            if name == "attributes":
                continue
            known = self.visible(definition, name)
            if known is None:
                message = f"No such column '{name}' on sobject of type {definition.name}"
                raise OrgError("INVALID_FIELD", message)
            if known.fixed and not loading:
                raise OrgError(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {known.name}. Please check the security settings of this field"
                    " and verify that it is read/write for your profile or permission set.",
                    fields=[known.name],
                )
            given[known.name] = checked(known, value)
        currency = given.get("CurrencyIsoCode")
        if currency is not None and currency not in CURRENCIES:
            raise OrgError(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"bad value for restricted picklist field: {currency}"
            )
        return given

    def _refer(self, definition: ObjectDef, given: Mapping[str, JsonValue]) -> None:
        for name, value in given.items():
            target = definition.fields[name].refers_to
            if value is None or target is None or target not in self.tables:
                continue
            row = self.tables[target].rows.get(str(value))
            if row is None or row.deleted_at is not None:
                raise OrgError("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {value}", fields=[name])

    def _first_user(self, name: str, username: str) -> str:
        table = self.tables["User"]
        table.made += 1
        user_id = made_id("005", self._instance, table.made)
        now = self.now()
        values: JsonObject = {"Id": user_id, "Name": name, "Username": username, "Email": username, "IsDeleted": False}
        table.rows[user_id] = Row("User", values, now)
        self._touch(table.rows[user_id], Actor(user_id), "CREATE", ())
        return user_id

    def _organization(self) -> str:
        org_id = made_id("00D", self._instance, 1)
        values: JsonObject = {"Id": org_id, "Name": "Emulated Org", "OrganizationType": "Enterprise Edition"}
        self.tables["Organization"].rows[org_id] = Row("Organization", {**values, "IsDeleted": False}, self.now())
        return org_id
