"""The emulator's answers, and the adapter's requests, against BambooHR's own description of its API."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from counterfoil_adapters.bamboohr.adapter import BambooSource
from counterfoil_schema.exact_json import JsonObject, dumps
from support.bamboohr import Company, bamboohr, collect, person, worked

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "bamboohr" / "bamboohr.openapi.json"
ORIGIN = "https://sample.bamboohr.com"
HOOK: JsonObject = {
    "name": "Mine",
    "url": "https://books.example/hooks",
    "format": "json",
    "monitorFields": ["firstName"],
    "events": ["employee.updated"],
}

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the API descriptions are not beside the repository")


@pytest.fixture(scope="module")
def spec() -> OpenAPI:
    described = json.loads(SPEC.read_text())
    described["servers"] = [{"url": ORIGIN}]
    # Only forms are judged here; keys and tokens have tests of their own.
    for operations in described["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return OpenAPI.from_dict(described)


def request_of(method: str, url: str, data: bytes | None = None) -> MockRequest:
    parts = urlsplit(url)
    return MockRequest(
        ORIGIN,
        method.lower(),
        parts.path,
        args=dict(parse_qsl(parts.query)),
        headers={"Accept": "application/json"},
        data=data,
        content_type="application/json",
    )


async def checked(company: Company, spec: OpenAPI, method: str, path: str, body: JsonObject | None = None) -> int:
    """Call the emulator and hold the answer against the description; the status."""
    key = str(company.emulator.ready()["api_key"])
    data = dumps(body) if body is not None else None
    headers = {"Authorization": aiohttp.encode_basic_auth(key, "x")}
    async with company.session.request(
        method,
        company.emulator.base_url + path,
        headers=headers,
        data=data,
    ) as answer:
        content_type = answer.headers.get("Content-Type", "application/json").partition(";")[0]
        response = MockResponse(await answer.read(), status_code=answer.status, content_type=content_type)
        spec.validate_response(request_of(method, ORIGIN + path, data), response)
        return answer.status


async def test_reads_have_the_described_form(spec: OpenAPI) -> None:
    async with bamboohr() as company:
        day = company.day(-1)
        clock = {"hours": None, "start": f"{day}T09:00:00-07:00", "end": f"{day}T12:20:00-07:00"}
        entries = [worked(100, day, 7), worked(100, day, "0.5", projectInfo=None), {**worked(101, day, 1), **clock}]
        await company.control("/load", {"employees": [person(n) for n in range(3)], "time": [*entries]})
        await company.control("/people/102/delete")
        since = "since=2020-01-01T00:00:00Z"
        paths = [
            "/api/v1/company_information",
            "/api/v1/employees?fields=workEmail,departmentName&page[limit]=2",
            "/api/v1/employees/100?fields=firstName,workEmail,status,terminationDate",
            f"/api/v1/employees/changed?{since}",
            f"/api/v1/employees/changed?{since}&type=deleted",
            f"/api/v1/employees/changed/tables/jobInfo?{since}",
            "/api/v1/employees/100/tables/compensation",
            "/api/v1/employees/all/tables/employmentStatus",
            "/api/v1/meta/fields",
            "/api/v1/meta/tables",
            f"/api/v1/time_tracking/timesheet_entries?start={day}&end={day}&employeeIds=100,101",
            "/api/v1/webhooks",
        ]

        assert {path: await checked(company, spec, "GET", path) for path in paths} == dict.fromkeys(paths, 200)
        assert await checked(company, spec, "GET", "/api/v1/employees/999?fields=firstName") == 404
        assert await checked(company, spec, "GET", "/api/v1/employees?page[limit]=2&page[after]=%25") == 400
        assert await checked(company, spec, "GET", "/api/v1/employees/changed?since=yesterday") == 400
        old = "/api/v1/time_tracking/timesheet_entries?start=2020-01-01&end=2020-01-02"
        assert await checked(company, spec, "GET", old) == 400


async def test_writes_have_the_described_form(spec: OpenAPI) -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})
        hours: JsonObject = {"hours": [{"employeeId": 100, "date": company.day(), "hours": 3, "projectId": 3}]}

        assert await checked(company, spec, "POST", "/api/v1/time_tracking/hour_entries/store", hours) == 201
        gone: JsonObject = {"hourEntryIds": [1]}
        assert await checked(company, spec, "POST", "/api/v1/time_tracking/hour_entries/delete", gone) == 204
        assert await checked(company, spec, "POST", "/api/v1/webhooks", HOOK) == 201
        assert await checked(company, spec, "GET", "/api/v1/webhooks/1") == 200
        plain: JsonObject = {**HOOK, "url": "http://books.example/hooks"}
        assert await checked(company, spec, "POST", "/api/v1/webhooks", plain) == 400


async def test_what_the_adapter_asks_is_described(spec: OpenAPI) -> None:
    asked: list[tuple[str, str]] = []

    async def note(_session: object, _context: object, request: aiohttp.TraceRequestStartParams) -> None:
        asked.append((request.method, ORIGIN + request.url.raw_path_qs))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    async with bamboohr() as company, aiohttp.ClientSession(trace_configs=[trace]) as session:
        entries = [worked(100, company.day(-1), 7), worked(100, company.day(-2), 7)]
        await company.control("/load", {"employees": [person(n) for n in range(3)], "time": [*entries]})
        mapping = {"time": {"track": "class"}}
        source = BambooSource(replace(company.context({"compensation": True}, mapping), http=session))
        for kind in source.kinds():
            _, cursor = await collect(source, kind)
            await company.control("/time/1/delete")
            await company.control("/people/101/change", {"lastName": "Else"})
            await collect(source, kind, cursor)
        await company.control("/people/102/delete")
        await source.read("employee", "102")
        await source.subscribe("https://books.example/hooks")

    for method, url in asked:
        if method == "GET":
            spec.validate_request(request_of(method, url))
    kinds = {(method, urlsplit(url).path) for method, url in asked}
    assert ("GET", "/api/v1/employees/100") in kinds
    assert ("GET", "/api/v1/time_tracking/timesheet_entries") in kinds
    assert [one for one in kinds if one[0] != "GET"] == [("POST", "/api/v1/webhooks")]
