"""How records of version 2 look, and what a request may set of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, get_args

from counterfoil_adapters.pipedrive.emulator.errors import refusal
from counterfoil_schema.exact_json import JsonObject, JsonValue

Kind = Literal["organizations", "persons", "products", "deals"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ENTITIES: Mapping[str, str] = {
    "organizations": "organization",
    "persons": "person",
    "products": "product",
    "deals": "deal",
}
STATUSES = ("open", "won", "lost")
USER_ID = 3

_COMMON: JsonObject = {"owner_id": USER_ID, "visible_to": 3, "is_deleted": False, "custom_fields": {}}
_DEFAULTS: Mapping[str, JsonObject] = {
    "organizations": {
        **_COMMON,
        "name": "",
        "address": {},
        "label_ids": [],
        "website": None,
        "linkedin": None,
        "industry": None,
        "annual_revenue": None,
        "employee_count": None,
    },
    "persons": {**_COMMON, "name": "", "first_name": "", "last_name": "", "emails": [], "phones": [], "label_ids": []},
    "products": {
        **_COMMON,
        "name": "",
        "code": "",
        "description": "",
        "unit": "",
        "tax": 0,
        "category": None,
        "is_linkable": True,
        "prices": [],
        "billing_frequency": "one-time",
        "billing_frequency_cycles": None,
    },
    "deals": {
        **_COMMON,
        "title": "",
        "value": 0,
        "currency": "USD",
        "status": "open",
        "stage_id": 1,
        "pipeline_id": 1,
        "org_id": None,
        "person_id": None,
        "is_archived": False,
        "archive_time": None,
        "probability": None,
        "lost_reason": None,
        "label_ids": [],
        "origin": "API",
        "origin_id": None,
        "channel": None,
        "channel_id": None,
        "source_lead_id": None,
        "acv": None,
        "arr": None,
        "mrr": None,
        "close_time": None,
        "won_time": None,
        "lost_time": None,
        "stage_change_time": None,
        "expected_close_date": None,
    },
}
_READ_ONLY = frozenset({"id", "add_time", "update_time", "stage_change_time", "origin", "acv", "arr", "mrr"})
_NUMBERS = frozenset({"value", "org_id", "person_id", "owner_id", "stage_id", "pipeline_id", "tax", "probability"})
_FLAGS = frozenset({"is_deleted", "is_archived", "is_linkable"})
_ADDRESSES = {"organizations": "address", "persons": "postal_address"}
NEEDED = {"organizations": "name", "persons": "name", "products": "name", "deals": "title"}


def text_of(moment: datetime) -> str:
    """RFC 3339 in whole seconds, as version 2 writes instants."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_row(kind: str, row_id: int, now: str, given: JsonObject) -> JsonObject:
    """A record with everything that version 2 shows of it."""
    row: JsonObject = {**_DEFAULTS[kind], **given, "id": row_id}
    row.setdefault("add_time", now)
    row.setdefault("update_time", row["add_time"])
    if kind == "persons" and "first_name" not in given:
        first, _, last = str(row["name"]).partition(" ")
        row["first_name"], row["last_name"] = first, last
    return row


def check_body(kind: str, body: JsonObject, *, creating: bool) -> JsonObject:
    """A request's fields, of the right types: version 2 turns no text into numbers.

    Raises:
        BadRequestError: an unknown field, one that cannot be set, or a value of the wrong type.
    """
    needed = NEEDED[kind]
    if creating and not (isinstance(body.get(needed), str) and body[needed]):
        raise refusal(f"Validation failed: {needed}: {needed} is a required field")
    known = _DEFAULTS[kind].keys() | {"postal_address", "notes", "job_title"}
    for name, value in body.items():
        if name not in known or name in _READ_ONLY:
            raise refusal(f"Validation failed: {name}: {name} is not allowed")
        if name in _NUMBERS and not (value is None or _is_number(value)):
            raise refusal(f"Validation failed: {name}: {name} must be a number")
        if name in _FLAGS and not isinstance(value, bool):
            raise refusal(f"Validation failed: {name}: {name} must be a boolean")
    if kind == "deals" and "status" in body and body["status"] not in STATUSES:
        raise refusal("Validation failed: status: must be one of open, won, lost")
    if kind == "deals" and body.get("lost_reason") is not None and body.get("status") != "lost":
        raise refusal("Validation failed: lost_reason: can only be set if deal status is lost")
    address = body.get(_ADDRESSES.get(kind, ""))
    if address is not None and not isinstance(address, dict):
        raise refusal("Validation failed: address: address must be an object")
    return dict(body)


def settle_status(row: JsonObject, changed: JsonObject, now: str) -> None:
    """What follows from a deal's new status or stage."""
    if "stage_id" in changed:
        row["stage_change_time"] = now
    if "status" not in changed:
        return
    status = row["status"]
    given_won, given_close = changed.get("won_time"), changed.get("close_time")
    row["won_time"] = (given_won or now) if status == "won" else None
    row["lost_time"] = now if status == "lost" else None
    row["close_time"] = (given_close or row["won_time"] or row["lost_time"]) if status != "open" else None


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
