"""Every known fault is classed as Intuit's table says, in whatever shape it comes; nothing crashes the reader."""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.quickbooks.online.answers import Faulty, Good, Unreadable, parse_answer
from counterfoil.quickbooks.online.fault_table import FAULT_ROWS, HTTP_ROWS
from counterfoil.quickbooks.online.faults import Fault, FaultKind, fault_from
from support.fact_sheets import fact_sheet

# Read off Intuit's page of error codes, row by row, not off the table under test.
EXPECTED: dict[FaultKind, str] = {
    FaultKind.RECONNECT: "100 110 120 3100 3200",
    FaultKind.PAUSE_REALM: "130 140 150 6190 10200",
    FaultKind.THROTTLED: "3001",
    FaultKind.LOOK_UP: "600",
    FaultKind.REGROUP: "1040",
    FaultKind.REFETCH: "5010",
    FaultKind.ADOPT: "6140 6240",
    FaultKind.RETRY: "4002 10000",
    FaultKind.PARK: (
        "500 2130 610 620 800 2010 2020 2030 2040 2050 2060 2070 2080 2090 2100 2110 2120 2140 2150 2160 2170"
        " 2180 2190 2200 2210 2220 2230 2240 2250 2260 2290 2300 2500 4000 4001 5020 5030 6000 6030 6040 6050 6070 6100"
        " 6180 6200 6210 6220 6290 6300 6310 6320 6330 6340 6350 6360 6370 6380 6390 6430 6450 6540 10100"
    ),
}


def service_body(code: str, *, message: str = "m", detail: str = "d", element: str = "") -> bytes:
    error = {"Message": message, "Detail": detail, "code": code, "element": element}
    return json.dumps({"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "t"}).encode()


def parsed(body: bytes, status: int = 400, content_type: str = "application/json;charset=UTF-8") -> Fault:
    answer = parse_answer(body, content_type, status)
    assert isinstance(answer, Faulty)
    return answer.fault


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in EXPECTED.items() for code in codes.split()])
def test_every_row_of_the_table(kind: FaultKind, code: str) -> None:
    fault = parsed(service_body(code, element="DocNumber"))
    assert (kind, code, 400, "m", "d", "DocNumber") == (
        fault.kind,
        fault.code,
        fault.http_status,
        fault.message,
        fault.detail,
        fault.element,
    )
    assert fault.plain.endswith(".")
    assert fault.fix.endswith(".")


def test_no_row_is_without_an_expectation() -> None:
    assert {code for codes in EXPECTED.values() for code in codes.split()} == set(FAULT_ROWS)


@given(st.integers(11_000, 99_999))
def test_unknown_codes_park(number: int) -> None:
    fault = parsed(service_body(str(number)))
    assert fault.kind is FaultKind.PARK
    assert str(number) in fault.plain


def test_a_lock_under_the_catch_all_code_is_tried_again() -> None:
    detail = "Business Validation Error: another user was editing this item at exactly the same time"
    assert parsed(service_body("6000", detail=detail)).kind is FaultKind.RETRY


def test_the_gateway_s_shape() -> None:
    # As captured in ej2/python-quickbooks#250.
    body = (
        b'{"warnings":null,"intuitObject":null,"fault":{"error":[{"message":"message=AuthenticationFailed; '
        b'errorCode=003200; statusCode=401","detail":"Token expired","code":"3200","element":null}],'
        b'"type":"AUTHENTICATION"},"report":null,"queryResponse":null,"batchItemResponse":[],"time":1633520295688}'
    )
    fault = parsed(body, 401)
    assert (fault.kind, fault.code, fault.detail) == (FaultKind.RECONNECT, "3200", "Token expired")


@pytest.mark.parametrize("status", [200, 401])
def test_the_xml_shape(status: int) -> None:
    body = (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><IntuitResponse time="2026-11-01T00:00:00-07:00" '
        b'xmlns="http://schema.intuit.com/finance/v3"><Fault type="AuthenticationFault"><Error code="100">'
        b"<Message>General Authentication Error</Message><Detail>AuthenticationFailed</Detail></Error></Fault>"
        b"</IntuitResponse>"
    )
    fault = parsed(body, status, "application/xml")
    assert (fault.kind, fault.code, fault.message) == (FaultKind.RECONNECT, "100", "General Authentication Error")


def test_an_xml_body_loads_nothing_from_outside() -> None:
    body = (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
        b'<IntuitResponse><Fault><Error code="2020"><Message>&e;</Message></Error></Fault></IntuitResponse>'
    )
    assert parsed(body, 400, "text/xml").message == ""


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, FaultKind.THROTTLED),
        (401, FaultKind.RECONNECT),
        (403, FaultKind.RECONNECT),
        (500, FaultKind.RETRY),
        (502, FaultKind.RETRY),
        (503, FaultKind.RETRY),
        (504, FaultKind.RETRY),
        (404, FaultKind.PARK),
        (413, FaultKind.PARK),
    ],
)
def test_an_html_page_is_classed_by_its_status(status: int, kind: FaultKind) -> None:
    answer = parse_answer(b"<!DOCTYPE html><html><body>Oops</body></html>", "text/html", status)
    assert isinstance(answer, Faulty)
    assert (kind, f"http-{status}", False) == (answer.fault.kind, answer.fault.code, answer.stated)


def test_429_throttles_whatever_the_code() -> None:
    assert parsed(service_body("99"), 429).kind is FaultKind.THROTTLED
    assert parsed(service_body("003001"), 429).code == "3001"
    # As it was answered in 2016.
    assert parsed(service_body("003001"), 403).kind is FaultKind.THROTTLED


def test_a_fault_inside_a_200() -> None:
    fault = parsed(service_body("4000"), 200)
    assert (fault.kind, fault.http_status) == (FaultKind.PARK, 200)


def test_several_errors_are_all_told() -> None:
    errors = [{"Message": "a", "Detail": "first", "code": "2020"}, {"Message": "b", "Detail": "second", "code": "2050"}]
    fault = parsed(json.dumps({"Fault": {"Error": errors}}).encode())
    assert (fault.code, fault.detail) == ("2020", "first (also: 2050 second)")


def test_success_keeps_every_digit() -> None:
    answer = parse_answer(b'{"Invoice":{"Id":"1","TotalAmt":1265793.0395000001}}', "application/json", 200)
    assert isinstance(answer, Good)
    invoice = answer.document["Invoice"]
    assert isinstance(invoice, dict)
    assert str(invoice["TotalAmt"]) == "1265793.0395000001"


@pytest.mark.parametrize("body", [b"", b"[]", b"ok", b"<html></html>", b'{"Invoice":', b"\xff\xff", b'{"a":NaN}'])
def test_a_200_that_cannot_be_read_is_no_success(body: bytes) -> None:
    assert isinstance(parse_answer(body, "application/json", 200), Unreadable)


_shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["Fault", "fault", "Error", "error", "code", "Message", "Detail", "element", "Code"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
_bodies = (
    st.binary(max_size=300)
    | _shapes.map(lambda value: json.dumps(value).encode())
    | _shapes.map(lambda value: json.dumps({"Fault": value}).encode())
    | st.text(max_size=100).map(lambda text: f'<?xml version="1.0"?><Fault><Error code="{text}"/></Fault>'.encode())
)


@given(_bodies, st.sampled_from(["application/json", "text/xml", "text/html", "", None]), st.integers(200, 599))
def test_fuzzed_bodies_never_crash(body: bytes, content_type: str | None, status: int) -> None:
    answer = parse_answer(body, content_type, status)
    if isinstance(answer, Faulty):
        str(answer.fault).encode()
        assert len(answer.fault.detail) <= 1_000
    else:
        assert status < 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"Fault":' * 100_000,
        b"[" * 200_000,
        b'{"a":1e999999999999999999999}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"Fault":{"Error":[{"code":"\\ud800","Message":"\\udfff"}]}}',
        b"<a>" * 100_000,
        b'<?xml version="1.0" encoding="no-such"?><Fault/>',
    ],
)
def test_hostile_bodies_never_crash(body: bytes) -> None:
    answer = parse_answer(body, "application/xml", 500)
    assert isinstance(answer, Faulty)
    str(answer.fault).encode()


@given(st.text(), st.text(), st.integers(100, 599))
def test_texts_are_fit_for_logs(code: str, text: str, status: int) -> None:
    fault = fault_from(code=code, http_status=status, message=text, detail=text * 50)
    assert all(part.isprintable() for part in (fault.code, fault.message, fault.detail))


# What the sheet's last column tells to do, by the words that it uses; what is named nowhere here is for a person.
ACTIONS = {
    "reconnect": FaultKind.RECONNECT,
    "pause realm": FaultKind.PAUSE_REALM,
    "wait ≥60 s": FaultKind.THROTTLED,
    "look up result": FaultKind.LOOK_UP,
    "split": FaultKind.REGROUP,
    "refetch": FaultKind.REFETCH,
    "adopt": FaultKind.ADOPT,
    "retry few": FaultKind.RETRY,
    "resync": FaultKind.PAUSE_REALM,
}


def sheet_rows() -> Iterator[tuple[list[str], str]]:
    """Codes and action of each row of the table of errors in the sheet of facts."""
    section = fact_sheet("quickbooks-online.md").split("\n## 3. Errors", 1)[1].split("\n## ", 1)[0]
    for row in section.splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if row.startswith("|") and len(cells) == 4 and cells[0][0].isdigit():
            yield re.findall(r"\d+(?:\u2013\d+)?", re.sub(r"\(.*?\)", "", cells[0])), cells[3].replace("*", "")


def kinds_in_sheet() -> dict[str, FaultKind]:
    """The class of every code of ours that the sheet names, alone or in a range."""
    found: dict[str, FaultKind] = {}
    for codes, action in sheet_rows():
        actions = action.split(" / ")
        for place, code in enumerate(codes):
            words = actions[place] if len(actions) == len(codes) else action
            kind = next((kind for said, kind in ACTIONS.items() if said in words), FaultKind.PARK)
            kind = FaultKind.RETRY if f"{code}: one retry" in words else kind
            first, _, last = code.partition("\u2013")
            found.update({known: kind for known in FAULT_ROWS if int(first) <= int(known) <= int(last or first)})
    return found


def test_the_table_is_that_of_the_sheet_of_facts() -> None:
    sheet = kinds_in_sheet()
    # 100 and 110 stand in the text of the row of 3200.
    named = {**sheet, "100": FaultKind.RECONNECT, "110": FaultKind.RECONNECT}
    assert {code: fault_from(code=code, http_status=400).kind for code in FAULT_ROWS} == named
    codes = {code for row, _ in sheet_rows() for code in row if "\u2013" not in code}
    assert codes <= set(FAULT_ROWS)


def test_a_gateway_s_error_is_tried_again_as_the_sheet_says() -> None:
    text = fact_sheet("quickbooks-online.md")
    (row,) = [line for line in text.splitlines() if line.startswith("| — | 502/503/504")]
    assert "retry, writes with same requestid" in row
    assert {HTTP_ROWS[status].kind for status in (502, 503, 504)} == {"retry"}
