"""The emulator as a process, and the rules of BambooHR's that a caller can feel."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from counterfoil.emulating import EmulatorOptions
from counterfoil_adapters.bamboohr.emulator import BambooEmulator
from counterfoil_schema.exact_json import JsonObject, dumps
from support.bamboohr import Company, bamboohr, person

ROOT = Path(__file__).parents[2]
RUN = """
import asyncio, sys
from counterfoil_adapters.bamboohr.emulator import serve
sys.exit(asyncio.run(serve(sys.argv[1:])))
"""


async def asked(company: Company, path: str, key: str = "", body: JsonObject | None = None) -> tuple[int, str, str]:
    """Status, the header that says what is wrong, and the body."""
    user = key or str(company.emulator.ready()["api_key"])
    method, data = ("GET", None) if body is None else ("POST", dumps(body))
    headers = {"Authorization": aiohttp.encode_basic_auth(user, "x")}
    async with company.session.request(
        method,
        company.emulator.base_url + path,
        headers=headers,
        data=data,
    ) as answer:
        return answer.status, answer.headers.get("X-BambooHR-Error-Message", ""), await answer.text()


async def test_the_process_says_where_it_is_serves_and_stops_on_sigterm() -> None:
    roots = os.pathsep.join(str(ROOT / name) for name in ("engine", "adapters", "schema"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "--port", "0", "--json", "--seed", "7", "--limits", "off"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": roots},
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    async with aiohttp.ClientSession() as session:
        await session.post(f"{ready['control_url']}/seed", data=dumps({"people": 300, "days": 2}))
        headers = {"Authorization": aiohttp.encode_basic_auth(ready["api_key"], "anything")}
        async with session.get(f"{ready['base_url']}/api/v1/employees", headers=headers) as answer:
            shown = await answer.json()
    process.send_signal(signal.SIGTERM)

    assert await process.wait() == 0
    assert shown["meta"]["total"] == 300
    assert set(ready) == {
        *("base_url", "control_url", "company_domain", "company_id", "api_key", "client_id", "client_secret"),
        *("access_token", "refresh_token", "webhook_key"),
    }


@pytest.mark.parametrize("status", [429, 503])
async def test_beyond_the_limit_it_says_when_to_come_back(status: int) -> None:
    async with bamboohr(BambooEmulator(EmulatorOptions(), calls_max=2, limit_status=status)) as company:
        found = [(await asked(company, "/api/v1/meta/fields"))[0] for _ in range(3)]
        await company.control("/clock", {"advance_seconds": 30})

        assert found == [200, 200, status]
        assert (await asked(company, "/api/v1/meta/fields"))[0] == 200


async def test_a_stranger_is_told_in_a_header() -> None:
    async with bamboohr() as company:
        status, words, body = await asked(company, "/api/v1/meta/fields", "wrong")

        assert (status, body) == (401, "")
        assert "API key" in words


async def test_what_a_key_may_not_see_is_left_out_or_null_and_named() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0), person(1)]})
        made = await company.control("/keys", {"hides": ["workEmail", "jobInfo.department"], "people": ["100"]})
        key = made["api_key"]

        one = json.loads((await asked(company, "/api/v1/employees/100?fields=firstName,workEmail,department", key))[2])
        several = json.loads((await asked(company, "/api/v1/employees?fields=workEmail,departmentName", key))[2])
        rows = json.loads((await asked(company, "/api/v1/employees/all/tables/jobInfo", key))[2])

        assert one == {"id": "100", "firstName": "Zoë0"}
        (shown,) = several["data"]
        assert (shown["workEmail"], shown["_restrictedFields"]) == (None, ["workEmail", "departmentName"])
        assert ["department" in row for row in rows] == [False]
        assert (await asked(company, "/api/v1/employees/101?fields=firstName", key))[0] == 403


async def test_the_list_pages_by_a_cursor() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(n) for n in range(5)]})
        after, found = "", []
        while True:
            shown = json.loads((await asked(company, f"/api/v1/employees?page[limit]=2{after}"))[2])
            found += [row["employeeId"] for row in shown["data"]]
            following = shown["meta"]["page"]["nextCursor"]
            if following is None:
                break
            after = f"&page[after]={following}"

        assert found == ["100", "101", "102", "103", "104"]


async def test_fields_that_are_none_are_passed_over() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})

        told = await asked(company, "/api/v1/employees/100", body={"lastName": "New", "nonsense": "x"})
        shown = (await company.state())["employees"]["100"]

        assert (told[0], shown["lastName"], "nonsense" in shown) == (200, "New", False)
