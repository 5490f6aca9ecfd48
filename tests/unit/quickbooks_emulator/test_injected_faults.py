"""Each kind of fault, over real sockets: what the client sees, and what the books hold."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.values import as_list, as_object
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_company import Api, code_of, running

OPTIONS = EmulatorOptions(seed=1, manual_clock=True, limits=LimitNumbers(enabled=False))


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running(OPTIONS) as made:
        yield made


def named(name: str) -> JsonObject:
    return {"DisplayName": name}


def names(api: Api) -> list[str]:
    return [effect.name for effect in api.emulator.books.journal]


async def raw_answer(api: Api, body: bytes) -> tuple[int, str, str]:
    url = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/customer"
    async with api.session.post(url, data=body, headers={"Authorization": f"Bearer {api.token}"}) as answer:
        return answer.status, answer.content_type, await answer.text()


async def test_a_lost_answer_has_its_effect_and_its_replay(api: Api) -> None:
    await api.fault(kind="lost_answer")
    with pytest.raises(aiohttp.ClientError):
        await api.post("customer", named("Ann"), requestid="r")
    assert names(api) == ["Ann"]
    status, body = await api.post("customer", named("Ann"), requestid="r")
    assert (status, as_object(body["Customer"])["Id"]) == (200, "1")
    assert names(api) == ["Ann"]


async def test_a_late_effect_lands_after_the_client_went(api: Api) -> None:
    await api.fault(kind="late_effect", seconds=30)
    with pytest.raises(TimeoutError):
        await api.call("POST", "customer", named("Ann"), parameters={"requestid": "r"}, patience=0.3)
    assert names(api) == []
    await until(lambda: last_status(api) == 0)
    await api.control("/clock", {"advance_seconds": 29})
    assert names(api) == []
    await api.control("/clock", {"advance_seconds": 1})
    await until(lambda: names(api) == ["Ann"])
    await api.post("customer", named("Ann"), requestid="r")
    assert names(api) == ["Ann"]


async def test_a_late_effect_that_was_overtaken_by_the_repetition_happens_once(api: Api) -> None:
    await api.fault(kind="late_effect", seconds=30, hold_seconds=0)
    with pytest.raises(aiohttp.ClientError):
        await api.post("customer", named("Ann"), requestid="r")
    assert (await api.post("customer", named("Ann"), requestid="r"))[0] == 200
    await api.control("/clock", {"advance_seconds": 30})
    await until(lambda: "late_effect landed" in outcomes(api))
    assert names(api) == ["Ann"]


def outcomes(api: Api) -> list[object]:
    return [call["outcome"] for call in api.emulator.stats.calls(0, 100)]


def last_status(api: Api) -> object:
    calls = api.emulator.stats.calls(0, 100)
    return calls[-1]["status"] if calls else None


async def until(holds: object) -> None:
    assert callable(holds)
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def test_throttle_by_count_and_by_time(api: Api) -> None:
    await api.fault(kind="throttle", count=2)
    assert [(await api.post("customer", named(str(number))))[0] for number in range(3)] == [429, 429, 200]
    await api.fault(kind="throttle", seconds=60)
    assert [(await api.get("customer/1"))[0] for _ in range(2)] == [429, 429]
    await api.control("/clock", {"advance_seconds": 60})
    assert (await api.get("customer/1"))[0] == 200


async def test_server_errors_before_and_after_the_effect(api: Api) -> None:
    await api.fault(kind="server_error")
    status, body = await api.post("customer", named("Ann"))
    assert (status, code_of(body), names(api)) == (500, "10000", [])
    await api.fault(kind="server_error", status=503, effect=True)
    assert (await api.post("customer", named("Bo"), requestid="b"))[0] == 503
    assert names(api) == ["Bo"]


async def test_html_and_xml(api: Api) -> None:
    await api.fault(kind="html_error", status=503)
    status, kind, text = await raw_answer(api, b'{"DisplayName":"Ann"}')
    assert (status, kind, text.startswith("<html>")) == (503, "text/html", True)
    await api.fault(kind="xml_fault")
    status, kind, text = await raw_answer(api, b'{"DisplayName":"Ann"}')
    assert (status, kind, '<Fault type="SystemFault">' in text) == (500, "application/xml", True)
    assert names(api) == []


async def test_an_expired_token(api: Api) -> None:
    await api.fault(kind="auth_expired")
    status, body = await api.post("customer", named("Ann"))
    assert (status, as_object(as_list(as_object(body["fault"])["error"])[0])["code"]) == (401, "3200")
    assert (await api.post("customer", named("Ann")))[0] == 200


async def test_a_slow_answer_waits_for_the_clock(api: Api) -> None:
    await api.fault(kind="slow", seconds=5)
    waiting = asyncio.create_task(api.post("customer", named("Ann")))
    done, _ = await asyncio.wait({waiting}, timeout=0.2)
    assert set() == done
    await api.control("/clock", {"advance_seconds": 5})
    assert (await waiting)[0] == 200


async def test_a_stale_object(api: Api) -> None:
    customer = await api.customer("Ann")
    await api.fault(kind="stale", entity="customer", operation="update")
    body: JsonObject = {"Id": customer, "SyncToken": "0", "sparse": True, "Notes": "n"}
    status, answer = await api.post("customer", body)
    assert (status, code_of(answer)) == (400, "5010")
    assert (await api.post("customer", {**body, "SyncToken": "1"}))[0] == 200


async def test_filters_count_and_after(api: Api) -> None:
    await api.fault(kind="server_error", entity="Vendor", operation="create", after=1, count=2)
    assert (await api.post("customer", named("C")))[0] == 200
    assert [(await api.post("vendor", named(f"V{number}")))[0] for number in range(4)] == [200, 500, 500, 200]
    await api.fault(kind="server_error", batch=True)
    assert (await api.post("customer", named("D")))[0] == 200
    assert (await api.post("batch", {"BatchItemRequest": []}))[0] == 500
    await api.fault(kind="server_error", body_contains="needle")
    assert [(await api.post("customer", named(name)))[0] for name in ("hay", "needle")] == [200, 500]
    await api.fault(kind="server_error", operation="query", entity="Item")
    assert [(await api.get("query", query=f"select * from {entity}"))[0] for entity in ("Customer", "Item")] == [
        200,
        500,
    ]
    assert (await api.control("/faults", method="DELETE"))["removed"] == 4


async def test_change_data_capture_lies_about_a_live_row(api: Api) -> None:
    customer = await api.customer("Ann")
    await api.fault(kind="cdc_false_delete", entity="Customer", id=customer)
    since = "2026-01-01T00:00:00Z" if api.emulator.clock.now().isoformat() < "2026-01-30" else recent(api)
    _, body = await api.get("cdc", entities="Customer", changedSince=since)
    group = as_object(as_list(as_object(as_list(body["CDCResponse"])[0])["QueryResponse"])[0])
    assert as_object(as_list(group["Customer"])[0])["status"] == "Deleted"
    assert (await api.get(f"customer/{customer}"))[0] == 200


def recent(api: Api) -> str:
    return api.emulator.clock.now().date().isoformat() + "T00:00:00Z"


async def test_orders_that_make_no_sense_are_refused(api: Api) -> None:
    for path, body in (
        ("/faults", {"kind": "earthquake"}),
        ("/faults", {"kind": "slow", "secs": 1}),
        ("/clock", {"advance_seconds": -1}),
        ("/limits", {"requests_per_minute": "many"}),
        ("/books/Nothing", {}),
        ("/books/Customer", {"operation": "paint"}),
        ("/books/Customer", {"operation": "update", "id": "77"}),
    ):
        async with api.session.post(api.emulator.control_url + path, json=body) as answer:
            assert (answer.status, len(await answer.text()) > 10) == (400, True)
