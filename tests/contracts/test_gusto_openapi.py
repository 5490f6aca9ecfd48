"""The emulator's answers against the description of Gusto's API that is generated from Gusto's own client."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps
from support.gusto import Company, contractor_payment, contractors, employees, gusto, payroll, person

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "gusto" / "gusto.openapi.json"
ORIGIN = "https://api.gusto.com"
INCLUDE = "benefits,deductions,taxes,totals,payroll_taxes"

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="the API descriptions are not beside the repository")


@pytest.fixture(scope="module")
def spec() -> OpenAPI:
    described = json.loads(SPEC.read_text())
    # Only the form of the answers is judged here; tokens have tests of their own.
    for operations in described["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return OpenAPI.from_dict(described)


async def checked(
    company: Company, spec: OpenAPI, method: str, path: str, *, system: bool = False, body: JsonObject | None = None
) -> int:
    """Call the emulator and hold the answer against the description; the status."""
    token = company.emulator.tokens.access_token
    if system:
        credentials: JsonObject = {
            "client_id": company.emulator.tokens.client_id,
            "client_secret": company.emulator.tokens.client_secret,
            "grant_type": "system_access",
        }
        token = str(company.emulator.tokens.exchange(credentials)["access_token"])
    headers = {"Authorization": f"Bearer {token}", "X-Gusto-API-Version": "2025-06-15"}
    data = dumps(body) if body is not None else None
    async with company.session.request(method, company.emulator.base_url + path, headers=headers, data=data) as answer:
        parts = urlsplit(path)
        request = MockRequest(
            ORIGIN,
            method.lower(),
            parts.path,
            args=dict(parse_qsl(parts.query)),
            headers=dict(headers),
            data=data,
            content_type="application/json",
        )
        content_type = answer.headers.get("Content-Type", "application/json").partition(";")[0]
        response = MockResponse(await answer.read(), status_code=answer.status, content_type=content_type)
        spec.validate_response(request, response)
        return answer.status


async def test_reads_have_the_described_form(spec: OpenAPI) -> None:
    async with gusto() as company:
        day = company.clock.now().date().isoformat()
        people = [person("e0", "5000.00"), person("e1", "6000.00", reimbursements=[{"amount": 5, "description": None}])]
        await company.control("/load", {"employees": employees(3), "payrolls": [payroll("p1", day, people)]})
        payments: list[JsonValue] = [contractor_payment("cp1", "c1", "2026-03-13")]
        await company.control("/load", {"contractors": contractors(), "contractor_payments": payments})
        await company.control("/people/payrolls/p1/reverse")
        root = f"/v1/companies/{company.emulator.store.company_uuid}"
        paths = [
            "/v1/token_info",
            root,
            f"{root}/departments",
            f"{root}/locations",
            f"{root}/contractors",
            "/v1/contractors/c2",
            f"{root}/contractor_payments/cp1",
            f"{root}/contractor_payments?start_date=2026-01-01&end_date=2026-12-31",
            f"{root}/employees?page=1&per=2",
            "/v1/employees/e1",
            f"{root}/payrolls?payroll_types=regular,off_cycle&include=totals,taxes",
            f"{root}/payrolls/p1?include={INCLUDE}",
        ]

        assert {200} == {await checked(company, spec, "GET", path) for path in paths}
        assert await checked(company, spec, "GET", "/v1/events?limit=10", system=True) == 200
        assert await checked(company, spec, "GET", "/v1/events?limit=1000", system=True) == 422
        assert await checked(company, spec, "GET", f"{root}/payrolls/none") == 404
        assert await checked(company, spec, "GET", f"{root}/contractor_payments/none") == 404


async def test_reports_have_the_described_form(spec: OpenAPI) -> None:
    async with gusto() as company:
        load: JsonObject = {"employees": employees(1), "payrolls": [payroll("p1", "2026-03-13", [person("e0", "10")])]}
        await company.control("/load", load)
        path, body = "/v1/payrolls/p1/reports/general_ledger", {"aggregation": "department", "integration_type": None}
        wrong: JsonObject = {"aggregation": "integration", "integration_type": None}

        assert await checked(company, spec, "POST", path, body={**body}) == 200
        assert await checked(company, spec, "POST", path, body=wrong) == 422
        (asked,) = company.emulator.reports.asked
        # Still in the making, then ready.
        assert [await checked(company, spec, "GET", f"/v1/reports/{asked}") for _ in range(2)] == [200, 200]
        assert await checked(company, spec, "GET", "/v1/reports/none") == 404


async def test_subscriptions_have_the_described_form(spec: OpenAPI) -> None:
    async with gusto() as company:
        path = "/v1/webhook_subscriptions"
        body: JsonObject = {"url": "http://127.0.0.1:9/hooks", "subscription_types": ["Payroll"]}
        assert await checked(company, spec, "POST", path, system=True, body=body) == 201
        (hook,) = company.emulator.webhooks.subscriptions.values()
        token: JsonObject = {"verification_token": hook.token}
        wrong: JsonObject = {"verification_token": "wrong"}

        assert await checked(company, spec, "PUT", f"{path}/{hook.uuid}/verify", system=True, body=wrong) == 422
        assert await checked(company, spec, "PUT", f"{path}/{hook.uuid}/verify", system=True, body=token) == 200
        assert await checked(company, spec, "GET", path, system=True) == 200
        resend = f"{path}/{hook.uuid}/request_verification_token"
        assert await checked(company, spec, "GET", resend, system=True) == 200
