"""A mapping is short to write, and what is wrong with it is said with line, key and the nearest known name."""

import hashlib
import importlib.resources
from decimal import Decimal

import pytest

from counterfoil.planning.mapping import MappingError, mapping_digest, parse_mapping
from counterfoil.planning.mapping_errors import unknown_name
from support.planning import MINIMAL, mapping


def problem(text: str) -> str:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, file="hubspot.toml")
    (only,) = caught.value.problems
    return only


def test_a_name_that_nobody_can_know_is_followed_by_no_empty_list() -> None:
    assert unknown_name("Nothing is parked for that", "x", []) == "Nothing is parked for that."
    assert unknown_name("Nothing is parked for that", "x", ["a", "b"]) == "Nothing is parked for that; known are a, b."


def test_three_lines_are_a_mapping_that_does_no_harm() -> None:
    parsed = parse_mapping(MINIMAL, file="hubspot.toml")
    assert parsed.customer.same_name == "park"
    assert parsed.invoice.when == "won"
    assert parsed.invoice.total_mismatch == "park"
    assert parsed.employee.create is False
    assert parsed.payroll.minimum_people == 2
    assert parsed.post.invoice.post == "auto"
    assert parsed.post.pay_run.post == "review"


@pytest.mark.parametrize("name", ["hubspot", "gusto", "csv"])
def test_the_examples_are_valid(name: str) -> None:
    file = importlib.resources.files("counterfoil.planning") / "examples" / f"{name}.toml"
    assert parse_mapping(file.read_text(), file=file.name).connection.source == name


def test_the_company_s_zone_stands_in_where_the_mapping_names_none() -> None:
    parsed = parse_mapping('[connection]\nsource = "csv"\n', file="m.toml", default_zone="Europe/Vienna")
    assert parsed.connection.zone == "Europe/Vienna"


def test_its_own_zone_wins_over_the_company_s() -> None:
    assert parse_mapping(MINIMAL, file="m.toml", default_zone="UTC").connection.zone == "America/New_York"


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("[invoce]\n", 'line 4, column 1: there is no section [invoce]; did you mean "invoice"?'),
        ('[invoice]\nnumbr = "x"\n', 'line 5, column 1: [invoice] has no key "numbr"; did you mean "number"?'),
        (
            '[invoice]\nno_lines = "prak"\n',
            'line 5, column 12: [invoice] no_lines cannot be "prak"; did you mean "park"?',
        ),
        (
            '[invoice]\nnumber = "HS-{idd}"\n',
            "line 5, column 10: [invoice] number = 'HS-{idd}': the template has no {idd}; did you mean {id}?",
        ),
        (
            '[invoice]\nnumber = "HS-{id"\n',
            "line 5, column 10: [invoice] number = 'HS-{id': the template has a brace without its partner",
        ),
        (
            '[fields.invoice.DueDat]\nowner = "books"\n',
            'line 4, column 1: [fields.invoice] names no field of ours: DueDat; did you mean "DueDate"?',
        ),
        (
            '[payroll.departments."Customer Success"]\nwagges = "x"\n',
            'line 5, column 1: [payroll.departments.Customer Success] has no key "wagges"; did you mean "wages"?',
        ),
        ('[post.invoices]\npost = "auto"\n', 'line 4, column 1: [post] has no key "invoices"; did you mean "invoice"?'),
        (
            '[write_back]\nballance = "x"\n',
            'line 5, column 1: [write_back] has no key "ballance"; did you mean "balance"?',
        ),
    ],
)
def test_mistakes_name_line_key_and_nearest_name(extra: str, expected: str) -> None:
    assert expected == problem(MINIMAL + extra)


def test_one_of_several_values_is_told_by_its_own_place() -> None:
    extra = '[payroll]\nshown_alone = [\n  "wages",  # seen anyway\n    "wagges",\n]\ntrack = "none"\n'
    assert problem(MINIMAL + extra).startswith("line 7, column 5: ")


def test_a_zone_that_is_none_is_told_with_the_nearest_one() -> None:
    text = '# a remark\n[connection]\nsource = "x"\nzone = "America/New_Yrok"\n'
    assert problem(text) == (
        'line 4, column 8: [connection] zone "America/New_Yrok" is no IANA time zone; did you mean "America/New_York"?'
    )


def test_a_missing_zone_and_a_missing_section_are_told() -> None:
    assert problem('[connection]\nsource = "x"\n') == 'line 1, column 1: [connection] lacks "zone"'
    assert problem("") == "[connection] is missing"


def test_what_is_not_toml_is_told_with_its_place() -> None:
    assert problem("[connection]\nsource = x\n") == "line 2, column 10: this is not TOML: Invalid value"


def test_all_mistakes_are_told_at_once_and_in_the_order_of_the_file() -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(MINIMAL + '[invoice]\nzzz = 1\n[customer]\ncolour = "x"\n', file="hubspot.toml")
    assert [said.partition(":")[0] for said in caught.value.problems] == ["line 5, column 1", "line 7, column 1"]
    assert str(caught.value).startswith("hubspot.toml, line 5, column 1: ")


def test_lines_inside_a_long_text_are_no_keys() -> None:
    text = MINIMAL + '[invoice]\nmemo = """\nnumbr = 1\n[customer]\n"""\nnumbr = 2\n'
    assert problem(text).startswith("line 9, column 1: [invoice] has no key")


def test_the_csv_table_is_passed_through_untouched() -> None:
    parsed = mapping('[csv.order]\nfile = "orders.csv"\ncolumns = { id = "order_id" }\n')
    assert parsed.csv == {"order": {"file": "orders.csv", "columns": {"id": "order_id"}}}


def test_amounts_are_exact_whether_written_as_text_or_number() -> None:
    as_text = mapping('[post.invoice]\nreview_above = "10000.10"\n')
    as_number = mapping("[post.invoice]\nreview_above = 10000.10\n")
    assert Decimal("10000.10") == as_text.post.invoice.review_above == as_number.post.invoice.review_above


def test_review_by_type_and_by_amount() -> None:
    parsed = mapping('[post.invoice]\nreview_above = "100.00"\n[post.payment]\npost = "review"\n')
    assert not parsed.reviews("invoice", Decimal("100.00"))
    assert parsed.reviews("invoice", Decimal("100.01"))
    assert parsed.reviews("invoice", Decimal("-100.01"))
    assert parsed.reviews("payment", None)
    assert not parsed.reviews("customer", None)


def test_owners_come_from_the_mapping_and_else_from_the_defaults() -> None:
    parsed = mapping('[fields.invoice.DueDate]\nowner = "ask"\ndirection = "both"\n')
    ownership = parsed.ownership_of_entity("Invoice")
    assert ownership.owner("DueDate") == "ask"
    assert ownership.owner("TxnDate") == "source"
    assert ownership.owner("PrivateNote") == "books"
    assert parsed.ownership_of_entity("JournalEntry").entity == "JournalEntry"


def test_the_digest_is_that_of_the_text() -> None:
    assert mapping_digest("zone = 'ä'") == hashlib.sha256("zone = 'ä'".encode()).hexdigest()
