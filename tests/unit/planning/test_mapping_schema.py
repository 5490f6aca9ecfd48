"""The JSON Schema of mappings: what the reader takes, it takes; what the reader refuses for its form, it refuses."""

import importlib.resources
import tomllib
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from counterfoil.cli.tasks.mapping_schema import schema_text
from counterfoil.planning.mapping import Mapping, MappingError, parse_mapping
from counterfoil.planning.mapping_schema import mapping_schema
from counterfoil_schema import exact_json
from support.planning import MINIMAL

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = importlib.resources.files("counterfoil.planning") / "examples"


@pytest.fixture(scope="module")
def validator() -> OAS31Validator:
    schema: Any = exact_json.loads(schema_text().encode())
    OAS31Validator.check_schema(schema)
    return OAS31Validator(schema)


def said(validator: OAS31Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


def mappings() -> list[tuple[str, str]]:
    """Every mapping that lies in the repository."""
    shipped = [(file.name, file.read_text()) for file in EXAMPLES.iterdir() if file.name.endswith(".toml")]
    others = [path for folder in ("tests", "engine", "adapters") for path in (ROOT / folder).rglob("*.toml")]
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in others]
    return shipped + [(name, text) for name, text in texts if text.lstrip().startswith(("[connection]", "#"))]


def test_the_file_is_what_the_models_say() -> None:
    shipped = (ROOT / "schema/mapping.schema.json").read_text(encoding="utf-8")
    assert schema_text() == shipped, "run `counterfoil mapping schema > schema/mapping.schema.json`"


def test_every_mapping_in_the_repository_fits(validator: OAS31Validator) -> None:
    read = [(name, text) for name, text in mappings() if "connection" in tomllib.loads(text)]
    assert len(read) >= 5
    assert [(name, said(validator, text)) for name, text in read if said(validator, text)] == []


@pytest.mark.parametrize(
    "extra",
    [
        '[invoice]\nwhen = "invoiced"\n',
        '[invoice]\nwhen = ["closedwon", "invoiced"]\ntolerance = 0.05\n',
        '[post.invoice]\nreview_above = "10000.10"\n',
        '[exchange]\nrate = "books"\nrates = { EUR = "1.1" }\n',
        '[fields.invoice.DueDate]\nowner = "books"\ndirection = "both"\n',
        '[csv.order]\nfile = "orders.csv"\ncolumns = { id = "order_id" }\n[source]\nanything = 1\n',
        '[time.projects."Site B"]\ncustomer = "58"\nbillable = true\n',
    ],
)
def test_what_the_reader_takes_fits(validator: OAS31Validator, extra: str) -> None:
    parse_mapping(MINIMAL + extra, file="m.toml")
    assert said(validator, MINIMAL + extra) == []


@pytest.mark.parametrize(
    "extra",
    [
        "[invoce]\n",
        '[invoice]\nnumbr = "x"\n',
        '[invoice]\nno_lines = "prak"\n',
        '[fields.invoice.DueDat]\nowner = "books"\n',
        '[payroll.departments."Customer Success"]\nwagges = "x"\n',
        "[payroll]\nminimum_people = 0\n",
        '[payroll]\nshown_alone = ["wagges"]\n',
        '[post.invoices]\npost = "auto"\n',
        '[write_back]\nballance = "x"\n',
        "[connection.more]\n",
        '[exchange]\nrates = { euro = "1.1" }\n',
    ],
)
def test_what_the_reader_refuses_for_its_form_does_not_fit(validator: OAS31Validator, extra: str) -> None:
    with pytest.raises(MappingError):
        parse_mapping(MINIMAL + extra, file="m.toml")
    assert said(validator, MINIMAL + extra)


def test_every_key_of_the_models_is_offered_and_null_is_not() -> None:
    schema: Any = mapping_schema()
    names = {field.alias or name for name, field in Mapping.model_fields.items()}
    assert set(schema["properties"]) == names
    assert "null" not in schema_text()
    number = schema["$defs"]["InvoiceSection"]["properties"]["number"]
    assert number["description"] == "a template; a missing source number is replaced by the record's id."
    assert schema["$defs"]["FieldsSection"]["properties"]["invoice"]["properties"]["DueDate"] == {
        "$ref": "#/$defs/FieldRule"
    }
