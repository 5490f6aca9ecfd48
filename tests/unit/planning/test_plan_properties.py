"""Properties that hold for every plan: exact sums, prices that QuickBooks accepts, no float, idempotence, purity."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.plan import content_hash, plan
from counterfoil.planning.types import Intent, Park, Unchanged
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonValue
from counterfoil_schema.records import Customer, Invoice, InvoiceLine, Product, Record
from support.planning import COMPANY, DEAL, GADGET, WIDGET, View, lines_of, link_of, mapping, request, sale

PARSED = mapping('[invoice]\nfreight_item = "Freight"\ncatch_all = "Sales"\n[employee]\ncreate = true\n')
PRICES = st.integers(0, 99_999_999).map(lambda n: Decimal(n) / 10000)
QUANTITIES = st.integers(0, 999_999).map(lambda n: Decimal(n) / 1000)
DISCOUNTS = st.sampled_from(["0", "0.05", "0.1", "0.15", "0.2", "0.25", "0.333", "1"]).map(Decimal)
LINES = st.builds(
    InvoiceLine,
    line_id=st.text("abc123", min_size=1, max_size=4),
    product=st.sampled_from([WIDGET, GADGET, None]),
    description=st.none() | st.text(max_size=20),
    quantity=QUANTITIES,
    unit_price=PRICES,
    discount=DISCOUNTS,
    role=st.sampled_from(["goods", "freight"]),
)
SALES = st.builds(
    Invoice,
    customer=st.just(COMPANY),
    number=st.none() | st.text("0123456789-", min_size=1, max_size=21),
    status=st.just("closedwon"),
    won=st.just(True),
    dated=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    currency=st.just("USD"),
    lines=st.lists(LINES, min_size=1, max_size=8).map(tuple),
    memo=st.none() | st.text(max_size=30),
)
CUSTOMERS = st.builds(
    Customer,
    name=st.text(min_size=1, max_size=40),
    email=st.none() | st.emails(),
    phone=st.none() | st.text("0123456789 +", max_size=40),
)
PRODUCTS = st.builds(Product, name=st.text(min_size=1, max_size=120), unit_price=st.none() | PRICES)


def cents(line: InvoiceLine) -> int:
    """Quantity x price less discount in whole cents, half up, by fractions of integers."""
    exact = Fraction(line.quantity) * Fraction(line.unit_price) * (1 - Fraction(line.discount)) * 100
    return int(exact + Fraction(1, 2))


@given(SALES | CUSTOMERS | PRODUCTS)
def test_us_books_that_take_latin1_alone_are_sent_nothing_else(record: Record) -> None:
    planned = plan(request(record, DEAL), mapping('text = "latin1"\n[invoice]\ncatch_all = "Sales"\n'), View())
    for intent in planned if isinstance(planned, tuple) else ():
        exact_json.dumps(intent.body).decode().encode("latin-1")


def assert_exact(value: JsonValue) -> None:
    assert not isinstance(value, float)
    if isinstance(value, dict):
        for part in value.values():
            assert_exact(part)
    elif isinstance(value, list):
        for part in value:
            assert_exact(part)


@given(SALES)
def test_every_line_is_right_to_the_cent_and_accepted_by_quickbooks_check(record: Invoice) -> None:
    planned = plan(request(record), PARSED, View())
    if isinstance(planned, Park):
        assert planned.code in {"line_inexpressible", "no_lines"}
        return
    assert isinstance(planned, tuple)
    (intent,) = planned
    sold = lines_of(intent.body)
    total = 0
    for entry in sold:
        detail = entry["SalesItemLineDetail"]
        assert isinstance(detail, dict)
        quantity, price, amount = detail["Qty"], detail["UnitPrice"], entry["Amount"]
        assert isinstance(quantity, Decimal)
        assert isinstance(price, Decimal)
        assert isinstance(amount, Decimal)
        assert amount == (quantity * price).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        exponent = price.as_tuple().exponent
        assert isinstance(exponent, int)
        assert -7 <= exponent <= 0
        total += int(amount * 100)
    assert total == sum(cents(line) for line in record.lines)
    assert intent.amount == Decimal(total) / 100
    assert_exact(intent.body)


@given(SALES | CUSTOMERS | PRODUCTS)
def test_a_second_look_at_the_same_record_is_unchanged(record: Record) -> None:
    key = {"customer": COMPANY, "product": WIDGET}.get(record.kind, DEAL)
    first = plan(request(record, key), PARSED, View())
    if not isinstance(first, tuple):
        return
    intent = first[0]
    view = View(links={key: link_of(intent, key)})
    if intent.doc_number:
        view.numbers[intent.doc_number] = key
    if intent.name:
        view.names[intent.entity, intent.name.casefold()] = key
    again = plan(request(record, key), PARSED, view)
    assert isinstance(again, Unchanged)
    assert again.proof == content_hash(intent.body)


@given(SALES)
def test_equal_inputs_give_an_equal_plan_and_the_same_bytes(record: Invoice) -> None:
    first, second = plan(request(record), PARSED, View()), plan(request(record), PARSED, View())
    assert first == second
    if isinstance(first, tuple) and isinstance(second, tuple):
        assert exact_json.dumps(first[0].body) == exact_json.dumps(second[0].body)


@given(SALES)
def test_the_hash_survives_the_way_through_the_log(record: Invoice) -> None:
    planned = plan(request(record), PARSED, View())
    if isinstance(planned, tuple):
        intent: Intent = planned[0]
        read = exact_json.loads_object(exact_json.dumps(intent.body))
        assert content_hash(read) == content_hash(intent.body)


def test_every_transaction_ends_in_the_marker_s_place() -> None:
    planned = plan(request(sale(memo="x" * 9000)), mapping('[invoice]\nmemo = "{memo}"\n'), View())
    assert isinstance(planned, tuple)
    note = planned[0].body["PrivateNote"]
    assert isinstance(note, str)
    assert note.endswith(" {marker}")
    assert len(note) <= 4000
