"""The books of one company: every write is checked whole and then happens whole, or not at all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from counterfoil.ports import Clock
from counterfoil.quickbooks.emulator import chart, faults
from counterfoil.quickbooks.emulator.attachments import Files, StoredFile
from counterfoil.quickbooks.emulator.catalog import ENTITIES, EntitySpec
from counterfoil.quickbooks.emulator.currencies import in_home, posted
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped, name_of
from counterfoil.quickbooks.emulator.fields import checked, fields_of
from counterfoil.quickbooks.emulator.journal import Effect as JournalEffect
from counterfoil.quickbooks.emulator.journal import Journal, Operation, Origin
from counterfoil.quickbooks.emulator.ledger import Ledger
from counterfoil.quickbooks.emulator.lineage import Lineage, require_unsettled_card
from counterfoil.quickbooks.emulator.numbering import Numbering, require_free_number
from counterfoil.quickbooks.emulator.payments import WITHOUT_BALANCE, overdrawn_on_account, relinked
from counterfoil.quickbooks.emulator.pointing import Pointing, below
from counterfoil.quickbooks.emulator.postings import NO_EFFECT, DocumentKey, Effect
from counterfoil.quickbooks.emulator.settling import SETTLED, SETTLEMENTS, effect_of, emptied, settled
from counterfoil.quickbooks.emulator.shapers import SHAPERS
from counterfoil.quickbooks.emulator.special import SPECIAL
from counterfoil.quickbooks.emulator.tables import Row, Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text, clean, reference_id, to_decimal
from counterfoil.quickbooks.emulator.views import amount_of, view
from counterfoil_schema.exact_json import JsonObject

# Names that are deleted, unlike the others, which are made inactive.
REMOVABLE = frozenset({"CompanyCurrency"})
WriteOperation = Literal["create", "update", "delete", "void"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change that a notification may tell of; `deleted_id` is what was merged into the record."""

    entity: str
    id: str
    operation: Operation
    at: datetime
    deleted_id: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """What a client or a person wants done to one record."""

    entity: str
    operation: WriteOperation
    body: JsonObject
    include: frozenset[str] = frozenset()


class Books:
    """Tables, ledger and journal of one company.

    Args:
        clock: the emulator's time.
        files: contents of attachables.
        latin1: refuse text outside ISO-8859-1, as US companies do.
        closed_code: the fault of a closed period, 6210 with a password and 6200 without.
        on_change: told of every change, for notifications.
    """

    def __init__(
        self,
        clock: Clock,
        files: Files,
        *,
        latin1: bool,
        on_change: Callable[[Change], None],
        closed_code: str = "6210",
    ) -> None:
        self._clock = clock
        self.files = files
        self.latin1 = latin1
        self.closed_code = closed_code
        self._on_change = on_change
        self.numbering = Numbering()
        self.zone = ZoneInfo(chart.COMPANY_ZONE)
        self.tables = Tables()
        self.ledger = Ledger()
        self.lineage = Lineage()
        self.journal = Journal()

    @property
    def preferences(self) -> JsonObject:
        row = self.tables.get("Preferences", "1")
        return row.body if row is not None else {}

    @property
    def home_currency(self) -> str:
        """The currency that the books are kept in."""
        return reference_id(as_object(self.preferences.get("CurrencyPrefs")).get("HomeCurrency"))

    def now(self) -> datetime:
        """The emulator's time."""
        return self._clock.now()

    def today(self) -> date:
        """The date in the company's own zone."""
        return self._clock.now().astimezone(self.zone).date()

    def seed(self, entity: str, identifier: str, body: JsonObject) -> None:
        """Put a record there without checks, journal entry or notification: the company's first furniture."""
        now = self._clock.now()
        self.tables.put(ENTITIES[entity], Row(identifier, 0, now, now, body))

    def take_up(
        self,
        rows: Mapping[str, tuple[list[Row], list[Row]]],
        links: Iterable[tuple[str, str, str, Decimal]],
        files: Mapping[str, StoredFile],
    ) -> None:
        """Fill the books from a saved state: living and deleted rows by entity, and what payments are applied to."""
        for entity, (living, deleted) in rows.items():
            for row in living:
                self.tables.put(ENTITIES[entity], row)
            self.tables.table(entity).deleted.update({row.id: row for row in deleted})
        applied: dict[str, dict[DocumentKey, Decimal]] = {}
        for payment, entity, identifier, amount in links:
            applied.setdefault(payment, {})[entity, identifier] = amount
        for payment, documents in applied.items():
            self.ledger.link(payment, documents)
        for entity, (living, _) in rows.items():
            for row in living:
                self._post((entity, row.id), effect_of(entity, row.id, row.body, self.tables), row.body)
                self.lineage.relate((entity, row.id), row.body)
        for identifier, file in files.items():
            self.files.keep(identifier, file)

    def show(self, entity: str, row: Row) -> JsonObject:
        """The record as the API shows it."""
        shown = view(entity, row, self.ledger, self.zone)
        return {**shown, **self.files.told(row.id)} if entity == "Attachable" else shown

    def write(self, write: Write, origin: Origin) -> JsonObject:
        """Do it.

        Returns:
            The record as the API shows it, or its stub after a delete.

        Raises:
            QuickBooksFaultError: the write is refused; nothing has changed.
        """
        spec = ENTITIES[write.entity]
        special = SPECIAL.get(spec.kind)
        if special is not None:
            return special(self, spec, write, origin)
        match write.operation:
            case "create":
                return self._create(spec, write, origin)
            case "update":
                return self._update(spec, write, origin)
            case "delete":
                return self._delete(spec, write, origin)
            case "void":
                return self._void(spec, write, origin)

    def _create(self, spec: EntitySpec, write: Write, origin: Origin) -> JsonObject:
        cleaned = clean(write.body, latin1=self.latin1)
        body = checked(spec.name, cleaned.values)
        draft = self.draft(spec, body, None, write.include, sent=frozenset(body))
        shaped = SHAPERS[spec.name](draft)
        self.numbering.number(spec, shaped.body, self.tables, self.preferences, write.include)
        require_free_number(spec, "", shaped.body, self.tables, self.preferences, write.include)
        self._require_open(shaped.body)
        self.lineage.require_free((spec.name, ""), shaped.body)
        now = self._clock.now()
        body = in_home(shaped.body, self.home_currency)
        row = Row(self.tables.next_id(spec), 0, now, now, body, shaped.lines_made)
        return self._commit(spec, row, shaped, "create", origin)

    def _update(self, spec: EntitySpec, write: Write, origin: Origin) -> JsonObject:
        if not spec.updates:
            raise faults.unsupported_operation(f"update {spec.path}")
        current = self.current(spec, write.body)
        cleaned = clean(write.body, latin1=self.latin1)
        sent = checked(spec.name, cleaned.values)
        merged = self._merged(spec, current, sent, cleaned.blanks, sparse=write.body.get("sparse") is True)
        draft = self.draft(spec, merged, current, write.include, sent=frozenset(sent))
        shaped = SHAPERS[spec.name](draft)
        require_free_number(spec, current.id, shaped.body, self.tables, self.preferences, write.include)
        self._require_open(current.body)
        self._require_open(shaped.body)
        self.lineage.require_free((spec.name, current.id), shaped.body)
        self.lineage.require_undeposited((spec.name, current.id), current.body, shaped.body)
        row = replace(
            current,
            token=current.token + 1,
            updated=self._clock.now(),
            body=in_home(shaped.body, self.home_currency),
            lines_made=max(current.lines_made, shaped.lines_made),
        )
        return self._commit(spec, row, shaped, "update", origin)

    def _delete(self, spec: EntitySpec, write: Write, origin: Origin) -> JsonObject:
        if spec.kind not in {"transaction", "file"} and spec.name not in REMOVABLE:
            raise faults.unsupported_operation("delete")
        row = self.current(spec, write.body)
        self._require_open(row.body)
        self._require_unused(spec, row)
        cause = self.journal.next_sequence
        self._enter(spec, replace(row, token=row.token + 1), "delete", origin)
        self.tables.remove(spec, row, self._clock.now())
        self._loosen((spec.name, row.id), cause)
        self.ledger.record((spec.name, row.id), NO_EFFECT)
        return {"status": "Deleted", "domain": "QBO", "Id": row.id}

    def _void(self, spec: EntitySpec, write: Write, origin: Origin) -> JsonObject:
        if not spec.void and not (origin.app == "person" and "v" in spec.verbs):
            raise faults.unsupported_operation("void")
        current = self.current(spec, write.body)
        self._require_open(current.body)
        self._require_unused(spec, current)
        require_unsettled_card(current.body)
        cause = self.journal.next_sequence
        empty = emptied(spec.name, current.body)
        row = replace(current, token=current.token + 1, updated=self._clock.now(), body=empty)
        self._enter(spec, row, "void", origin)
        self._loosen((spec.name, row.id), cause)
        row = self._settled(spec.name, row)
        self.tables.put(spec, row)
        return self.show(spec.name, row)

    def bump(self, entity: str, identifier: str) -> None:
        """Somebody saves the record unchanged: its token moves."""
        row = self.tables.get(entity, identifier)
        if row is not None:
            moved = replace(row, token=row.token + 1, updated=self._clock.now())
            self.tables.put(ENTITIES[entity], moved)
            self._enter(ENTITIES[entity], moved, "update", Origin("person"))

    def set_preferences(self, groups: Mapping[str, JsonObject]) -> JsonObject:
        """Change settings group by group, as the company's administrator would."""
        row = self.tables.find("Preferences", "1")
        body = dict(row.body)
        for group, values in groups.items():
            body[group] = {**as_object(body.get(group)), **values}
        row = replace(row, token=row.token + 1, updated=self._clock.now(), body=body)
        self.tables.put(ENTITIES["Preferences"], row)
        self._on_change(Change("Preferences", "1", "update", row.updated))
        return self.show("Preferences", row)

    def rewrite(self, entity: str, row: Row, body: JsonObject) -> None:
        """Change a record beneath itself, its version and its place among the changes kept; the ledger follows."""
        self.tables.amend(entity, replace(row, body=body))
        self._post((entity, row.id), effect_of(entity, row.id, body, self.tables), body)

    def merged(self, spec: EntitySpec, kept: Row, gone: Row, origin: Origin) -> None:
        """Take out a record that went into another, and tell of it."""
        self.tables.remove(spec, gone, self._clock.now())
        row = replace(kept, token=kept.token + 1, updated=self._clock.now())
        self.tables.put(spec, row)
        self._enter(spec, row, "merge", origin, deleted_id=gone.id)

    def keep(self, spec: EntitySpec, row: Row, operation: Operation, origin: Origin) -> None:
        """Store a record that touches no other, and tell of it."""
        self.tables.put(spec, row)
        self._enter(spec, row, operation, origin)

    def drop(self, spec: EntitySpec, row: Row, origin: Origin) -> None:
        """Delete a record that touches no other, and tell of it."""
        self._enter(spec, replace(row, token=row.token + 1), "delete", origin)
        self.tables.remove(spec, row, self._clock.now())

    def current(self, spec: EntitySpec, body: JsonObject) -> Row:
        """The record that a body names, in the version that it names.

        Raises:
            QuickBooksFaultError: 2020 without Id or SyncToken, 610 if it is not there, 5010 if it has changed.
        """
        identifier = as_text(body.get("Id"))
        if not identifier:
            raise faults.required("Id")
        row = self.tables.find(spec.name, identifier)
        token = as_text(body.get("SyncToken"))
        if not token:
            raise faults.required("SyncToken")
        if token != str(row.token):
            raise faults.stale()
        return row

    def _merged(
        self, spec: EntitySpec, current: Row, sent: JsonObject, blanks: frozenset[str], *, sparse: bool
    ) -> JsonObject:
        if not sparse:
            return sent
        table = fields_of(spec.name)
        kept: JsonObject = {
            name: value
            for name, value in current.body.items()
            if name not in blanks and name in table and not table[name].read_only
        }
        return {**kept, **sent}

    def draft(
        self,
        spec: EntitySpec,
        body: JsonObject,
        current: Row | None,
        include: frozenset[str],
        *,
        sent: frozenset[str],
    ) -> Draft:
        """A checked body on its way to a record."""
        return Draft(
            spec=spec,
            body=body,
            current=current,
            include=include,
            identifier=current.id if current is not None else "",
            today=self.today(),
            preferences=self.preferences,
            tables=self.tables,
            ledger=self.ledger,
            sent=sent,
        )

    def _require_open(self, body: JsonObject) -> None:
        closed = as_text(as_object(self.preferences.get("AccountingInfoPrefs")).get("BookCloseDate"))
        day = as_text(body.get("TxnDate"))
        if closed and day and day <= closed:
            raise faults.period_closed(self.closed_code)

    def _commit(self, spec: EntitySpec, row: Row, shaped: Shaped, operation: Operation, origin: Origin) -> JsonObject:
        key = (spec.name, row.id)
        cause = self.journal.next_sequence
        row = replace(row, body=self.lineage.marked(key, row.body))
        effect = effect_of(spec.name, row.id, row.body, self.tables)
        before = self.tables.get(*key)
        self.tables.put(spec, row)
        self._post(key, effect, row.body)
        self._enter(spec, row, operation, origin)
        if before is not None and spec.kind == "list" and name_of(before) != name_of(row):
            self._rename(spec, row)
        self._relate(key, row.body, cause)
        if spec.name in SETTLEMENTS:
            for document in self.ledger.link(row.id, shaped.links):
                self._touch(document, "linked", cause)
        elif spec.name in SETTLED:
            row = self._release_excess(row, key, cause)
        elif spec.name in WITHOUT_BALANCE:
            for payment in overdrawn_on_account(key, self.tables, self.ledger):
                self._unlink(payment, key, cause)
        return self.show(spec.name, row)

    def _release_excess(self, row: Row, key: DocumentKey, cause: int) -> Row:
        """A document lowered below what was paid lets go of the surplus, latest payment first."""
        excess = -to_decimal(row.body.get("Balance", 0), "Balance")
        if excess <= ZERO:
            return row
        for payment, amount in reversed(self.ledger.payments_of(key).items()):
            taken = min(amount, excess)
            links = self.ledger.links_of(payment)
            links[key] = amount - taken
            self._relink(payment, {link: value for link, value in links.items() if value}, cause)
            excess -= taken
            if not excess:
                break
        row = self._settled(key[0], row)
        self.tables.put(ENTITIES[key[0]], row)
        return row

    def _loosen(self, key: DocumentKey, cause: int) -> None:
        """Undo the links of a document that is deleted or voided."""
        self._relate(key, {}, cause)
        if key[0] in SETTLEMENTS:
            for document in self.ledger.link(key[1], {}):
                self._touch(document, "released", cause)
            return
        for payment in self.ledger.payments_of(key):
            self._unlink(payment, key, cause)

    def _rename(self, spec: EntitySpec, row: Row) -> None:
        """Whatever names the record shows its new name, and what lies under it its new path."""
        pointing = Pointing(spec.name, row.id, {"value": row.id, "name": name_of(row)})
        for entity in ENTITIES:
            for other in list(self.tables.table(entity).rows.values()):
                body = below(other.body, row) if entity == spec.name else other.body
                body = pointing.moved(body, entity)
                if body != other.body and (entity, other.id) != (spec.name, row.id):
                    self.rewrite(entity, other, body)
                    if entity == spec.name:
                        self._rename(spec, replace(other, body=body))

    def _relate(self, key: DocumentKey, body: JsonObject, cause: int) -> None:
        """Mark what a document was made of, and set free what it no longer is."""
        for source in self.lineage.relate(key, body):
            row = self.tables.get(*source)
            if row is not None:
                marked = self.lineage.marked(source, row.body)
                row = replace(row, token=row.token + 1, updated=self._clock.now(), body=marked)
                self.tables.put(ENTITIES[source[0]], row)
                operation: Operation = "linked" if key in self.lineage.made_of(source) else "released"
                self._enter(ENTITIES[source[0]], row, operation, Origin("server"), caused_by=cause)

    def _require_unused(self, spec: EntitySpec, row: Row) -> None:
        self.lineage.require_undeposited((spec.name, row.id), row.body, {})
        if spec.name == "CompanyCurrency":
            code = row.body.get("Code")
            parties = (self.tables.table(name).rows.values() for name in ("Customer", "Vendor"))
            if any(reference_id(party.body.get("CurrencyRef")) == code for kind in parties for party in kind):
                raise faults.cannot_delete(f"Currency {code} is used by customers or vendors.")

    def _unlink(self, payment: str, key: DocumentKey, cause: int) -> None:
        links = self.ledger.links_of(payment)
        links.pop(key, None)
        self._relink(payment, links, cause)

    def _relink(self, payment: str, links: dict[DocumentKey, Decimal], cause: int) -> None:
        self.ledger.link(payment, links)
        entity = next(name for name in sorted(SETTLEMENTS) if self.tables.get(name, payment) is not None)
        row = self.tables.find(entity, payment)
        row = replace(row, token=row.token + 1, updated=self._clock.now(), body=relinked(row.body, links))
        self.tables.put(ENTITIES[entity], row)
        self._post((entity, payment), effect_of(entity, row.id, row.body, self.tables), row.body)
        self._enter(ENTITIES[entity], row, "released", Origin("server"), caused_by=cause)

    def _touch(self, key: DocumentKey, operation: Operation, cause: int) -> None:
        row = self.tables.get(*key)
        if row is None:
            return
        row = replace(self._settled(key[0], row), token=row.token + 1, updated=self._clock.now())
        self.tables.put(ENTITIES[key[0]], row)
        self._enter(ENTITIES[key[0]], row, operation, Origin("server"), caused_by=cause)

    def _settled(self, entity: str, row: Row) -> Row:
        """The row with balance and links as the ledger has them, its effect recorded anew."""
        body = in_home(settled(entity, row.id, row.body, self.ledger), self.home_currency)
        self._post((entity, row.id), effect_of(entity, row.id, body, self.tables), body)
        return replace(row, body=body)

    def _post(self, key: DocumentKey, effect: Effect, body: JsonObject) -> None:
        self.ledger.record(key, posted(effect, body, self.home_currency))

    def _enter(
        self,
        spec: EntitySpec,
        row: Row,
        operation: Operation,
        origin: Origin,
        *,
        caused_by: int | None = None,
        deleted_id: str = "",
    ) -> None:
        body = row.body
        now = self._clock.now()
        self.journal.add(
            JournalEffect(
                sequence=self.journal.next_sequence,
                at=now,
                entity=spec.name,
                operation=operation,
                id=row.id,
                token=row.token,
                origin=origin,
                doc_number=as_text(body.get("DocNumber")),
                name=as_text(body.get(spec.name_property)) if spec.name_property else "",
                private_note=as_text(body.get("PrivateNote")),
                txn_date=as_text(body.get("TxnDate")),
                amount=amount_of(spec.name, body),
                caused_by=caused_by,
            )
        )
        self._on_change(Change(spec.name, row.id, operation, now, deleted_id))

    def lines_to_keep(self, row: Row) -> list[JsonObject]:
        """The lines that an update has to send back: all but the sub-total."""
        lines = (as_object(line) for line in as_list(row.body.get("Line")))
        return [line for line in lines if line.get("DetailType") != "SubTotalLineDetail"]
