"""Emulator's answers and adapter's requests against the description that is generated from Pipedrive's own client."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from counterfoil.sources.port import WriteBack
from counterfoil_schema.exact_json import JsonObject, dumps
from support.pipedrive import Account, account, deal, line, organization, pages, person, product

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "pipedrive"
ORIGIN = "https://api.pipedrive.com"

pytestmark = pytest.mark.skipif(not SPECS.exists(), reason="the API descriptions are not beside the repository")


@pytest.fixture(scope="module")
def specs() -> dict[str, OpenAPI]:
    return {name: described(name) for name in ("v1", "v2")}


def described(name: str) -> OpenAPI:
    """The description of a version; tokens have tests of their own."""
    whole = json.loads((SPECS / f"pipedrive-{name}.openapi.json").read_text())
    for operations in whole["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return OpenAPI.from_dict(whole)


def mock_request(method: str, url: str, body: bytes | None) -> MockRequest:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    args = {name: values if len(values) > 1 or name == "deal_ids" else values[0] for name, values in query.items()}
    content_type = "application/json"
    return MockRequest(ORIGIN, method.lower(), parts.path, args=args, data=body, content_type=content_type)


def spec_of(specs: dict[str, OpenAPI], url: str) -> OpenAPI:
    return specs["v2" if urlsplit(url).path.startswith("/api/v2/") else "v1"]


@asynccontextmanager
async def filled() -> AsyncIterator[Account]:
    async with account() as held:
        await held.load(
            fields={"deal": [{"field_name": "Terms", "field_type": "enum", "options": ["Net 15"]}]},
            organizations=[organization(4, address={"value": "1 Main St"}), organization(5)],
            persons=[person(21, emails=[{"value": "a@example.com", "primary": True, "label": "work"}]), person(22)],
            products=[product(31, "9.90"), product(32, 1)],
            deals=[
                deal(1, org_id=4, products=[line(9, "9.90", 2, product_id=31, tax=20, tax_method="exclusive")]),
                deal(
                    2, person_id=21, installments=[{"id": 71, "amount": Decimal("5.50"), "billing_date": "2026-11-01"}]
                ),
                deal(3, status="open", won_time=None),
            ],
        )
        yield held


async def checked(
    held: Account, specs: dict[str, OpenAPI], method: str, path: str, body: JsonObject | None = None
) -> int:
    """Call the emulator and hold the answer against the description; the status."""
    data = dumps(body) if body is not None else None
    headers = {"x-api-token": held.emulator.tokens.api_token}
    async with held.http.request(method, held.emulator.base_url + path, data=data, headers=headers) as answer:
        response = MockResponse(await answer.read(), status_code=answer.status, content_type="application/json")
        spec_of(specs, path).validate_response(mock_request(method, path, data), response)
        return answer.status


async def test_answers_have_the_described_form(specs: dict[str, OpenAPI]) -> None:
    async with filled() as held:
        good: list[tuple[str, str, JsonObject | None]] = [
            *(("GET", f"/api/v2/{kind}?limit=1", None) for kind in ("deals", "persons", "organizations", "products")),
            ("GET", "/api/v2/deals?status=deleted&sort_by=update_time&updated_since=2026-01-01T00:00:00Z", None),
            ("GET", "/api/v2/deals/1", None),
            ("GET", "/api/v2/persons/21", None),
            ("GET", "/api/v2/organizations/4", None),
            ("GET", "/api/v2/products/31", None),
            ("GET", "/api/v2/deals/products?deal_ids=1&deal_ids=2", None),
            ("GET", "/api/v2/deals/1/products", None),
            ("GET", "/api/v2/deals/installments?deal_ids=2", None),
            ("GET", "/api/v2/dealFields", None),
            ("GET", "/api/v2/stages", None),
            ("GET", "/api/v2/pipelines", None),
            ("POST", "/api/v2/dealFields", {"field_name": "Due", "field_type": "date"}),
            ("POST", "/api/v2/deals", {"title": "New", "value": 12}),
            ("PATCH", "/api/v2/deals/3", {"status": "won"}),
            ("POST", "/api/v2/deals/3/products", {"product_id": 31, "item_price": 5, "quantity": 2}),
            ("POST", "/api/v2/organizations", {"name": "New"}),
            ("POST", "/api/v2/persons", {"name": "New"}),
            ("POST", "/api/v2/products", {"name": "New"}),
            ("DELETE", "/api/v2/deals/3", None),
            ("GET", "/v1/users/me", None),
            ("GET", "/v1/currencies", None),
            ("GET", "/v1/webhooks", None),
            ("PUT", "/v1/organizations/5/merge", {"merge_with_id": 4}),
        ]
        for method, path, body in good:
            assert await checked(held, specs, method, path, body) == 200, path
        hook: JsonObject = {
            "subscription_url": "https://a.test/h",
            "event_action": "*",
            "event_object": "deal",
            "name": "ours",
        }
        assert await checked(held, specs, "POST", "/v1/webhooks", hook) == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v2/deals?limit=501", None, 400),
        ("GET", "/api/v2/deals?cursor=nonsense", None, 400),
        ("GET", "/api/v2/deals?updated_since=yesterday", None, 400),
        ("GET", "/api/v2/deals?sort_by=title", None, 400),
        ("GET", "/api/v2/deals/999", None, 404),
        ("GET", "/api/v2/deals/products", None, 400),
        ("PATCH", "/api/v2/deals/1", {"value": "12"}, 400),
        ("PATCH", "/api/v2/deals/1", {"nonsense": 1}, 400),
        ("PATCH", "/api/v2/deals/1", {"custom_fields": {"nonsense": 1}}, 400),
        ("POST", "/api/v2/deals", {}, 400),
        ("POST", "/api/v2/dealFields", {"field_name": "X", "field_type": "url"}, 400),
    ],
)
async def test_refusals_have_the_described_form(
    specs: dict[str, OpenAPI], method: str, path: str, body: JsonObject | None, status: int
) -> None:
    async with filled() as held:
        assert await checked(held, specs, method, path, body) == status


async def test_the_adapter_s_requests_are_as_described(specs: dict[str, OpenAPI]) -> None:
    sent: list[tuple[str, str, bytes | None]] = []
    bodies: dict[int, bytes] = {}

    async def chunk(_: object, context: SimpleNamespace, params: aiohttp.TraceRequestChunkSentParams) -> None:
        bodies[id(context)] = bodies.get(id(context), b"") + params.chunk

    async def end(_: object, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        sent.append((params.method, str(params.url), bodies.pop(id(context), None)))

    tracing = aiohttp.TraceConfig()
    tracing.on_request_chunk_sent.append(chunk)
    tracing.on_request_end.append(end)
    async with filled() as held, aiohttp.ClientSession(trace_configs=[tracing]) as http:
        held.http, plain = http, held.http
        company = str(held.emulator.identity.company_id)
        source = held.source(page_rows=1, number_field="Terms", company_id=company, status="stage")
        for kind in source.kinds():
            found = await pages(source, kind)
            await pages(source, kind, found[-1].cursor)
        await source.read("deal", "1")
        await source.read("installment", "2-71")
        values = {"Terms": "Net 15", "qbo_balance": "12.50"}
        types = {"write_back": {"balance": "qbo_balance"}}
        source = held.source(mapping=types)
        request = WriteBack(kind="deal", source_id="1", values=values, request_id="r")
        assert (await source.write_back(request)).outcome == "accepted"
        held.http = plain
    assert len(sent) > 30
    assert {method for method, _, _ in sent} == {"GET", "POST", "PATCH"}
    for method, url, body in sent:
        spec_of(specs, url).validate_request(mock_request(method, url, body))
        assert set(parse_qs(urlsplit(url).query)) <= known_parameters(method, url), url


def known_parameters(method: str, url: str) -> set[str]:
    """What the description names for a path: a validator lets pass what it does not know."""
    path = urlsplit(url).path
    name = "v2" if path.startswith("/api/v2/") else "v1"
    whole = json.loads((SPECS / f"pipedrive-{name}.openapi.json").read_text())
    plain = path.removeprefix("/api/v2").removeprefix("/v1")
    wild = "/".join("{id}" if part.isdigit() else part for part in plain.split("/"))
    operation = whole["paths"][wild][method.lower()]
    return {one["name"] for one in operation["parameters"]}
