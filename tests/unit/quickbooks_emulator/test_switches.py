"""What Intuit's pages leave open, each way; and what a company's owner does: merges, refusals of consent, tiers."""

from decimal import Decimal

import pytest
from aiohttp import ClientResponse

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.options import Switches, options_from
from counterfoil.quickbooks.emulator.person import act, action_from
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_company import Api, Company, applied, code_of, line, posting, running

DAY = 86_400
OFF = LimitNumbers(enabled=False)


async def refresh(api: Api, token: str) -> ClientResponse:
    office = api.emulator.office
    form = {"grant_type": "refresh_token", "refresh_token": token}
    credentials = {"client_id": office.client_id, "client_secret": office.client_secret}
    return await api.session.post(f"{api.emulator.base_url}/oauth2/v1/tokens/bearer", data={**form, **credentials})


@pytest.mark.parametrize(("switch", "lives_on"), [("refused", True), ("revokes", False)])
async def test_a_refresh_token_that_was_replaced(switch: str, lives_on: bool) -> None:
    switches = Switches(old_refresh="revokes" if switch == "revokes" else "refused")
    async with running(EmulatorOptions(seed=1, manual_clock=True, switches=switches)) as api:
        first = api.emulator.office.refresh_token
        await api.control("/clock", {"advance_seconds": DAY})
        second = (await (await refresh(api, first)).json())["refresh_token"]
        assert second != first
        again = await refresh(api, first)
        assert (again.status, (await again.json())["error"]) == (400, "invalid_grant")
        assert ((await refresh(api, second)).status == 200) == lives_on
        # What was never a token ends nothing.
        assert (await refresh(api, "RT1-never")).status == 400


@pytest.mark.parametrize(("switch", "code"), [("told", ""), ("refused", "4001")])
async def test_change_data_capture_of_time_activities(switch: str, code: str) -> None:
    switches = Switches(cdc_time_activity="refused" if switch == "refused" else "told")
    async with running(EmulatorOptions(seed=1, switches=switches, limits=OFF)) as api:
        since = api.emulator.clock.now().isoformat()
        _, body = await api.get("cdc", entities="TimeActivity", changedSince=since)
        assert code_of(body) == code


@pytest.mark.parametrize(("order", "seen"), [("serial", 1), ("parallel", 0)])
async def test_no_item_of_a_batch_at_once_sees_another(order: str, seen: int) -> None:
    switches = Switches(batch_order="parallel" if order == "parallel" else "serial")
    async with running(EmulatorOptions(seed=1, switches=switches, limits=OFF)) as api:
        items: list[JsonValue] = [
            {"bId": "1", "operation": "create", "Customer": {"DisplayName": "Ann"}},
            {"bId": "2", "Query": "select * from Customer"},
        ]
        _, body = await api.post("batch", {"BatchItemRequest": items})
        by_id = {as_text(as_object(one)["bId"]): as_object(one) for one in as_list(body["BatchItemResponse"])}
        assert len(as_list(as_object(by_id["2"]["QueryResponse"]).get("Customer"))) == seen
        assert code_of(by_id["1"]) == ""


async def test_of_two_changes_of_one_record_in_a_batch_one_is_stale() -> None:
    switches = Switches(batch_order="parallel")
    async with running(EmulatorOptions(seed=1, switches=switches, limits=OFF)) as api:
        await api.customer("Ann")
        items: list[JsonValue] = [
            {
                "bId": note,
                "operation": "update",
                "Customer": {"Id": "1", "SyncToken": "0", "sparse": True, "Notes": note},
            }
            for note in "ab"
        ]
        _, body = await api.post("batch", {"BatchItemRequest": items})
        codes = [code_of(as_object(one)) for one in as_list(body["BatchItemResponse"])]
        assert sorted(codes) == ["", "5010"]


async def test_billed_reads_end_with_the_month_s_allowance_and_begin_anew() -> None:
    async with running(EmulatorOptions(seed=1, manual_clock=True)) as api:
        await api.customer("Ann")
        await api.control("/limits", {"metered_per_month": 2})
        statuses = [(await api.get("customer/1"))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
        # Writes are not billed.
        assert (await api.post("customer", {"DisplayName": "Bo"}))[0] == 200
        stats = await api.control("/stats")
        assert (stats["metered_in_month"], stats["throttled_by"]) == (2, {"metered_per_month": 1})
        await api.control("/clock", {"advance_seconds": 31 * DAY})
        api.token = api.emulator.office.issue_access()
        assert (await api.get("customer/1"))[0] == 200


def test_what_cannot_be_merged() -> None:
    company = Company()
    who = company.customer()
    for entity, gone, kept, code in (("Invoice", "1", "2", "500"), ("Customer", who, who, "6000")):
        action = action_from({"operation": "merge", "id": gone, "into": kept}, entity)
        with pytest.raises(QuickBooksFaultError) as caught:
            act(company.books, action)
        assert caught.value.code == code


async def test_consent_can_be_refused_once() -> None:
    async with running(EmulatorOptions(seed=1)) as api:
        await api.control("/oauth", {"deny": True})
        asked = {
            "client_id": api.emulator.office.client_id,
            "response_type": "code",
            "scope": "com.intuit.quickbooks.accounting",
            "redirect_uri": "https://app.example/cb",
            "state": "s",
        }
        url = f"{api.emulator.base_url}/connect/oauth2"
        places = []
        for _ in range(2):
            async with api.session.get(url, params=asked, allow_redirects=False) as answer:
                places.append(answer.headers["Location"])
        assert places[0] == "https://app.example/cb?error=access_denied&state=s"
        assert "code=" in places[1]


async def test_a_fault_from_the_beginning() -> None:
    options, _ = options_from(["--seed", "1", "--fault", '{"kind": "fault", "code": "6190"}'])
    async with running(options) as api:
        assert code_of((await api.post("customer", {"DisplayName": "Ann"}))[1]) == "6190"
        assert code_of((await api.post("customer", {"DisplayName": "Ann"}))[1]) == ""


@pytest.mark.parametrize("text", ["{", "[]", '{"kind": "rain"}', '{"kind": "fault", "code": "1"}'])
def test_a_fault_that_is_none_is_named(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leave:
        options_from(["--fault", text])
    assert leave.value.code == 2
    assert f"--fault {text}" in capsys.readouterr().err


def test_what_named_the_one_names_the_other_after_a_merge() -> None:
    company = Company()
    gone, kept = company.customer("Ann Leigh"), company.customer("Ann Lee")
    item = company.item()
    job = company.write("Customer", {"DisplayName": "Roof", "Job": True, "ParentRef": {"value": gone}})
    invoice = company.invoice(gone, [line(item, "10.00")])
    company.payment(gone, "4.00", [applied("Invoice", as_text(invoice["Id"]), "4.00")])
    entity: JsonObject = {"Type": "Customer", "EntityRef": {"value": gone}}
    entry: list[JsonValue] = [posting("Debit", "84", "3.00", entity), posting("Credit", "1", "3.00")]
    company.write("JournalEntry", {"Line": entry})
    merged = merge(company, gone, kept)
    assert (merged["Id"], merged["SyncToken"], merged["Balance"]) == (kept, "1", Decimal("9.00"))
    reference = as_object(company.shown("Invoice", as_text(invoice["Id"]))["CustomerRef"])
    assert reference == {"value": kept, "name": "Ann Lee"}
    assert as_object(company.shown("Customer", as_text(job["Id"]))["ParentRef"])["value"] == kept
    assert company.books.tables.get("Customer", gone) is None
    # The name is free again, and the books balance.
    company.customer("Ann Leigh")
    assert sum(company.books.ledger.accounts().values()) == 0


def merge(company: Company, gone: str, kept: str) -> JsonObject:
    action = action_from({"operation": "merge", "id": gone, "into": kept}, "Customer")
    return as_object(act(company.books, action)["Customer"])
