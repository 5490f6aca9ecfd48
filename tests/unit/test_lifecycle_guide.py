"""The guide to lifecycle rules names rules that exist, with the defaults that hold, and tests that are there."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.sections import FieldRule

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "schema" / "LIFECYCLE.md"
CODE = re.compile(r"`([^`]+)`")
RULES_MIN = 20


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    rule: str
    default: str
    otherwise: str
    test: str


def rows() -> Iterator[Row]:
    for text in GUIDE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        if text.startswith("| ") and cells[0] != "What happens":
            yield Row(*cells[2:])


ROWS = list(rows())


def field_of(rule: str) -> Any:
    """The field of the mapping's models that a rule names: `[invoice] removed`, `[fields.DOCUMENT.FIELD] owner`."""
    section, _, key = rule.strip("`").removeprefix("[").partition("] ")
    if section.startswith("fields."):
        return FieldRule.model_fields[key]
    model = Mapping.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return model.model_fields[key]


RULED = [row for row in ROWS if row.rule != "none"]


@pytest.mark.parametrize("row", RULED, ids=[f"{place} {row.rule}" for place, row in enumerate(RULED)])
def test_each_rule_is_one_of_the_mapping_with_its_default_and_its_choices(row: Row) -> None:
    field = field_of(row.rule)
    choices = get_args(field.annotation)
    named = CODE.match(row.default)
    if named is not None and named[1] != "books":  # what a note is owned by is no default of the model
        assert named[1] == field.default
    for text in row.otherwise.split(", "):
        told = CODE.match(text.strip())
        if told is not None:
            assert told[1] in choices


@pytest.mark.parametrize("row", ROWS, ids=[f"{place} {row.test}" for place, row in enumerate(ROWS)])
def test_each_test_that_it_names_is_there(row: Row) -> None:
    (name,) = CODE.findall(row.test)
    files = (ROOT / "tests").rglob("test_*.py")
    assert any(re.search(rf"def {name}\b", path.read_text(encoding="utf-8")) for path in files)


def test_every_rule_about_ends_and_edits_stands_in_the_guide() -> None:
    told = {rule.strip("`").partition("] ")[2] for rule in (row.rule for row in RULED)}
    lifecycle = {"removed", "merged", "inactive", "edited", "same_name", "rehired", "reopened", "reopened_paid"}
    assert told == lifecycle | {"restored", "gone", "owner"}
    assert len(RULED) >= RULES_MIN


def properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every property of a JSON Schema, however deep."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for part in schema.values():
            yield from properties(part)


def test_the_schema_explains_the_rules() -> None:
    schema = json.loads((ROOT / "schema" / "mapping.schema.json").read_text(encoding="utf-8"))
    explained = {name for name, rule in properties(schema) if isinstance(rule, dict) and rule.get("description")}
    assert explained >= {"merged", "inactive", "rehired", "reopened", "reopened_paid", "restored", "gone"}
    assert "`last_writer`" in json.dumps(schema)
