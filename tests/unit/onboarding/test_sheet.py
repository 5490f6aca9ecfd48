"""The review as a file: what spreadsheets make of it is read back, and every row that is wrong is named by its line."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.onboarding.adoptions import Adopt, Known, Say, decide
from counterfoil.onboarding.facts import Facts
from counterfoil.onboarding.matching import Candidate, Proposal
from counterfoil.onboarding.sheet import COLUMNS, Row, Wrong, read_sheet, sheet_text


def proposal(key: str = "shop:customer:1", name: str = "Ann", **more: object) -> Proposal:
    ours = Facts(type="customer", key=key, name=name)
    theirs = [Facts(type="customer", key=number, name=f"Entry {number}") for number in ("7", "8")]
    found = (Candidate(theirs=theirs[0], score=97, why="same name"), Candidate(theirs=theirs[1], score=80, why="near"))
    return Proposal(ours=ours, candidates=found, decision="ask")


def head(*rows: str) -> bytes:
    return ("decision,record,books_id\n" + "".join(f"{row}\n" for row in rows)).encode()


def test_a_row_holds_what_one_decides_by() -> None:
    (row,) = list(csv.DictReader(io.StringIO(sheet_text([proposal()], {}))))
    assert row == {
        **dict.fromkeys(COLUMNS, ""),
        "decision": "ask",
        "proposed": "ask",
        "type": "customer",
        "record": "shop:customer:1",
        "name": "Ann",
        "books_id": "7",
        "books_name": "Entry 7",
        "score": "97",
        "why": "same name",
        "others": "8 (Entry 8, 80)",
    }


def test_a_decision_made_before_is_kept_with_what_it_names() -> None:
    kept = Row(line=4, decision="adopt", record_key="shop:customer:1", books_id="8", proposed="ask")
    text = sheet_text([proposal()], {"shop:customer:1": kept})
    rows, wrong = read_sheet(text.encode())
    assert (rows, wrong) == (
        [Row(line=2, decision="adopt", record_key="shop:customer:1", books_id="8", proposed="ask")],
        [],
    )
    assert rows[0].is_by_a_person
    assert "7 (Entry 7, 97)" in text


@pytest.mark.parametrize("name", ["=1+1", "+49 30", "-x", "@SUM(A1)", "\tx"])
def test_no_cell_is_a_formula(name: str) -> None:
    (row,) = list(csv.DictReader(io.StringIO(sheet_text([proposal(name=name)], {}))))
    assert row["name"] == f"'{name}"


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=20, unique_by=lambda one: one[0].strip()))
def test_any_names_come_back_as_the_same_decisions(given_names: list[tuple[str, str]]) -> None:
    proposals = [
        proposal(f"shop:customer:{place}", name.replace("\x00", "")) for place, (name, _) in enumerate(given_names)
    ]
    rows, wrong = read_sheet(sheet_text(proposals, {}).encode("utf-8-sig", errors="replace"))
    assert wrong == []
    assert [(row.record_key, row.decision, row.books_id) for row in rows] == [
        (one.ours.key, "ask", "7") for one in proposals
    ]
    assert not any(row.is_by_a_person for row in rows)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    rows, wrong = read_sheet(data)
    assert all(row.line > 0 for row in rows)
    assert all(one.says for one in wrong)


def test_what_spreadsheets_save_is_read() -> None:
    text = "decision;record;books_id;name\r\nADOPT ;shop:customer:1;7;Öz\r\n\r\n;;;\r\nskip;shop:customer:2;;\r\n"
    for data in (text.encode("utf-8-sig"), text.encode("cp1252")):
        rows, wrong = read_sheet(data)
        assert wrong == []
        assert [(row.line, row.decision, row.record_key) for row in rows] == [
            (2, "adopt", "shop:customer:1"),
            (5, "skip", "shop:customer:2"),
        ]


def test_a_file_of_other_columns_is_refused_as_a_whole() -> None:
    says = "the first line names no column decision, books_id; it must name decision, record and books_id."
    assert read_sheet(b"record,x\n1,2\n") == ([], [Wrong(line=1, says=says)])
    assert read_sheet(b"")[1][0].line == 1


HELD = "shop:customer:6"


def test_every_wrong_row_is_named_by_its_line() -> None:
    rows, unread = read_sheet(
        head(
            "adpot,shop:customer:1,7",
            "adopt,shop:customer:1,",
            ",shop:customer:1,7",
            "create,,",
            "adopt,shop:customer:2,7",
            "adopt,shop:customer:3,7",
            "adopt,shop:customer:4,99",
            "adopt,shop:custmer:1,8",
            "create,shop:customer:2,",
            "adopt,shop:customer:5,8",
            "skip,shop:customer:6,",
            "adopt,shop:customer:7,9",
            "adopt,shop:customer:8,10",
            "create,shop:customer:9,",
            "adopt,shop:customer:6,5",
        )
    )
    ours = {f"shop:customer:{n}": Facts(type="customer", key=f"shop:customer:{n}") for n in range(1, 11)}
    theirs = {("Customer", n): Facts(type="customer", key=n, active=n != "9") for n in ("5", "7", "8", "9", "10")}
    known = Known(
        ours=ours,
        theirs=theirs,
        linked={"shop:customer:6": ("Customer", "5")},
        owners={("Customer", "8"): "shop:customer:10", ("Customer", "5"): "shop:customer:6"},
        busy=frozenset({"shop:customer:8"}),
    )
    decided = decide(rows, known, unread)
    assert [(one.line, one.says) for one in decided.wrong] == [
        (2, 'its decision is "adpot"; write adopt, create, skip or ask.'),
        (3, "shop:customer:1 is to be adopted, but books_id names nothing in QuickBooks."),
        (4, "its decision is nothing; write adopt, create, skip or ask."),
        (5, "it names no record."),
        (7, "Customer 7 is adopted in line 6 already; it can stand for one record only."),
        (8, "QuickBooks has no Customer 99 that could stand for shop:customer:4."),
        (
            9,
            "the source has no record shop:custmer:1 that could stand for anything; did you mean shop:customer:1?",
        ),
        (10, "shop:customer:2 stands in line 6 already."),
        (11, "Customer 8 stands for shop:customer:10 already."),
        (12, f"Customer 5 stands for {HELD} already; take that back first: counterfoil onboard --undo {HELD}"),
        (13, "Customer 9 is inactive in QuickBooks; make it active there first."),
        (
            14,
            "shop:customer:8 may be on its way into the books; let `counterfoil sync` end it first.",
        ),
    ]
    assert decided.adopt == (Adopt(record_key="shop:customer:2", entity="Customer", document_id="7"),)
    assert decided.say == (Say(record_key="shop:customer:9", verdict="create"),)
    assert decided.known == 1


def test_what_was_said_before_is_not_said_again() -> None:
    rows, _ = read_sheet(head("create,shop:customer:1,", "skip,shop:customer:2,", "ask,shop:customer:3,"))
    ours = {f"shop:customer:{n}": Facts(type="customer", key=f"shop:customer:{n}") for n in range(1, 4)}
    decided = decide(rows, Known(ours=ours, theirs={}, reviewed={"shop:customer:1": "create"}))
    assert (decided.known, decided.left, decided.wrong) == (1, 1, ())
    assert decided.say == (
        Say(record_key="shop:customer:2", verdict="skip"),
        Say(record_key="shop:customer:3", verdict="ask"),
    )


def test_money_of_two_kinds_is_not_one_document() -> None:
    ours = {"s:o:1": Facts(type="invoice", key="s:o:1", currency="USD", amounts=frozenset({Decimal(1)}))}
    theirs = {("Invoice", "9"): Facts(type="invoice", key="9", currency="EUR")}
    rows, _ = read_sheet(head("adopt,s:o:1,9"))
    (one,) = decide(rows, Known(ours=ours, theirs=theirs)).wrong
    assert one == Wrong(line=2, says="Invoice 9 is in EUR, s:o:1 in USD.")
