"""The emulator as a process, and the rules of HubSpot's that it enforces."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from counterfoil_schema.exact_json import JsonObject, dumps, loads_object
from support.hubspot import Account, account, company, deal

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import asyncio, sys
from counterfoil_adapters.hubspot.emulator import serve
sys.exit(asyncio.run(serve(sys.argv[1:])))
"""


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


async def call(held: Account, method: str, path: str, body: object = None) -> tuple[int, JsonObject]:
    headers = {
        "Authorization": f"Bearer {held.emulator.credentials.access_token}",
        "Content-Type": "application/json",
    }
    data = dumps(body) if body is not None else None
    async with held.http.request(method, held.emulator.base_url + path, data=data, headers=headers) as response:
        return response.status, loads_object(await response.read())


async def test_it_announces_itself_serves_and_ends_on_sigterm() -> None:
    paths = os.pathsep.join(str(ROOT / name) for name in ("engine", "adapters", "schema"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        *("--port", "0", "--json", "--seed", "7", "--limits", "off"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout is not None
    told = loads_object(await process.stdout.readline())
    assert {
        "base_url",
        "access_token",
        "client_id",
        "client_secret",
        "refresh_token",
        "app_id",
        "portal_id",
        "control_url",
    } == told.keys()
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        async with session.get(f"{told['base_url']}/crm/v3/objects/deals", headers=headers) as response:
            assert (response.status, loads_object(await response.read())) == (200, {"results": []})
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_the_same_seed_gives_the_same_secrets() -> None:
    async with account(seed=3) as first, account(seed=3) as second, account(seed=4) as third:
        names = ("access_token", "client_secret", "refresh_token")
        tell = [[held.emulator.ready()[name] for name in names] for held in (first, second, third)]
    assert tell[0] == tell[1]
    assert tell[0] != tell[2]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ([("amount", "GTE", "100")], ["2", "3"]),
        ([("amount", "GT", "100")], ["3"]),
        ([("amount", "LT", "100")], ["1"]),
        ([("amount", "LTE", "100.00")], ["1", "2"]),
        ([("amount", "EQ", "100")], ["2"]),
        ([("dealname", "EQ", "DEAL 3")], ["3"]),
        ([("hs_is_closed_won", "EQ", "true"), ("hs_object_id", "GT", "1")], ["2", "3"]),
        ([("hs_lastmodifieddate", "GTE", "1793491200000")], ["3"]),
    ],
)
async def test_search_compares_by_the_property_s_type(
    held: Account, query: list[tuple[str, str, str]], ids: list[str]
) -> None:
    old = {"updatedAt": "2026-10-31T00:00:00Z"}
    rows = [deal(1, amount="9.5", **old), deal(2, amount="100.00", **old)]
    await held.load(deals=[*rows, deal(3, amount="1000", updatedAt="2026-11-01T00:00:00Z"), deal(4, **old)])
    filters = [{"propertyName": name, "operator": op, "value": value} for name, op, value in query]
    body = {"filterGroups": [{"filters": filters}], "sorts": ["hs_object_id"], "limit": 200}
    _, found = await call(held, "POST", "/crm/v3/objects/deals/search", body)
    results = found["results"]
    assert isinstance(results, list)
    assert [ids, len(ids)] == [
        [row["id"] for row in results if isinstance(row, dict) and row["id"] != "4"],
        len([row for row in results if isinstance(row, dict) and row["id"] != "4"]),
    ]


async def test_search_ends_at_ten_thousand(held: Account) -> None:
    path = "/crm/v3/objects/companies/search"
    assert (await call(held, "POST", path, {"filterGroups": [], "limit": 200, "after": "9800"}))[0] == 200
    status, body = await call(held, "POST", path, {"filterGroups": [], "limit": 200, "after": "9801"})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert (await call(held, "POST", path, {"limit": 201}))[0] == 400


async def test_the_eleventh_second_lets_calls_through_again_and_429_says_which_limit(held: Account) -> None:
    async with account(limits=True) as limited:
        statuses = [(await call(limited, "GET", "/crm/v3/objects/deals"))[0] for _ in range(100)]
        assert {200} == set(statuses)
        status, body = await call(limited, "GET", "/crm/v3/objects/deals")
        assert (status, body["errorType"], body["policyName"]) == (429, "RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    async with account(limits=True) as limited:
        path = "/crm/v3/objects/deals/search"
        statuses = [(await call(limited, "POST", path, {"filterGroups": []}))[0] for _ in range(6)]
        assert statuses == [200, 200, 200, 200, 200, 429]


async def test_writes_name_what_is_wrong_with_each_property(held: Account) -> None:
    await held.load(deals=[deal(1)])
    values = {"amount": "much", "no_such": "x", "hs_object_id": "5"}
    status, body = await call(held, "PATCH", "/crm/objects/2026-09/deals/1", {"properties": values})
    errors = body["errors"]
    assert isinstance(errors, list)
    codes = {entry["code"] for entry in errors if isinstance(entry, dict)}
    assert (400, {"INVALID_DOUBLE", "PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}) == (status, codes)
    assert (await held.control("GET", "/journal"))["entries"] == []


async def test_the_journal_tells_people_from_programs(held: Account) -> None:
    await held.load(deals=[deal(1)])
    await held.control("PATCH", "/people/deals/1", {"properties": {"amount": "5"}})
    await call(held, "PATCH", "/crm/objects/2026-09/deals/1", {"properties": {"dealname": "x"}})
    entries = (await held.control("GET", "/journal"))["entries"]
    assert isinstance(entries, list)
    assert [(entry["seq"], entry["by"], entry["properties"]) for entry in entries if isinstance(entry, dict)] == [
        (1, "person", {"amount": "5"}),
        (2, "api", {"dealname": "x"}),
    ]
    later = (await held.control("GET", "/journal?after=1"))["entries"]
    assert isinstance(later, list)
    assert len(later) == 1


async def test_the_account_s_clock_can_be_set(held: Account) -> None:
    await held.control("POST", "/clock", {"now": "2027-01-01T00:00:00Z"})
    await held.load(companies=[company(1)])
    _, body = await call(held, "GET", "/crm/v3/objects/companies/1")
    assert str(body["updatedAt"])[:19] == "2027-01-01T00:00:00"


async def test_a_load_that_makes_no_sense_is_refused(held: Account) -> None:
    nonsense: list[JsonObject] = [
        {"objects": {"planets": []}},
        {"objects": {"deals": [{"id": "x", "properties": {}}]}},
        {"associations": [{"from": "deals", "from_id": "1", "to": "companies", "to_ids": ["2"]}]},
    ]
    for body in nonsense:
        headers = {"Content-Type": "application/json"}
        async with held.http.post(held.emulator.control_url + "/load", data=dumps(body), headers=headers) as response:
            assert response.status == 400
