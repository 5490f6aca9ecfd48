"""Definitions of fields: built-in ones, and custom ones under keys of forty characters."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from counterfoil_adapters.pipedrive.emulator.errors import refusal
from counterfoil_schema.exact_json import JsonObject, JsonValue

OWNERS = ("deal", "organization", "person", "product")
CREATABLE = frozenset(
    ("varchar", "text", "double", "phone", "date", "daterange", "time", "timerange", "set", "enum", "varchar_auto")
) | {"address", "monetary", "org", "people", "user"}
FIELDS_MAX = 1_000
CODE_CHARACTERS = 40
TEXT_MAX = 255
LONG_TEXT_MAX = 65_000

_BUILT_IN: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "deal": (
        ("title", "Title", "varchar"),
        ("value", "Value", "monetary"),
        ("currency", "Currency", "varchar"),
        ("status", "Status", "status"),
        ("stage_id", "Stage", "stage"),
        ("org_id", "Organization", "org"),
        ("person_id", "Contact person", "people"),
        ("won_time", "Won time", "date"),
        ("expected_close_date", "Expected close date", "date"),
    ),
    "organization": (("name", "Name", "varchar"), ("address", "Address", "address")),
    "person": (("name", "Name", "varchar"), ("emails", "Email", "varchar"), ("phones", "Phone", "phone")),
    "product": (("name", "Name", "varchar"), ("code", "Product code", "varchar"), ("unit", "Unit", "varchar")),
}


class FieldBook:
    """All definitions of one company, by kind of record and key."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.held: dict[str, dict[str, JsonObject]] = {owner: {} for owner in OWNERS}
        for owner, fields in _BUILT_IN.items():
            for code, name, field_type in fields:
                self.held[owner][code] = _shown(code, name, field_type, None, custom=False)

    def add(self, owner: str, given: JsonObject) -> JsonObject:
        """A new custom field.

        Raises:
            BadRequestError: no name, a type that cannot be made, options where none belong.
        """
        name, field_type, options = given.get("field_name"), given.get("field_type"), given.get("options")
        if not isinstance(name, str) or not name.strip():
            raise refusal("Validation failed: field_name: field_name is a required field")
        if field_type not in CREATABLE:
            raise refusal(f"Validation failed: field_type: must be one of {', '.join(sorted(CREATABLE))}")
        if (field_type in {"enum", "set"}) != isinstance(options, list):
            raise refusal("Validation failed: options: only, and always, for enum and set")
        if len(self.held[owner]) >= FIELDS_MAX:
            raise refusal("Custom fields limit reached.", 403, code="feature_capping_custom_fields_limit")
        seeded = f"{self._seed}:{owner}:{len(self.held[owner])}:{name}".encode()
        code = hashlib.sha256(seeded).hexdigest()[:CODE_CHARACTERS]
        self.held[owner][code] = _shown(code, name, str(field_type), _options(options), custom=True)
        return self.held[owner][code]

    def code_of(self, owner: str, name: str) -> str | None:
        """The key of a custom field with this name or key."""
        for code, one in self.held[owner].items():
            if one["is_custom_field"] and name in (code, one["field_name"]):
                return code
        return None

    def check(self, owner: str, values: JsonValue) -> JsonObject:
        """Values of custom fields as a request gives them.

        Raises:
            BadRequestError: an unknown key, or a value that its type does not take.
        """
        if not isinstance(values, dict):
            raise refusal("Validation failed: custom_fields: must be an object")
        for code, value in values.items():
            one = self.held[owner].get(code)
            if one is None or not one["is_custom_field"]:
                raise refusal(f"Validation failed: custom_fields: unknown field {code}")
            if value is not None and not _takes(one, value):
                raise refusal(f"Validation failed: custom_fields.{code}: not a value for a {one['field_type']} field")
        return values

    def by_name(self, owner: str, values: JsonValue) -> JsonObject:
        """Values by names and labels, as the control port gives them, with keys and options' ids instead."""
        found: JsonObject = {}
        for name, value in (values if isinstance(values, dict) else {}).items():
            code = self.code_of(owner, name)
            if code is None:
                raise refusal(f"There is no custom field of a {owner} called {name}")
            found[code] = self._option(self.held[owner][code], value)
        return found

    def _option(self, one: JsonObject, value: JsonValue) -> JsonValue:
        options = one["options"] if isinstance(one["options"], list) else []
        ids = {str(option["label"]): option["id"] for option in options if isinstance(option, dict)}
        if isinstance(value, list):
            return [ids.get(str(part), part) for part in value]
        return ids.get(value, value) if isinstance(value, str) else value


def _shown(code: str, name: str, field_type: str, options: Sequence[JsonValue] | None, *, custom: bool) -> JsonObject:
    return {
        "field_name": name,
        "field_code": code,
        "field_type": field_type,
        "options": list(options) if options is not None else None,
        "subfields": None,
        "description": "",
        "is_custom_field": custom,
        "is_optional_response_field": False,
    }


def _options(given: JsonValue) -> Sequence[JsonValue] | None:
    if not isinstance(given, list):
        return None
    labels = [str(one.get("label")) if isinstance(one, dict) else str(one) for one in given]
    return [{"id": number, "label": label, "color": None} for number, label in enumerate(labels, 1)]


def _takes(one: JsonObject, value: JsonValue) -> bool:
    options = one["options"] if isinstance(one["options"], list) else []
    ids = [option["id"] for option in options if isinstance(option, dict)]
    match one["field_type"]:
        case "varchar" | "varchar_auto" | "phone":
            return isinstance(value, str) and len(value) <= TEXT_MAX
        case "text":
            return isinstance(value, str) and len(value) <= LONG_TEXT_MAX
        case "double":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "monetary":
            return isinstance(value, dict) and isinstance(value.get("value"), int | Decimal)
        case "date":
            return isinstance(value, str) and _is_date(value)
        case "enum":
            return value in ids
        case "set":
            return isinstance(value, list) and bool(value) and all(part in ids for part in value)
        case "org" | "people" | "user":
            return isinstance(value, int)
        case _:
            return isinstance(value, dict)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
