"""The state of one Pipedrive company, and the rules by which it changes. No network here."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from counterfoil.ports import Clock
from counterfoil_adapters.pipedrive.emulator.errors import refusal
from counterfoil_adapters.pipedrive.emulator.fields import FieldBook
from counterfoil_adapters.pipedrive.emulator.rows import (
    ENTITIES,
    KINDS,
    check_body,
    new_row,
    settle_status,
    text_of,
)
from counterfoil_schema.exact_json import JsonObject, JsonValue

JOURNAL_MAX = 100_000
KEPT_DELETED = timedelta(days=30)
CENT = Decimal("0.01")
NOTHING: Mapping[str, str] = MappingProxyType({})
PART_KINDS = {"products": "deal_product", "installments": "deal_installment"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that webhooks tell."""

    action: str
    entity: str
    entity_id: int
    data: JsonObject | None
    previous: JsonObject | None
    source: str
    more: Mapping[str, str] = field(default_factory=dict)


class Company:
    """Records, what is on deals, and who is told of changes.

    Args:
        emit: told each change.
    """

    def __init__(self, clock: Clock, seed: int, emit: Callable[[Event], None]) -> None:
        self._clock = clock
        self._emit = emit
        self.fields = FieldBook(seed)
        self.rows: dict[str, dict[int, JsonObject]] = {kind: {} for kind in KINDS}
        self.parts: dict[str, dict[int, JsonObject]] = {name: {} for name in PART_KINDS}
        self.stages = {1: "Qualified", 2: "Proposal made", 3: "Invoiced"}
        self.journal: deque[JsonObject] = deque(maxlen=JOURNAL_MAX)
        self._last_id = 0
        self._writes = 0

    def now(self) -> str:
        return text_of(self._clock.now())

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def show(self, kind: str, row_id: int) -> JsonObject:
        """A record, deleted ones for thirty days.

        Raises:
            BadRequestError: 404.
        """
        row = self.rows[kind].get(row_id)
        if row is None or (row["is_deleted"] and self._is_purged(row)):
            raise refusal(f"{ENTITIES[kind].capitalize()} not found", 404, code="ERR_NOT_FOUND")
        return row

    def live(self, kind: str, row_id: int) -> JsonObject:
        """A record that can be changed.

        Raises:
            BadRequestError: 404.
        """
        row = self.show(kind, row_id)
        if row["is_deleted"]:
            raise refusal(f"{ENTITIES[kind].capitalize()} not found", 404, code="ERR_NOT_FOUND")
        return row

    def visible(self, kind: str, *, deleted: bool = False) -> list[JsonObject]:
        """What a list shows: not what is deleted, nor archived deals; or what was deleted lately."""
        if deleted:
            return [row for row in self.rows[kind].values() if row["is_deleted"] and not self._is_purged(row)]
        return [row for row in self.rows[kind].values() if not row["is_deleted"] and row.get("is_archived") is not True]

    def put(self, kind: str, given: JsonObject) -> JsonObject:
        """A record as it is, with no event of its own."""
        wanted = given.get("id")
        row_id = wanted if isinstance(wanted, int) else self.next_id()
        self._last_id = max(self._last_id, row_id)
        row = new_row(kind, row_id, self.now(), given)
        if kind == "deals" and row["won_time"] is None and row["status"] == "won":
            settle_status(row, {**row, "won_time": given.get("won_time"), "close_time": None}, str(row["update_time"]))
        self.rows[kind][row_id] = row
        return row

    def create(self, kind: str, body: JsonObject, source: str) -> JsonObject:
        """A new record by a request or a person."""
        given = check_body(kind, body, creating=True)
        self.fields.check(ENTITIES[kind], given.get("custom_fields", {}))
        row = self.put(kind, given)
        self._record("create", kind, row, given, source)
        self._tell("create", ENTITIES[kind], row, None, source)
        return row

    def update(
        self, kind: str, row: JsonObject, body: JsonObject, source: str, *, more: Mapping[str, str] = NOTHING
    ) -> None:
        """Set fields; a custom field that is not named keeps its value."""
        given = check_body(kind, body, creating=False)
        if row.get("is_archived") is True and given.get("is_archived") is not False:
            raise refusal("Archived deals cannot be edited.", code="ERR_ARCHIVED_DEAL")
        before = {**row, "custom_fields": dict(_object(row["custom_fields"]))}
        custom = self.fields.check(ENTITIES[kind], given.pop("custom_fields", {}))
        row["custom_fields"] = {**_object(row["custom_fields"]), **custom}
        row.update(given)
        if kind == "deals":
            settle_status(row, given, self.now())
        row["update_time"] = max(self.now(), str(row["update_time"]))
        self._record("update", kind, row, {**given, **({"custom_fields": custom} if custom else {})}, source)
        self._tell("change", ENTITIES[kind], row, _changed(before, row), source, more)

    def delete(self, kind: str, row: JsonObject, source: str, *, more: Mapping[str, str] = NOTHING) -> None:
        """Mark as deleted; for thirty days it can still be seen."""
        before = dict(row)
        row["is_deleted"] = True
        if kind == "deals":
            row["status"] = "deleted"
        row["update_time"] = self.now()
        self._record("delete", kind, row, {}, source)
        self._emit(_event("delete", ENTITIES[kind], before, None, before, source, more))

    def merge(self, kind: str, winner: JsonObject, loser: JsonObject, source: str) -> JsonObject:
        """Fold one record into another: the one is deleted, and what named it names the other."""
        name = {"organizations": "org_id", "persons": "person_id"}.get(kind)
        for deal in self.visible("deals") if name is not None else ():
            if deal[name or ""] == loser["id"]:
                self.update("deals", deal, {name or "": winner["id"]}, source)
        self.delete(kind, loser, source, more={"merged_to_id": str(winner["id"])})
        self.update(kind, winner, {}, source, more={"merged_from_id": str(loser["id"])})
        return winner

    def of_deals(self, part: str, deal_ids: set[int]) -> list[JsonObject]:
        """Products or instalments on deals."""
        return [row for row in self.parts[part].values() if row["deal_id"] in deal_ids]

    def put_product(self, deal: JsonObject, given: JsonObject) -> JsonObject:
        """A product on a deal as it is; what is not given follows from the product, the sum from the rest."""
        product = self.rows["products"].get(_whole(given.get("product_id")), {})
        row: JsonObject = {
            "id": self.next_id(),
            "deal_id": deal["id"],
            "product_id": given.get("product_id"),
            "product_variation_id": None,
            "name": product.get("name", ""),
            "quantity": 1,
            "item_price": 0,
            "discount": 0,
            "discount_type": "percentage",
            "tax": 0,
            "tax_method": "none",
            "comments": "",
            "currency": deal["currency"],
            "is_enabled": True,
            "order_nr": None,
            "billing_frequency": "one-time",
            "billing_frequency_cycles": None,
            "billing_start_date": None,
            "add_time": self.now(),
            "update_time": self.now(),
            **given,
        }
        row.setdefault("sum", line_sum(row))
        self.parts["products"][_whole(row["id"])] = row
        return row

    def put_installment(self, deal: JsonObject, given: JsonObject) -> JsonObject:
        """An instalment of a deal as it is."""
        row: JsonObject = {"description": "", "billing_date": self.now()[:10], "amount": 0, **given}
        row = {"id": given.get("id") or self.next_id(), "deal_id": deal["id"], **row}
        self.parts["installments"][_whole(row["id"])] = row
        return row

    def change_part(
        self, part: str, deal: JsonObject, part_id: int | None, given: JsonObject | None, source: str
    ) -> JsonObject:
        """Add (no id), change, or take away (nothing given) a product or an instalment; the deal's value follows.

        Raises:
            BadRequestError: 404.
        """
        entity, held = PART_KINDS[part], self.parts[part]
        if part_id is None:
            put = self.put_product if part == "products" else self.put_installment
            row = put(deal, given or {})
            self._tell("create", entity, row, None, source)
        else:
            found = held.get(part_id)
            if found is None or found["deal_id"] != deal["id"]:
                raise refusal("Not found", 404, code="ERR_NOT_FOUND")
            row, before = found, dict(found)
            if given is None:
                del held[part_id]
                self._emit(_event("delete", entity, before, None, before, source, {}))
            else:
                row.update(given)
                if part == "products" and "sum" not in given:
                    row["sum"] = line_sum(row)
                self._tell("change", entity, row, _changed(before, row), source)
        if part == "products":
            self.revalue(deal, source)
        return row

    def revalue(self, deal: JsonObject, source: str) -> None:
        """A deal with products is worth what they come to."""
        rows = self.of_deals("products", {_whole(deal["id"])})
        value = sum((_decimal(row["sum"]) for row in rows if row["is_enabled"]), Decimal(0))
        if value != _decimal(deal["value"]):
            self.update("deals", deal, {"value": value}, source)

    def _is_purged(self, row: JsonObject) -> bool:
        return self._clock.now() - datetime.fromisoformat(str(row["update_time"])).astimezone(UTC) > KEPT_DELETED

    def _record(self, operation: str, kind: str, row: JsonObject, values: JsonObject, source: str) -> None:
        self._writes += 1
        self.journal.append(
            {
                "seq": self._writes,
                "at": self.now(),
                "operation": operation,
                "kind": kind,
                "id": row["id"],
                "values": values,
                "by": source,
            }
        )

    def _tell(
        self,
        action: str,
        entity: str,
        row: JsonObject,
        previous: JsonObject | None,
        source: str,
        more: Mapping[str, str] = NOTHING,
    ) -> None:
        self._emit(_event(action, entity, row, dict(row), previous, source, more))


def line_sum(row: JsonObject) -> Decimal:
    """Quantity times price, less the discount of the whole line, with the tax that comes on top."""
    whole = _decimal(row["quantity"]) * _decimal(row["item_price"])
    discount = _decimal(row["discount"])
    net = whole - discount if row["discount_type"] == "amount" else whole * (1 - discount / 100)
    tax = net * _decimal(row["tax"]) / 100 if row["tax_method"] == "exclusive" else Decimal(0)
    return net.quantize(CENT, ROUND_HALF_UP) + tax.quantize(CENT, ROUND_HALF_UP)


def _event(
    action: str,
    entity: str,
    row: JsonObject,
    data: JsonObject | None,
    previous: JsonObject | None,
    source: str,
    more: Mapping[str, str],
) -> Event:
    entity_id = _whole(row["id"])
    return Event(
        action=action, entity=entity, entity_id=entity_id, data=data, previous=previous, source=source, more=more
    )


def _changed(before: JsonObject, row: JsonObject) -> JsonObject:
    """The earlier values of what is different now."""
    found = {name: value for name, value in before.items() if name != "custom_fields" and row.get(name) != value}
    old, new = _object(before.get("custom_fields", {})), _object(row.get("custom_fields", {}))
    custom: JsonObject = {code: old.get(code) for code in new if old.get(code) != new[code]}
    return {**found, **({"custom_fields": custom} if custom else {})}


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _decimal(value: JsonValue) -> Decimal:
    return Decimal(str(value))


def _whole(value: JsonValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
