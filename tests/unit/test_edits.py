"""Corrections of a record, place by place."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.recovery.edits import EditError, assigned, changed_places, fields_of, replaced, value_at
from counterfoil_schema import exact_json
from counterfoil_schema.records import Invoice, InvoiceLine

ORDER = Invoice(
    customer="shop:customer:1",
    status="ordered",
    won=True,
    currency="USD",
    lines=(
        InvoiceLine(line_id="1", product="shop:product:1", unit_price=Decimal("10.00"), quantity=Decimal(3)),
        InvoiceLine(line_id="2", product="shop:product:9", unit_price=Decimal("120.50")),
    ),
)


@pytest.mark.parametrize(
    ("assignment", "place", "after"),
    [
        ("lines.1.product=shop:product:2", "lines.1.product", "shop:product:2"),
        ("memo=paid by cheque = yes", "memo", "paid by cheque = yes"),
        ("customer=null", "customer", None),
        ("won=false", "won", False),
        ("dated=2026-03-02", "dated", "2026-03-02"),
        ("lines.0.unit_price=1234567890123456.78", "lines.0.unit_price", "1234567890123456.78"),
        ('memo="12"', "memo", "12"),
    ],
)
def test_one_place_is_corrected_and_no_other(assignment: str, place: str, after: object) -> None:
    edited = assigned(ORDER, [assignment])
    assert changed_places(ORDER, edited) == (place,)
    assert value_at(edited, place) == after
    assert value_at(assigned(edited, [f"{place}={exact_json.dumps(value_at(ORDER, place)).decode()}"]), place) == (
        value_at(ORDER, place)
    )


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("lines.0.prodct=x", "Did you mean lines.0.product?"),
        ("lines.7.product=x", "lines has 2 entries"),
        ("lines.x.product=x", "counted from 0"),
        ("lines.0.unit_price=ten", "lines.0.unit_price"),
        ("lines=[1,", "looks like JSON and is none"),
        ("kind=payment", "of the kind invoice stays so"),
        ("memo.x=1", "nothing inside memo"),
        ("currency=dollars", "currency"),
        ("colour=red", "There is no colour in such a record"),
        ("memo", "is no correction"),
        ("=x", "is no correction"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(assignment: str, says: str) -> None:
    with pytest.raises(EditError) as refused:
        assigned(ORDER, [assignment])
    assert says in f"{refused.value} {refused.value.remedy}"


def test_a_list_of_another_length_is_one_place() -> None:
    fields = fields_of(ORDER)
    lines = fields["lines"]
    assert isinstance(lines, list)
    shorter = replaced(ORDER, exact_json.dumps({**fields, "lines": lines[:1]}).decode())
    assert changed_places(ORDER, shorter) == ("lines",)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kind": "invoice"}', '{"kind": "payment"}'])
def test_a_file_that_is_no_such_record_is_refused(text: str) -> None:
    with pytest.raises(EditError):
        replaced(ORDER, text)


@given(
    price=st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15),
    memo=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40),
)
def test_a_record_goes_through_json_and_back_as_it_was(price: Decimal, memo: str) -> None:
    line = ORDER.lines[0].model_copy(update={"unit_price": price})
    record = ORDER.model_copy(update={"lines": (line,), "memo": memo})
    assert replaced(record, exact_json.dumps(fields_of(record)).decode()) == record
