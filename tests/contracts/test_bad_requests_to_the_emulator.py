"""Malformed requests to every endpoint of the QuickBooks emulator: refused with a reason, and nothing changes."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.catalog import ENTITIES
from counterfoil.quickbooks.emulator.control import ENDPOINTS
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from support.raw_http import (
    EXPECTATIONS,
    FRAMINGS,
    Answer,
    Request,
    awkward_json,
    awkward_text,
    exchange,
    framing_headers,
    headers,
    methods,
    query_string,
    raw_bodies,
    segments,
)

EXAMPLES = 250
MANY = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""Each of the seven tests below sends so many at least: seventeen hundred."""

PATIENCE = 0.3

OAUTH = (
    "/.well-known/openid_configuration",
    "/.well-known/openid_sandbox_configuration/",
    "/connect/oauth2",
    "/oauth2/v1/tokens/bearer",
    "/v2/oauth2/tokens/revoke",
    "/v1/openid_connect/userinfo",
    "/op/v1/jwks",
    "/files/x",
    "/",
)


PLACES = [
    "/", "/nothing", "/v3/company/1/customer", "/v3/company/1/cdc", "/v3/x", "/books/Customer", "/connect/oauth2",
    "/oauth2/v1/tokens/bearer", "/state", "/faults",
]  # fmt: skip


@dataclass
class Served:
    """An emulator in a loop of its own, which the examples of a test share."""

    runner: asyncio.Runner
    emulator: QuickBooksEmulator
    token: str

    def send(self, request: Request, *, control: bool = False, patience: float | None = None) -> Answer:
        """Send it; a server error, and an answer that does not come, fail the test.

        With `patience` the request may not be whole: then a closed connection is an answer too.
        """
        address = self.emulator.control_url if control else self.emulator.base_url
        answer = self.runner.run(exchange(urlsplit(address).port or 0, request.encoded(), patience=patience))
        assert answer.status < 500, (request, answer)
        assert answer.status or patience is not None, request
        return answer

    def company(self, tail: str) -> str:
        return f"/v3/company/{self.emulator.realm_id}/{tail}"

    @property
    def bearer(self) -> dict[str, str]:
        if not self.emulator.office.access_is_good(self.token):
            self.token = self.emulator.office.issue_access()
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def still_serves(self) -> None:
        """Nothing is broken, and the books balance."""
        target = self.company("query" + query_string({"query": "select * from Customer maxresults 1"}))
        assert self.send(Request("GET", target, self.bearer)).status == 200
        totals = json.loads(self.send(Request("GET", "/totals"), control=True).body)
        assert sum(round(account["debit_less_credit"] * 100) for account in totals["accounts"]) == 0
        assert self.send(Request("GET", "/books"), control=True).status == 200


@pytest.fixture
def served() -> Iterator[Served]:
    with asyncio.Runner() as runner:
        options = EmulatorOptions(seed=1, sample="craig", limits=LimitNumbers(enabled=False))
        emulator = QuickBooksEmulator(options)
        runner.run(emulator.__aenter__())
        try:
            held = Served(runner, emulator, "")
            yield held
            held.still_serves()
        finally:
            runner.run(emulator.__aexit__(None, None, None))


entities = st.sampled_from([*ENTITIES])
fields = st.sampled_from(
    ["Id", "SyncToken", "sparse", "Line", "CustomerRef", "VendorRef", "DisplayName", "Name", "TotalAmt", "TxnDate",
     "DocNumber", "CurrencyRef", "ExchangeRate", "Active", "AccountType", "PrivateNote", "LinkedTxn", "MetaData"]
)  # fmt: skip
lines = st.lists(
    st.dictionaries(
        st.sampled_from(["Id", "Amount", "DetailType", "SalesItemLineDetail", "JournalEntryLineDetail", "LinkedTxn"]),
        awkward_json,
        max_size=4,
    ),
    max_size=3,
)
records = st.dictionaries(fields, awkward_json | st.fixed_dictionaries({"value": awkward_text}) | lines, max_size=6)
parameters = st.dictionaries(
    st.sampled_from(["operation", "include", "requestid", "minorversion", "sendTo", "query", "start_date", "end_date",
                     "entities", "changedSince", "summarize_column_by", "accounting_method", "customer"]),
    awkward_text | st.sampled_from(["delete", "void", "update", "2026-01-01", "Invoice,Customer", "Cash"]),
    max_size=3,
)  # fmt: skip
batches = st.fixed_dictionaries(
    {
        "BatchItemRequest": awkward_json
        | st.lists(
            st.dictionaries(
                st.sampled_from(["bId", "operation", "optionsData", "Query", "Invoice", "Customer", "CDCQuery"]),
                awkward_json | records | st.sampled_from(["create", "update", "delete", "1"]),
                max_size=4,
            ),
            max_size=35,
        )
    }
)
words = st.sampled_from(
    ["select", "*", "count(*)", "from", "Invoice", "Customer", "where", "Id", "=", "IN", "('1','2')", "'1'", "LIKE",
     "'%'", "orderby", "ORDER BY", "startposition", "maxresults", "1001", "0", "-1", "AND", "OR", "(", ")", "'", "\\'",
     ",", ";", "MetaData.LastUpdatedTime", ">", "'2026-11-01T00:00:00-08:00'", "true", "Balance", "'1e999'",
     "PrivateNote"]
)  # fmt: skip
tails = st.one_of(
    entities.map(str.lower),
    st.tuples(entities.map(str.lower), segments).map("/".join),
    st.tuples(entities.map(str.lower), segments, st.sampled_from(["pdf", "send", "x"])).map("/".join),
    st.sampled_from(["batch", "cdc", "query", "upload", "download/1", "preferences", "companyinfo/1",
                     "taxservice/taxcode", "reports/ProfitAndLoss", "reports/TrialBalance", "reports/nothing",
                     "reports/AgedReceivables"]),
    st.lists(segments, max_size=4).map("/".join),
)  # fmt: skip


@MANY
@given(tail=tails, asked=parameters, method=methods, body=records.map(json.dumps) | batches.map(json.dumps))
def test_requests_to_the_api_of_nearly_the_right_form(
    served: Served, tail: str, asked: dict[str, str], method: str, body: str
) -> None:
    served.send(Request(method, served.company(tail) + query_string(asked), served.bearer, body.encode()))


def _ref(entity: str) -> dict[str, str]:
    return {"value": f"@{entity}"}


def _line(kind: str, **detail: object) -> dict[str, object]:
    return {"Amount": 10, "DetailType": kind, kind: detail}


_SOLD = _line("SalesItemLineDetail", ItemRef=_ref("Item"), Qty=1, UnitPrice=10)
_SALE: dict[str, object] = {"CustomerRef": _ref("Customer"), "Line": [_SOLD]}
_SPENT = _line("AccountBasedExpenseLineDetail", AccountRef=_ref("Account"))
_POSTINGS = [
    _line("JournalEntryLineDetail", PostingType=side, AccountRef=_ref("Account")) for side in ("Debit", "Credit")
]
GOOD: list[tuple[str, dict[str, object]]] = [
    ("Customer", {"DisplayName": "Ann Lee", "PrimaryEmailAddr": {"Address": "ann@example.com"}}),
    ("Employee", {"GivenName": "Bo", "FamilyName": "Ray"}),
    ("Account", {"Name": "Fees", "AccountType": "Income"}),
    ("Item", {"Name": "Hours", "Type": "Service", "IncomeAccountRef": _ref("Account")}),
    ("Invoice", {**_SALE, "TxnDate": "2026-11-15", "DocNumber": "A-1"}),
    ("Estimate", _SALE),
    ("CreditMemo", _SALE),
    ("SalesReceipt", _SALE),
    ("RefundReceipt", {**_SALE, "DepositToAccountRef": {"value": "35"}}),
    ("Payment", {"CustomerRef": _ref("Customer"), "TotalAmt": 10,
                 "Line": [{"Amount": 10, "LinkedTxn": [{"TxnId": "@Invoice", "TxnType": "Invoice"}]}]}),
    ("Bill", {"VendorRef": _ref("Vendor"), "Line": [_SPENT]}),
    ("VendorCredit", {"VendorRef": _ref("Vendor"), "Line": [_SPENT]}),
    ("BillPayment", {"VendorRef": _ref("Vendor"), "TotalAmt": 5, "PayType": "Check",
                     "CheckPayment": {"BankAccountRef": {"value": "35"}},
                     "Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "@Bill", "TxnType": "Bill"}]}]}),
    ("Purchase", {"PaymentType": "Cash", "AccountRef": {"value": "35"}, "Line": [_SPENT]}),
    ("PurchaseOrder", {"VendorRef": _ref("Vendor"), "APAccountRef": {"value": "33"}, "Line": [_SPENT]}),
    ("JournalEntry", {"Line": _POSTINGS}),
    ("Deposit", {"DepositToAccountRef": {"value": "35"},
                 "Line": [_line("DepositLineDetail", AccountRef=_ref("Account"))]}),
    ("Transfer", {"FromAccountRef": {"value": "35"}, "ToAccountRef": {"value": "36"}, "Amount": 20}),
    ("TimeActivity", {"NameOf": "Employee", "EmployeeRef": _ref("Employee"), "TxnDate": "2026-11-15", "Hours": 8}),
    ("Term", {"Name": "Net 17", "DueDays": 17}),
]  # fmt: skip
"""What the API takes; the tests spoil one part of it. `@Entity` stands for the id of such a record."""


def _places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*path, key)
        yield from _places(part, (*path, key))


def _spoilt(value: object, path: tuple[object, ...], instead: object) -> object:
    """The same value with another in one place; with none there where `instead` is `...`."""
    if not path:
        return instead
    if isinstance(value, dict):
        changed = {key: _spoilt(part, path[1:], instead) if key == path[0] else part for key, part in value.items()}
        return {key: part for key, part in changed.items() if part is not ...}
    if isinstance(value, list):
        return [_spoilt(part, path[1:], instead) if at == path[0] else part for at, part in enumerate(value)]
    return value


@MANY
@given(data=st.data(), asked=parameters, twice=st.booleans())
def test_records_with_one_part_spoilt(served: Served, data: st.DataObject, asked: dict[str, str], twice: bool) -> None:
    entity, good = data.draw(st.sampled_from(GOOD))
    path = data.draw(st.sampled_from([*_places(good)]))
    body = json.dumps(_spoilt(good, path, data.draw(awkward_json | st.just(...))), default=lambda _: None)
    for name in ENTITIES:
        first = next(iter(served.emulator.books.tables.table(name).rows), "1")
        body = body.replace(f"@{name}", first)
    target = served.company(entity.lower()) + query_string(asked if twice else {})
    answer = served.send(Request("POST", target, served.bearer, body.encode()))
    if answer.status == 200 and entity in json.loads(answer.body):
        made = json.loads(answer.body)[entity]
        again = json.dumps({**json.loads(body), "Id": made.get("Id"), "SyncToken": made.get("SyncToken")})
        served.send(Request("POST", served.company(entity.lower()), served.bearer, again.encode()))


@MANY
@given(text=st.lists(words, max_size=14).map(" ".join) | awkward_text, posted=st.booleans())
def test_queries_of_nearly_the_right_form(served: Served, text: str, posted: bool) -> None:
    before = len(served.emulator.books.journal)
    body = text.encode(errors="replace") if posted else b""
    tail = "query" if posted else "query" + query_string({"query": text})
    served.send(Request("POST" if posted else "GET", served.company(tail), served.bearer, body))
    assert before == len(served.emulator.books.journal)


@MANY
@given(
    path=st.sampled_from(OAUTH),
    asked=st.dictionaries(
        st.sampled_from(["client_id", "redirect_uri", "response_type", "scope", "state", "code", "grant_type"]),
        awkward_text | st.sampled_from(["http://[", "https://a/b?c", "code", "refresh_token", "authorization_code"]),
        max_size=5,
    ),
    method=methods,
    more=headers,
    body=raw_bodies,
)
def test_requests_to_the_oauth_server(
    served: Served, path: str, asked: dict[str, str], method: str, more: dict[str, str], body: bytes
) -> None:
    before = served.emulator.office.refresh_token
    known = {**asked, "client_id": served.emulator.office.client_id} if len(asked) % 2 else asked
    served.send(Request(method, path + query_string(known), more, body))
    form = {"Content-Type": "application/x-www-form-urlencoded", **more}
    served.send(Request(method, path, form, query_string(asked)[1:].encode()))
    assert before == served.emulator.office.refresh_token


orders = st.dictionaries(
    st.sampled_from(
        ["kind", "entity", "operation", "body", "id", "add_lines", "remove_lines", "count", "seconds",
         "advance_seconds", "mode", "scale", "url", "format", "gather_seconds", "coalesce", "enabled",
         "requests_per_minute", "status"]
    ),
    awkward_json | st.sampled_from(["slow", "stale", "manual", "legacy", "create", "delete", "Invoice", "Customer", 1]),
    max_size=5,
)  # fmt: skip
CONTROL = sorted({path.split("[")[0].split("?")[0] for words in ENDPOINTS for path in words.split(" ")[1:2]})


@MANY
@given(
    path=st.sampled_from(CONTROL) | entities.map(lambda name: f"/books/{name}") | segments.map(lambda one: f"/{one}"),
    asked=st.dictionaries(st.sampled_from(["after", "limit", "entity", "number"]), awkward_text, max_size=2),
    method=methods,
    body=raw_bodies | (orders | records).map(lambda value: json.dumps(value).encode()),
)
def test_requests_to_the_control_address_and_the_page(
    served: Served, path: str, asked: dict[str, str], method: str, body: bytes
) -> None:
    served.send(Request(method, path + query_string(asked), {}, body), control=True)
    # What an order broke on purpose is not what the next request is to meet.
    served.send(Request("DELETE", "/faults"), control=True)
    for target, order in (("/webhooks", {"url": ""}), ("/clock", {"mode": "running", "scale": 1})):
        served.send(Request("POST", target, {}, json.dumps(order).encode()), control=True)


@MANY
@given(
    target=st.sampled_from(OAUTH) | tails.map(lambda tail: f"/v3/company/1/{tail}") | segments,
    more=framing_headers,
    method=methods,
    body=raw_bodies,
    ends=st.sampled_from(["\r\n", "\n", "\r", "\r\n\r\n"]),
    control=st.booleans(),
)
def test_requests_that_are_hardly_http(
    served: Served, target: str, more: dict[str, str], method: str, body: bytes, ends: str, control: bool
) -> None:
    served.send(Request(method, target, more, body, ends), control=control, patience=PATIENCE)


@MANY
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(["file_metadata_01", "file_content_01", "file_metadata_x", "", "file_content_99999999999"]),
            st.sampled_from(["", "; filename=a.txt", '; filename="\\"', "; filename*=utf-8''%ff"]),
            raw_bodies,
        ),
        max_size=4,
    ),
    boundary=st.sampled_from(["b", "", "-" * 80, "b\x00"]),
)
def test_uploads_of_nearly_the_right_form(served: Served, parts: list[tuple[str, str, bytes]], boundary: str) -> None:
    ends = b"\r\n"
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; name={name}{more}\r\n\r\n".encode() + content + ends
        for name, more, content in parts
    )
    more = {**served.bearer, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    served.send(Request("POST", served.company("upload"), more, body + f"--{boundary}--\r\n".encode()))


@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize("path", PLACES)
def test_what_is_expected_and_how_a_body_comes(served: Served, path: str, control: bool) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "POST", "BREW"):
        for expectation in EXPECTATIONS:
            served.send(Request(method, path, {"Expect": expectation}, b"{}"), control=control)
        for framing in FRAMINGS:
            served.send(Request(method, path, framing.headers, framing.body), control=control, patience=PATIENCE)


def test_refused_requests_leave_nothing_in_memory(served: Served) -> None:
    def refuse(count: int) -> None:
        for number in range(count):
            filling = b"x" * 200_000 + str(number).encode()
            name = json.dumps({"DisplayName": filling.decode()}).encode()
            assert served.send(Request("POST", served.company("customer"), served.bearer, name)).status == 400
            assert served.send(Request("POST", served.company("customer"), {}, filling)).status == 401
            served.send(Request("POST", "/oauth2/v1/tokens/bearer", {}, filling))
            served.send(Request("GET", "/connect/oauth2" + query_string({"state": "s" * 2_000})))
            served.send(Request("POST", "/books/Customer", {}, filling), control=True)

    refuse(20)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        refuse(100)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # Sixty million bytes were sent; what is kept is the record of the calls.
    assert grown < 3_000_000
