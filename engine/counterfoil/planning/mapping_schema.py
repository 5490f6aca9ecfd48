"""A JSON Schema of the mapping file, for editors; generated from the models that read it."""

import json
import re
from collections.abc import Collection, Mapping

from counterfoil.planning.derivable import DERIVABLE, fields_of
from counterfoil.planning.mapping import Mapping as MappingModel
from counterfoil.planning.ownership import ENTITIES, known_fields
from counterfoil.planning.sections import Section
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads_object

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KEYS = re.compile(r"((?:`[a-z_]+`(?:, | and )?)+): ")
_ADAPTERS_OWN = {
    "csv": "The CSV adapter's own table: files and columns.",
    "source": "The adapter's own table.",
}


def mapping_schema() -> JsonObject:
    """The schema as a new object: what `parse_mapping` refuses for its form, this refuses too.

    Not in it: whether a zone, a template's names or a currency exist. TOML has no null, so there is none here.
    """
    made = loads_object(json.dumps(MappingModel.model_json_schema(by_alias=True)).encode())
    definitions = _object(made.get("$defs"))
    models = _models()
    for name, section in definitions.items():
        definitions[name] = _tidied(_described(_object(section), models.get(name)))
    _fields_by_name(
        _object(definitions["FieldsSection"]), {name: known_fields(entity) for name, entity in ENTITIES.items()}
    )
    _fields_by_name(_object(definitions["DerivedSection"]), {name: fields_of(name) for name in DERIVABLE})
    # The company's zone stands in where the mapping names none.
    connection = _object(definitions["ConnectionSection"])
    connection["required"] = ["source"]
    properties = _object(_tidied(made["properties"]))
    for name, description in _ADAPTERS_OWN.items():
        properties[name] = {"type": "object", "description": description}
    return {
        "$schema": DIALECT,
        "title": "Counterfoil mapping",
        "description": "How one connection's records become documents in the books.",
        "type": "object",
        "required": ["connection"],
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }


def _fields_by_name(section: JsonObject, fields: Mapping[str, Collection[str]]) -> None:
    """`[fields.DOCUMENT.FIELD]`, `[derived.DOCUMENT]`: editors shall offer the fields that there are."""
    for document, rule in _object(section["properties"]).items():
        one = _object(_object(rule)["additionalProperties"])
        known = sorted(fields[document])
        _object(section["properties"])[document] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: dict(one) for name in known},
        }


def _described(section: JsonObject, model: type[Section] | None) -> JsonObject:
    """Each key with the sentence that the docstring of its model, or of one it builds on, has about it."""
    properties = _object(section.get("properties"))
    for name, sentence in _sentences(model).items():
        if name in properties:
            properties[name] = {**_object(properties[name]), "description": sentence}
    return section


def _sentences(model: type[Section] | None) -> dict[str, str]:
    said: dict[str, str] = {}
    for base in reversed(model.__mro__ if model is not None else ()):
        parts = _KEYS.split(" ".join((base.__doc__ or "").split())) if issubclass(base, Section) else []
        for names, sentence in zip(parts[1::2], parts[2::2], strict=True):
            said.update(dict.fromkeys(re.findall(r"`([a-z_]+)`", names), sentence.strip()))
    return said


def _models(root: type[Section] = Section) -> dict[str, type[Section]]:
    """Every section by the name of its model."""
    found = {root.__name__: root}
    for model in root.__subclasses__():
        found.update(_models(model))
    return found


def _tidied(value: JsonValue) -> JsonValue:
    """Without nulls, and without the titles and defaults that only repeat."""
    if isinstance(value, list):
        return [_tidied(member) for member in value if member != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    kept = {name: _tidied(part) for name, part in value.items() if not (name == "title" and isinstance(part, str))}
    if kept.get("default") is None or isinstance(kept["default"], dict):
        kept.pop("default", None)
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    only = kept.get("anyOf")
    if isinstance(only, list) and len(only) == 1:
        del kept["anyOf"]
        kept = {**_object(only[0]), **kept}
    return kept


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
