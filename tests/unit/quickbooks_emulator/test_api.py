"""The API at its edges: malformed requests, tokens, change data capture, and people's actions."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.books import Write
from counterfoil.quickbooks.emulator.control import ENDPOINTS
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps
from support.quickbooks_company import Api, code_of, running

OPTIONS = EmulatorOptions(seed=1, sample="small", limits=LimitNumbers(enabled=False))
DAY = 86_400

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(10**25), 10**25), st.text(max_size=20), st.sampled_from(["1", ""])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
PROPERTIES = st.sampled_from(
    ["Id", "SyncToken", "sparse", "DisplayName", "CustomerRef", "Line", "TotalAmt", "Name", "Type", "TxnDate",
     "DocNumber", "LinkedTxn", "BillAddr", "Active", "BatchItemRequest", "TxnTaxDetail", "CurrencyRef", "ParentRef"]
)  # fmt: skip
LINES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "Amount": JSON,
            "Id": JSON,
            "DetailType": st.sampled_from(["SalesItemLineDetail", "JournalEntryLineDetail", "DiscountLineDetail", "x"]),
            "SalesItemLineDetail": JSON | st.fixed_dictionaries({"ItemRef": JSON, "Qty": JSON, "UnitPrice": JSON}),
            "JournalEntryLineDetail": JSON | st.fixed_dictionaries({"PostingType": JSON, "Entity": JSON}),
            "DiscountLineDetail": JSON,
            "LinkedTxn": JSON,
        },
    ),
    max_size=3,
)
BODIES = st.dictionaries(PROPERTIES, JSON | LINES, max_size=6)
TAILS = st.sampled_from(
    ["customer", "invoice", "payment", "journalentry", "item", "batch", "creditmemo", "vendor", "account", "nothing",
     "invoice/1", "query", "cdc", "companyinfo", "preferences", "", "invoice/1/pdf", "customer/x"]
)  # fmt: skip
PARAMETERS = st.dictionaries(
    st.sampled_from(["operation", "include", "requestid", "query", "entities", "changedSince", "minorversion"]),
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
    | st.sampled_from(["delete", "void", "update", "Invoice", "2026-11-01T00:00:00Z", "0001-01-01", "9999-12-31"]),
    max_size=3,
)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running(OPTIONS) as made:
        yield made


async def test_a_thousand_malformed_requests_are_answered_and_never_by_5xx() -> None:
    async with running(OPTIONS) as api:
        loop = asyncio.get_running_loop()

        def send(method: str, tail: str, body: bytes, parameters: dict[str, str]) -> int:
            async def ask() -> int:
                url = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/{tail}"
                headers = {"Authorization": f"Bearer {api.token}"}
                async with api.session.request(method, url, data=body, params=parameters, headers=headers) as answer:
                    await answer.read()
                    return answer.status

            return asyncio.run_coroutine_threadsafe(ask(), loop).result(timeout=30)

        @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
        @given(
            st.sampled_from(["POST", "POST", "POST", "GET", "PUT"]),
            TAILS,
            st.one_of(BODIES.map(dumps), JSON.map(dumps), st.binary(max_size=60)),
            PARAMETERS,
        )
        def check(method: str, tail: str, body: bytes, parameters: dict[str, str]) -> None:
            status = send(method, tail, body, parameters)
            assert status == 200 or 400 <= status < 500

        await asyncio.to_thread(check)
        assert sum(api.emulator.books.ledger.accounts().values()) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"nonsense",
        b'{"DisplayName": NaN}',
        b'{"DisplayName": "\xff"}',
        b'{"DisplayName": "\\ud800"}',
        b'{"DisplayName": 1e999999999}',
        b'{"BillAddr": {"x": 1e999999999}, "DisplayName": "A"}',
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"DisplayName": ' + b"9" * 10_000 + b"}",
    ],
    ids=range(11),
)
async def test_bodies_that_break_parsers(api: Api, body: bytes) -> None:
    status, _ = await api.call("POST", "customer", raw=body)
    assert status == 400


async def test_a_void_may_name_its_record_in_the_address_alone(api: Api) -> None:
    sold: JsonObject = {"ItemRef": {"value": "1"}}
    line: JsonObject = {"Amount": 5, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": sold}
    status, made = await api.post("invoice", {"CustomerRef": {"value": "1"}, "Line": [line]})
    assert status == 200, made
    named = {"operation": "void", "Id": as_text(as_object(made["Invoice"])["Id"])}
    status, refused = await api.call("POST", "invoice", raw=b"", parameters={**named, "SyncToken": "7"})
    assert (status, code_of(refused)) == (400, "5010")
    status, voided = await api.call("POST", "invoice", raw=b"", parameters={**named, "SyncToken": "0"})
    assert (status, as_object(voided["Invoice"])["TotalAmt"]) == (200, 0)
    status, refused = await api.call("POST", "customer", raw=b"", parameters={"Id": "1", "SyncToken": "0"})
    assert (status, code_of(refused)) == (400, "2010")


async def test_a_body_without_end_is_refused(api: Api) -> None:
    url = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/customer"
    headers = {"Authorization": f"Bearer {api.token}"}
    async with api.session.post(url, data=io.BytesIO(b"x" * (21 * 1024 * 1024)), headers=headers) as answer:
        assert answer.status == 413


async def test_a_query_without_a_statement_is_a_fault_inside_200(api: Api) -> None:
    status, body = await api.get("query")
    assert (status, as_object(body["Fault"])["type"]) == (200, "SystemFault")


async def test_tokens_and_realms(api: Api) -> None:
    def code(body: JsonObject) -> JsonValue:
        return as_object(as_list(as_object(body["fault"])["error"])[0])["code"]

    good = api.token
    api.token = "short"
    status, refused = await api.get("customer/1")
    assert (status, code(refused)) == (401, "3200")
    api.token = "x" * 40
    assert (await api.get("customer/1"))[0] == 401
    api.token = good
    await api.control("/clock", {"advance_seconds": 3599})
    assert (await api.get("customer/1"))[0] == 200
    await api.control("/clock", {"advance_seconds": 1})
    assert (await api.get("customer/1"))[0] == 401
    api.token = api.emulator.office.issue_access()
    url = f"{api.emulator.base_url}/v3/company/123/customer/1"
    async with api.session.get(
        url, headers={"Authorization": f"Bearer {api.token}", "Accept": "application/json"}
    ) as answer:
        body = as_object(await answer.json())
        assert (answer.status, code(body)) == (403, "3100")
        assert answer.headers["intuit_tid"].startswith("1-")


async def token(api: Api, form: dict[str, str], secret: str = "", **headers: str) -> tuple[int, JsonObject]:
    office = api.emulator.office
    pair = f"{office.client_id}:{secret or office.client_secret}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    url = f"{api.emulator.base_url}/oauth2/v1/tokens/bearer"
    async with api.session.post(url, data=form, headers=headers) as answer:
        return answer.status, as_object(await answer.json())


async def test_the_token_endpoint(api: Api) -> None:
    office = api.emulator.office
    first = office.refresh_token
    refresh = {"grant_type": "refresh_token", "refresh_token": first}
    status, body = await token(api, refresh)
    assert (200, "bearer", 3600, first, 8640000) == (
        status,
        body["token_type"],
        body["expires_in"],
        body["refresh_token"],
        body["x_refresh_token_expires_in"],
    )
    assert await token(api, refresh, secret="wrong") == (401, {"error": "invalid_client"})
    assert (await token(api, {}))[0] == 400
    assert await token(api, {"grant_type": "password"}) == (400, {"error": "unsupported_grant_type"})
    _, capped = await token(api, refresh, **{"x-include-refresh-token-hard-expires-in": "true"})
    # Five years from the consent, which was a moment ago.
    left = capped["x_refresh_token_hard_expires_in"]
    assert isinstance(left, int)
    assert 157680000 - 3600 < left <= 157680000
    await api.control("/clock", {"advance_seconds": DAY})
    both = await asyncio.gather(token(api, refresh), token(api, refresh))
    assert sorted(status for status, _ in both) == [200, 400]
    rotated = office.refresh_token
    assert rotated != first
    await api.control("/clock", {"advance_seconds": 100 * DAY + 1})
    status, body = await token(api, {"grant_type": "refresh_token", "refresh_token": rotated})
    assert (status, body["error"]) == (400, "invalid_grant")


async def test_revoking_ends_the_connection(api: Api) -> None:
    office = api.emulator.office
    pair = base64.b64encode(f"{office.client_id}:{office.client_secret}".encode()).decode()
    url = f"{api.emulator.base_url}/v2/oauth2/tokens/revoke"
    for token_text, status in (("unknown", 400), (office.refresh_token, 200)):
        async with api.session.post(
            url, json={"token": token_text}, headers={"Authorization": f"Basic {pair}"}
        ) as answer:
            assert status == answer.status
    assert (await api.get("customer/1"))[0] == 401


async def test_consent_is_refused_for_a_wrong_scope(api: Api) -> None:
    asked = {
        "client_id": api.emulator.office.client_id,
        "response_type": "code",
        "scope": "com.intuit.quickbooks.nothing",
        "redirect_uri": "http://localhost:1/cb",
        "state": "s",
    }
    url = f"{api.emulator.base_url}/connect/oauth2"
    async with api.session.get(url, params=asked, allow_redirects=False) as answer:
        back = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert back == {"error": ["invalid_scope"], "state": ["s"]}
    async with api.session.get(url, params={**asked, "client_id": "x"}, allow_redirects=False) as answer:
        assert answer.status == 400


async def cdc(api: Api, entities: str, since: str) -> list[JsonObject]:
    status, body = await api.get("cdc", entities=entities, changedSince=since)
    assert status == 200, body
    return [as_object(group) for group in as_list(as_object(as_list(body["CDCResponse"])[0])["QueryResponse"])]


async def test_change_data_capture() -> None:
    async with running(EmulatorOptions(seed=1, manual_clock=True, limits=LimitNumbers(enabled=False))) as api:
        start = api.emulator.clock.now()
        for name in ("A", "B", "C"):
            await api.control("/clock", {"advance_seconds": 10})
            await api.customer(name)
        await api.post("customer", {"Id": "1", "SyncToken": "0", "sparse": True, "Active": False})
        (group,) = await cdc(api, "Customer,Invoice", start.isoformat())
        assert [as_object(row)["Id"] for row in as_list(group["Customer"])] == ["2", "3", "1"]
        assert (group["startPosition"], group["maxResults"]) == (1, 3)
        assert await cdc(api, "Invoice", start.isoformat()) == [{}]
        for parameters, code in (
            ({"entities": "Customer"}, "2020"),
            ({"changedSince": "2026-11-20"}, "2020"),
            ({"entities": "TaxCode", "changedSince": "2026-11-20"}, "4001"),
            ({"entities": "Customer", "changedSince": "soon"}, "2060"),
        ):
            status, body = await api.call("GET", "cdc", parameters=parameters)
            assert (400, code) == (status, code_of(body))


async def test_change_data_capture_stops_at_a_thousand() -> None:
    async with running(EmulatorOptions(seed=1, limits=LimitNumbers(enabled=False))) as api:
        start = api.emulator.clock.now().isoformat()
        for number in range(1005):
            api.emulator.books.write(customer_write(f"C {number}"), origin())
        (group,) = await cdc(api, "Customer,Vendor", start)
        assert len(as_list(group["Customer"])) == 1000


def customer_write(name: str) -> Write:
    return Write("Customer", "create", {"DisplayName": name})


def origin() -> Origin:
    return Origin()


async def test_people_act_without_tokens_or_limits(api: Api) -> None:
    line: JsonObject = {
        "Amount": 10,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
    }
    made = await api.control("/books/invoice", {"body": {"CustomerRef": {"value": "1"}, "Line": [line]}})
    identifier = as_object(made["Invoice"])["Id"]
    added = await api.control(
        "/books/Invoice", {"operation": "update", "id": identifier, "add_lines": [{**line, "Amount": 5}]}
    )
    assert [as_object(one).get("Id") for one in as_list(as_object(added["Invoice"])["Line"])] == ["1", "2", None]
    removed = await api.control("/books/Invoice", {"operation": "update", "id": identifier, "remove_lines": ["1"]})
    assert [as_object(one).get("Id") for one in as_list(as_object(removed["Invoice"])["Line"])] == ["2", None]
    results = await api.control(
        "/books",
        [
            {"entity": "Customer", "body": {"DisplayName": "New"}},
            {"entity": "Invoice", "operation": "delete", "id": identifier},
        ],
    )
    assert len(as_list(results["results"])) == 2
    effects = [as_object(effect) for effect in as_list((await api.control("/journal?after=11"))["effects"])]
    assert [(effect["operation"], effect["app"]) for effect in effects] == [
        ("create", "person"),
        ("update", "person"),
        ("update", "person"),
        ("create", "person"),
        ("delete", "person"),
    ]
    state = await api.control("/state?entity=Invoice")
    assert ([], {"Invoice": [identifier]}) == (state["Invoice"], state["deleted"])


async def test_control_looks_at_everything(api: Api) -> None:
    for path in (
        "/",
        "/health",
        "/journal",
        "/state",
        "/totals",
        "/stats",
        "/calls",
        "/faults",
        "/clock",
        "/webhooks",
        "/limits",
    ):
        assert isinstance(await api.control(path), dict)
    await api.get("customer/1")
    (call,) = as_list((await api.control("/calls"))["calls"])
    assert (as_object(call)["kind"], as_object(call)["entity"], as_object(call)["status"]) == ("read", "Customer", 200)


async def test_unknown_addresses(api: Api) -> None:
    for method, tail, code in (
        ("GET", "nothing/1", "500"),
        ("POST", "nothing", "500"),
        ("PUT", "customer", "500"),
        ("GET", "customer/abc", "2030"),
        ("GET", "customer/99", "610"),
        ("POST", "taxcode", "500"),
        ("POST", "companyinfo", "2020"),
    ):
        status, body = await api.call(method, tail, {} if method != "GET" else None)
        assert (400, code) == (status, code_of(body))
    async with aiohttp.ClientSession() as session, session.get(api.emulator.base_url + "/elsewhere") as answer:
        assert answer.status == 404


async def test_every_answer_carries_an_intuit_id(api: Api) -> None:
    seen: set[str] = set()
    for path in ("/oauth2/v1/tokens/bearer", "/v3/company/1/customer", "/.well-known/openid_configuration/", "/else"):
        method = "GET" if path.startswith("/.") else "POST"
        async with api.session.request(method, api.emulator.base_url + path) as answer:
            seen.add(answer.headers["intuit_tid"])
    assert len(seen) == 4


async def test_a_batch_may_ask_for_changes(api: Api) -> None:
    since = (api.emulator.clock.now() - timedelta(hours=1)).isoformat()
    customer = await api.customer("Ann")
    items: list[JsonValue] = [
        {"bId": "a", "CDCQuery": {"Entities": "Customer,Bill", "ChangedSince": since}},
        {"bId": "b", "CDCQuery": {"Entities": "Nothing", "ChangedSince": since}},
        {"bId": "c", "CDCQuery": {"Entities": "Customer"}},
        {"bId": "d", "CDCQuery": since},
    ]
    metered = api.emulator.stats.metered_in_month(api.emulator.clock.now())
    status, body = await api.post("batch", {"BatchItemRequest": items})
    assert status == 200
    answers = {as_text(one["bId"]): one for one in map(as_object, as_list(body["BatchItemResponse"]))}
    (group,) = as_list(as_object(answers["a"]["CDCResponse"])["QueryResponse"])
    changed = [as_object(one)["Id"] for one in as_list(as_object(group)["Customer"])]
    assert customer in changed
    codes = {name: code_of(answers[name]) for name in ("b", "c", "d")}
    assert codes == {"b": "4001", "c": "2020", "d": "2020"}
    assert api.emulator.stats.metered_in_month(api.emulator.clock.now()) == metered + 1


async def test_a_report_can_be_asked_for_in_a_batch(api: Api) -> None:
    year = "start_date=2026-01-01&end_date=2026-12-31"
    items: list[JsonValue] = [
        {"bId": "a", "ReportQuery": f"ProfitAndLoss?{year}&accounting_method=Cash"},
        {"bId": "b", "ReportQuery": "/reports/TrialBalance"},
        {"bId": "c", "ReportQuery": "Nothing"},
        {"bId": "d", "ReportQuery": "ProfitAndLoss?end_date=soon"},
    ]
    status, body = await api.post("batch", {"BatchItemRequest": items})
    assert status == 200
    answers = {as_text(one["bId"]): one for one in map(as_object, as_list(body["BatchItemResponse"]))}
    headers = [as_object(as_object(answers[name]["Report"])["Header"]) for name in ("a", "b")]
    assert [header["ReportName"] for header in headers] == ["ProfitAndLoss", "TrialBalance"]
    assert (headers[0]["ReportBasis"], headers[0]["EndPeriod"]) == ("Cash", "2026-12-31")
    assert {name: code_of(answers[name]) for name in ("c", "d")} == {"c": "500", "d": "2060"}


async def asked(api: Api, method: str, url: str) -> tuple[int, str, bytes]:
    """Status, what is allowed, and body."""
    bearer = {"Authorization": f"Bearer {api.token}", "Accept": "application/json"}
    async with api.session.request(method, url, headers=bearer, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Allow", ""), await answer.read()


async def test_what_is_asked_about_addresses_is_answered(api: Api) -> None:
    company = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}"
    reads = [
        f"{company}/{tail}"
        for tail in (
            "customer/1", "customer/999", "query?query=select+*+from+Customer", "preferences", "reports/AccountList",
            "cdc?entities=Customer&changedSince=2026-11-29", "download/1", "nothing", "invoice/1/pdf",
        )
    ]  # fmt: skip
    reads.append(f"{api.emulator.base_url}/.well-known/openid_configuration")
    reads.extend(
        api.emulator.control_url + endpoint.removeprefix("GET ").partition("[")[0].partition("?")[0]
        for endpoint in ENDPOINTS
        if endpoint.startswith("GET ")
    )
    for url in reads:
        status, _, _ = await asked(api, "GET", url)
        assert await asked(api, "HEAD", url) == (status, "", b""), url
    writes = [f"{company}/{tail}" for tail in ("customer", "batch", "upload", "invoice/1/send")]
    for url in writes:
        assert (await asked(api, "HEAD", url))[0] == 400, url
    for url in (*reads[:9], *writes):
        assert await asked(api, "OPTIONS", url) == (204, "GET, HEAD, OPTIONS, POST", b""), url
    for url in reads[9:]:
        status, allowed, _ = await asked(api, "OPTIONS", url)
        assert (status, allowed.startswith("GET,HEAD")) == (405, True), url
    token = f"{api.emulator.base_url}/oauth2/v1/tokens/bearer"
    assert [(await asked(api, method, token))[:2] for method in ("HEAD", "OPTIONS")] == [(405, "POST")] * 2
