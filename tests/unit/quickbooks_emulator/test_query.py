"""The query language: what it accepts, what it refuses, and with which words."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.query import Condition, Ordering, Query, parse, write
from counterfoil.quickbooks.emulator.select import answer
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonValue
from support.quickbooks_company import Company, allowed_to_refuse, line

NAMES = st.sampled_from(["Id", "DocNumber", "MetaData.LastUpdatedTime", "Balance", "DisplayName"])
VALUES = st.one_of(
    st.text(max_size=30),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
)
CONDITIONS = st.one_of(
    st.builds(
        Condition,
        NAMES,
        st.sampled_from(["=", "<", ">", "<=", ">=", "LIKE"]),
        VALUES.map(lambda value: (value,)),
    ),
    st.builds(Condition, NAMES, st.just("IN"), st.lists(VALUES, min_size=1, max_size=4).map(tuple)),
)
QUERIES = st.builds(
    Query,
    entity=st.sampled_from(["Invoice", "Customer", "JournalEntry"]),
    columns=st.sampled_from([("*",), ("Id",), ("*", "Sku"), ("Id", "MetaData.CreateTime")]),
    count=st.just(value=False),
    conditions=st.lists(CONDITIONS, max_size=4).map(tuple),
    ordering=st.lists(st.builds(Ordering, NAMES, st.booleans()), max_size=3).map(tuple),
    start_position=st.integers(1, 10**6),
    max_results=st.integers(0, 1000),
)


@given(QUERIES)
def test_what_is_written_is_read_back(query: Query) -> None:
    assert query == parse(write(query))


@given(st.one_of(st.text(max_size=200), st.text(alphabet="selctfromwh *='\\(),<>%ANDIN01.\n", max_size=80)))
def test_garbage_is_refused_and_nothing_else(text: str) -> None:
    with allowed_to_refuse("4000"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("select * from Invoice", Query("Invoice")),
        ("SELECT COUNT(*) FROM Customer", Query("Customer", count=True)),
        ("Select *, Sku From Item", Query("Item", columns=("*", "Sku"))),
        (
            r"select * from Customer where DisplayName = 'O\'Brien \\ Co' and Active IN (true,false)",
            Query(
                "Customer",
                conditions=(
                    Condition("DisplayName", "=", (r"O'Brien \ Co",)),
                    Condition("Active", "IN", (True, False)),
                ),
            ),
        ),
        (
            "select * from Invoice where Balance > 0.5 order by TxnDate desc, Id startposition 11 maxresults 10",
            Query(
                "Invoice",
                conditions=(Condition("Balance", ">", (Decimal("0.5"),)),),
                ordering=(Ordering("TxnDate", descending=True), Ordering("Id")),
                start_position=11,
                max_results=10,
            ),
        ),
        ("select * from Invoice MAXRESULTS 5000", Query("Invoice", max_results=1000)),
        ("select * from Invoice  STARTPOSITION 0 MAXRESULTS 100", Query("Invoice")),
        ("select * from Invoice ORDERBY Id", Query("Invoice", ordering=(Ordering("Id"),))),
        ("select Line.*, Id from Invoice", Query("Invoice", columns=("Line.*", "Id"))),
        (
            "select * from Invoice maxresults 10startposition 11 ",
            Query("Invoice", start_position=11, max_results=10),
        ),
    ],
)
def test_the_grammar(text: str, query: Query) -> None:
    assert query == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select",
        "select * from",
        "select * from Invoice where",
        "select * from Invoice where Id = '1' or Id = '2'",
        "select * from Invoice where not Id = '1'",
        "select * from Invoice where DocNumber = 'it''s'",
        "select * from Invoice where Id IN ()",
        "select * from Invoice startposition -1",
        "select * from Invoice maxresults -1",
        "select * from Invoice group by Id",
        "select * from Invoice where Id = '1",
        "delete from Invoice",
    ],
)
def test_what_the_language_lacks_is_4000(text: str) -> None:
    with pytest.raises(QuickBooksFaultError) as refused:
        parse(text)
    assert refused.value.code == "4000"


def test_the_parser_says_where() -> None:
    with pytest.raises(QuickBooksFaultError) as refused:
        parse("select * from Invoice where DocNumber = 'a' R 'b'")
    assert refused.value.detail.startswith(
        'QueryParserError: Encountered " <IDENTIFIER> "R "" at line 1, column 45.\nWas expecting one of:'
    )
    with pytest.raises(QuickBooksFaultError) as lexical:
        parse("select * from Invoice\nwhere Id # 1")
    assert "Lexical error at line 2, column 10." in lexical.value.detail


@pytest.fixture
def company() -> Company:
    made = Company()
    hours = made.item()
    for number, name in enumerate(("Ann Lee", "Bo O'Brien", "Élan SA"), start=1):
        customer = made.customer(name)
        made.invoice(
            customer, [line(hours, f"{number * 10}.00")], TxnDate=f"2026-11-0{number}", DocNumber=f"N-{number}"
        )
    return made


def ids(company: Company, text: str) -> list[str]:
    query = parse(text)
    return [as_text(as_object(row)["Id"]) for row in as_list(answer(query, company.books).get(query.entity))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from Invoice where DocNumber = 'n-2'", ["2"]),
        ("select * from Invoice where DocNumber IN ('N-1', 'N-3', 'N-9')", ["1", "3"]),
        ("select * from Invoice where Balance > '10'", ["2", "3"]),
        ("select * from Invoice where TxnDate >= '2026-11-02' and TxnDate < '2026-11-03'", ["2"]),
        ("select * from Invoice where CustomerRef = '3'", ["3"]),
        ("select * from Invoice where Id = '2' and Balance = '20.00'", ["2"]),
        ("select * from Invoice where Id = '2' and Balance = '21'", []),
        ("select * from Invoice orderby Balance desc", ["3", "2", "1"]),
        ("select * from Invoice startposition 2 maxresults 1", ["2"]),
        ("select * from Customer where DisplayName LIKE '%o\\'b%'", ["2"]),
        ("select * from Customer where DisplayName = 'élan sa'", ["3"]),
        ("select * from Customer where DisplayName LIKE 'nobody%'", []),
    ],
)
def test_filters(company: Company, text: str, expected: list[str]) -> None:
    assert expected == ids(company, text)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("AttachableRef.EntityRef.Type = 'Invoice' and AttachableRef.EntityRef.value = '1'", ["Both", "First"]),
        ("AttachableRef.EntityRef.type = 'invoice' and AttachableRef.EntityRef.Value = 2", ["Second"]),
        ("AttachableRef.EntityRef.value IN ('2', '3')", ["Both", "Second"]),
        ("AttachableRef.EntityRef.Type = 'Customer' and AttachableRef.EntityRef.value = '1'", []),
        ("AttachableRef.EntityRef.Type = 'Bill'", []),
    ],
)
def test_files_are_found_by_what_they_hang_on(company: Company, conditions: str, expected: list[str]) -> None:
    def hung_on(*records: tuple[str, str]) -> list[JsonValue]:
        return [{"EntityRef": {"type": kind, "value": identifier}} for kind, identifier in records]

    company.write("Attachable", {"Note": "First", "AttachableRef": hung_on(("Invoice", "1"))})
    company.write("Attachable", {"Note": "Second", "AttachableRef": hung_on(("Invoice", "2"))})
    company.write("Attachable", {"Note": "Both", "AttachableRef": hung_on(("Invoice", "1"), ("Customer", "3"))})
    company.write("Attachable", {"Note": "Loose"})
    found = as_list(answer(parse(f"select * from Attachable where {conditions}"), company.books).get("Attachable"))
    assert expected == sorted(as_text(as_object(row)["Note"]) for row in found)


def test_inactive_ones_come_only_when_asked_for(company: Company) -> None:
    customer = company.customer("Gone Ltd")
    company.write("Customer", {**company.handle("Customer", customer), "sparse": True, "Active": False}, "update")
    assert ids(company, "select * from Customer where DisplayName = 'Gone Ltd'") == []
    assert [customer] == ids(
        company, "select * from Customer where DisplayName = 'Gone Ltd' and Active IN (true,false)"
    )
    assert [customer] == ids(company, "select * from Customer where Active = false")


@pytest.mark.parametrize("entity", ["ReimburseCharge", "TaxClassification", "TaxPayment"])
def test_of_some_kinds_there_is_none(company: Company, entity: str) -> None:
    assert answer(parse(f"select * from {entity}"), company.books) == {}
    assert answer(parse(f"select count(*) from {entity}"), company.books) == {"totalCount": 0}
    assert company.refused(entity, {"Id": "1"}).code == "500"


def test_count_and_nothing_found(company: Company) -> None:
    assert answer(parse("select count(*) from Invoice"), company.books) == {"totalCount": 3}
    assert answer(parse("select * from Invoice where Id = '99'"), company.books) == {}


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("select * from Invoice where PrivateNote = 'x'", "property 'PrivateNote' is not queryable"),
        ("select * from Invoice where Line.Id = '1'", "property 'Line.Id' is not queryable"),
        ("select * from Invoice where Colour = 'red'", "Property Colour not found for Entity Invoice"),
        ("select * from Nothing", "Invalid context declaration: Nothing"),
        ("select * from Invoice where Id > '1'", "operator not supported for property 'Id': only = and IN"),
        ("select * from Invoice where Balance = 'much'", "value 'much' is not valid for property 'Balance'"),
        ("select * from Invoice orderby PrivateNote", "property 'PrivateNote' is not queryable"),
        (
            "select * from Attachable where AttachableRef.EntityRef.value LIKE '1%'",
            "operator not supported for property 'AttachableRef.EntityRef.value': only = and IN",
        ),
    ],
)
def test_what_cannot_be_queried_is_4001(company: Company, text: str, detail: str) -> None:
    with pytest.raises(QuickBooksFaultError) as refused:
        answer(parse(text), company.books)
    assert ("4001", f"QueryValidationError: {detail}") == (refused.value.code, refused.value.detail)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("select * from Customer where PrimaryEmailAddr = 'ann@example.com'", ["Ann"]),
        ("select * from Customer where PrimaryEmailAddr LIKE '%@EXAMPLE.com'", ["Ann", "Bo"]),
        ("select * from Customer where PrimaryEmailAddr IN ('bo@example.com', 'cy@example.com')", ["Bo"]),
    ],
)
def test_customers_are_found_by_their_address(text: str, found: list[str]) -> None:
    made = Company()
    for name in ("Ann", "Bo"):
        made.customer(name, PrimaryEmailAddr={"Address": f"{name}@example.com"})
    made.customer("Cy")
    rows = as_list(answer(parse(text), made.books).get("Customer"))
    assert found == [as_object(row)["DisplayName"] for row in rows]


@given(QUERIES)
def test_any_query_is_answered_or_refused(query: Query) -> None:
    with allowed_to_refuse("4001"):
        found = answer(query, _COMPANY.books)
        assert len(as_list(found.get(query.entity))) <= query.max_results


_COMPANY = Company()
_COMPANY.invoice(_COMPANY.customer(), [line(_COMPANY.item(), "1.00")])
