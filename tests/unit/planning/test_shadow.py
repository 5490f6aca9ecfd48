"""Two mappings on the same records: what differs is shown, to the field and to the cent, and nothing else is."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.rollback.types import Chart
from counterfoil.planning.shadow import RecordChange, compare, leaves, posted, wanted
from counterfoil.planning.types import Link, Park, Plan, Skip
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Customer, InvoiceLine, Product, Record
from support.planning import COMPANY, DEAL, GADGET, WIDGET, View, line, link_of, mapping, only, request, sale

MAPPINGS = (
    "",
    '[invoice]\nnumber = "HS-{number}"\n',
    '[product]\nincome_account = "Services"\n',
    '[invoice]\nwhen = ["paid"]\n',
)
CHART = Chart(accounts={"84": ("Accounts Receivable (A/R)", "Accounts Receivable"), "79": ("Sales", "Income")})


def planned(record: Record, extra: str = "", view: View | None = None, key: str = DEAL) -> Plan:
    return wanted(request(record, key), mapping(extra), view or View())


def between(record: Record, before: str, after: str, key: str = DEAL) -> RecordChange | None:
    return compare(key, planned(record, before, key=key), planned(record, after, key=key))


SALES = st.lists(
    st.builds(
        lambda number, quantity, cents: line(str(number), quantity=Decimal(quantity), unit_price=Decimal(cents) / 100),
        st.integers(1, 9),
        st.integers(1, 99),
        st.integers(1, 10_000_000),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.line_id,
)


@given(SALES, st.booleans(), st.sampled_from(MAPPINGS))
def test_the_same_mapping_differs_in_nothing(lines: list[InvoiceLine], won: bool, extra: str) -> None:
    assert between(sale(*lines, won=won), extra, extra) is None


@given(SALES)
def test_what_differs_is_the_same_from_either_side(lines: list[InvoiceLine]) -> None:
    there, back = (
        between(sale(*lines), *extras) for extras in ((MAPPINGS[0], MAPPINGS[1]), (MAPPINGS[1], MAPPINGS[0]))
    )
    assert there is not None
    assert back is not None
    forth = [(one.path, one.before, one.after) for each in there.documents for one in each.fields]
    assert forth == [(one.path, one.after, one.before) for each in back.documents for one in each.fields]


@given(SALES)
def test_every_document_balances(lines: list[InvoiceLine]) -> None:
    sums = posted(only(planned(sale(*lines))), CHART, {})
    total = sum((each.quantity * (each.unit_price or Decimal(0)) for each in lines), Decimal(0))
    assert sum(sums.values()) == 0
    assert sums.get("Accounts Receivable (A/R)", Decimal(0)) == total.quantize(Decimal("0.01"))


def test_a_number_that_would_be_another() -> None:
    change = between(sale(line()), "", MAPPINGS[1])
    assert change is not None
    (document,) = change.documents
    assert (document.kind, document.entity, document.record_key) == ("changed", "Invoice", DEAL)
    assert [(one.path, one.before, one.after, one.personal) for one in document.fields] == [
        ("DocNumber", "1001", "HS-1001", False)
    ]
    assert document.amounts == (Decimal("10.00"), Decimal("10.00"))


def test_documents_more_and_fewer() -> None:
    fewer = between(sale(line(), status="open"), "", MAPPINGS[3])
    more = between(sale(line(), status="open"), MAPPINGS[3], "")
    assert fewer is not None
    assert more is not None
    assert (fewer.before, fewer.after, fewer.code) == ("planned", "skipped", "not_won")
    assert [one.kind for one in fewer.documents] == ["fewer"]
    assert [(one.kind, one.amounts) for one in more.documents] == [("more", (None, Decimal("10.00")))]


def test_one_line_more_moves_no_other() -> None:
    before, after = planned(sale(line("1"), line("2"))), planned(sale(line("9", product=GADGET), line("1"), line("2")))
    change = compare(DEAL, before, after)
    assert change is not None
    paths = [one.path for one in change.documents[0].fields]
    assert paths
    assert all(path.startswith("Line.9.") for path in paths)


def test_what_the_books_hold_already_hides_nothing() -> None:
    """A document that stands is compared whole, even where nothing of it would be sent, or its period is closed."""
    intent = only(planned(sale(line())))
    view = View(links={DEAL: link_of(intent)}, closed=date(2026, 12, 31), numbers={})
    assert only(planned(sale(line()), view=view)).body == intent.body


def test_what_belongs_to_others_counts() -> None:
    taken = View(numbers={"1001": "hubspot:deal:7"})
    assert isinstance(planned(sale(line()), view=taken), Park)


def test_a_removed_record_is_planned_as_things_are() -> None:
    link: Link = link_of(only(planned(sale(line()))))
    view = View(links={DEAL: link})
    plans = [wanted(request(None), mapping(extra), view) for extra in ("", '[invoice]\nremoved = "void"\n')]
    change = compare(DEAL, *plans)
    assert change is not None
    assert (change.before, change.after, [one.kind for one in change.documents]) == ("parked", "planned", ["more"])


def test_personal_fields_are_marked() -> None:
    before, after = (planned(Customer(name=name), key=COMPANY) for name in ("Ann", "Bea"))
    change = compare(COMPANY, before, after)
    assert change is not None
    assert {one.path: one.personal for one in change.documents[0].fields}["DisplayName"] is True


def test_an_item_s_account_moves_what_is_sold() -> None:
    intent = only(planned(sale(line(), line("2", product=GADGET, unit_price=Decimal("5.50")))))
    income = {WIDGET: "Account Sales", GADGET: "79"}
    assert posted(intent, CHART, income) == {"Accounts Receivable (A/R)": Decimal("15.50"), "Sales": Decimal("-15.50")}
    moved = posted(intent, CHART, {**income, WIDGET: "Account Services"})
    assert moved == {
        "Accounts Receivable (A/R)": Decimal("15.50"),
        "Services": Decimal("-10.00"),
        "Sales": Decimal("-5.50"),
    }


@pytest.mark.parametrize("plan", [Skip(code="x", reason="as it is"), Park(code="x", reason="one", fix="do")])
def test_another_sentence_of_the_same_code_is_no_difference(plan: Skip | Park) -> None:
    other = type(plan)(**{name: getattr(plan, name) for name in plan.__dataclass_fields__} | {"reason": "another"})
    assert compare(DEAL, plan, other) is None


def test_leaves_name_everything_once() -> None:
    lines: list[JsonValue] = [{"$line": "7", "C": 1}, {"C": 2}]
    body: JsonObject = {"A": {"$record": "a:b:c"}, "B": lines, "D": None, "E": "", "F": {"value": "3"}}
    assert dict(leaves(body, by_line=True)) == {"A": {"$record": "a:b:c"}, "B.7.C": 1, "B.2.C": 2, "F": {"value": "3"}}
    assert [path for path, _ in leaves(body)] == ["A", "B.1.C", "B.2.C", "F"]


def test_kinds_beside_sales() -> None:
    change = between(Product(name="Lamp"), "", MAPPINGS[2], key=WIDGET)
    assert change is not None
    (field,) = change.documents[0].fields
    assert (field.path, field.after) == ("IncomeAccountRef", {"$name": ["Account", "Services"]})
