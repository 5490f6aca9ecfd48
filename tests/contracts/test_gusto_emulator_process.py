"""The emulator as a process, and the rules of Gusto's that an application can feel."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from counterfoil_schema.exact_json import JsonObject, dumps
from support.gusto import Company, employees, gusto, payroll, person

ROOT = Path(__file__).parents[2]
RUN = """
import asyncio, sys
from counterfoil_adapters.gusto.emulator import serve
sys.exit(asyncio.run(serve(sys.argv[1:])))
"""


async def test_the_process_says_where_it_is_serves_and_stops_on_sigterm() -> None:
    roots = os.pathsep.join(str(ROOT / name) for name in ("engine", "adapters", "schema"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        *("--port", "0", "--json", "--seed", "7", "--limits", "off"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": roots},
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {ready['access_token']}"}
        url = f"{ready['base_url']}/v1/companies/{ready['company_uuid']}"
        async with session.get(url, headers=headers) as answer:
            shown = await answer.json()
        async with session.get(f"{ready['control_url']}/state") as answer:
            state = await answer.json()
    process.send_signal(signal.SIGTERM)

    assert await process.wait() == 0
    assert ready["company_uuid"] == shown["uuid"] == state["company_uuid"]
    assert {
        "base_url",
        "access_token",
        "refresh_token",
        "client_id",
        "client_secret",
        "authorization_code",
        "company_uuid",
        "verification_token",
        "control_url",
    } == set(ready)


async def asked(
    company: Company, method: str, path: str, *, token: str | None = None, body: JsonObject | None = None
) -> tuple[int, dict[str, str]]:
    bearer = token if token is not None else company.emulator.tokens.access_token
    async with company.session.request(
        method,
        company.emulator.base_url + path,
        headers={"Authorization": f"Bearer {bearer}"},
        data=dumps(body) if body is not None else None,
    ) as answer:
        await answer.read()
        return answer.status, dict(answer.headers)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("start_date=2025-01-01&end_date=2025-12-31", 200),
        ("start_date=2024-01-01&end_date=2025-12-31", 422),
        ("start_date=yesterday", 422),
        ("per=100", 200),
        ("per=101", 422),
        ("page=0", 422),
        ("page=one", 422),
    ],
)
async def test_windows_and_pages_have_bounds(query: str, status: int) -> None:
    async with gusto() as company:
        path = f"/v1/companies/{company.emulator.store.company_uuid}/payrolls?{query}"

        assert status == (await asked(company, "GET", path))[0]


async def test_calls_are_refused_by_what_they_lack() -> None:
    async with gusto() as company:
        root = f"/v1/companies/{company.emulator.store.company_uuid}"
        found = [
            (await asked(company, "GET", root, token="wrong"))[0],
            (await asked(company, "GET", "/v1/events"))[0],
            (await asked(company, "GET", "/v1/companies/another/employees"))[0],
            (await asked(company, "GET", "/v1/nowhere"))[0],
        ]

        assert found == [401, 403, 404, 404]


async def test_a_stale_version_is_a_conflict() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        version = company.emulator.store.employees["e0"]["version"]
        first = await asked(company, "PUT", "/v1/employees/e0", body={"version": version, "first_name": "Ana"})
        second = await asked(company, "PUT", "/v1/employees/e0", body={"version": version, "first_name": "Bea"})

        assert (first[0], second[0]) == (200, 409)


async def test_secrets_in_the_url_are_refused() -> None:
    async with gusto() as company:
        status, _ = await asked(company, "POST", "/oauth/token?client_secret=s", body={"grant_type": "system_access"})

        assert status == 400


async def test_the_old_refresh_token_dies_when_the_new_access_token_is_used() -> None:
    async with gusto() as company:
        tokens = company.emulator.tokens
        body: JsonObject = {
            "client_id": tokens.client_id,
            "client_secret": tokens.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh_token,
        }
        answers = []
        for _ in range(2):
            async with company.session.post(company.emulator.base_url + "/oauth/token", data=dumps(body)) as answer:
                answers.append((answer.status, await answer.json()))
        await asked(company, "GET", "/v1/token_info", token=answers[1][1]["access_token"])
        async with company.session.post(company.emulator.base_url + "/oauth/token", data=dumps(body)) as answer:
            last = answer.status

        assert [*(status for status, _ in answers), last] == [200, 200, 401]


async def test_the_minute_of_a_grant_slides() -> None:
    async with gusto() as company:
        root = f"/v1/companies/{company.emulator.store.company_uuid}"
        statuses = [(await asked(company, "GET", root))[0] for _ in range(200)]
        refused, headers = await asked(company, "GET", root)
        await company.control("/clock", {"advance_seconds": 61})
        again, _ = await asked(company, "GET", root)

        assert ({200}, 429, 200) == (set(statuses), refused, again)
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("200", "0")
        assert 0 < int(headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("/load", {"employees": [{"first_name": "Ana"}]}, "last_name"),
        ("/load", {"payrolls": [payroll("p1", "soon", [])]}, "check_date"),
        ("/load", {"payrolls": [payroll("p1", "2026-11-13", [person("e0", "many")])]}, "gross_pay"),
        ("/faults", {"kind": "earthquake"}, "kind"),
        ("/faults", {"kind": "slow", "times": -1}, "times"),
        ("/clock", {"now": "noon"}, "now"),
        ("/clock", {}, "advance_seconds"),
    ],
)
async def test_the_control_port_names_what_is_wrong(path: str, body: JsonObject, word: str) -> None:
    async with gusto() as company:
        told = await company.control(path, body, status=422)

        assert word in told["errors"][0]["message"]
