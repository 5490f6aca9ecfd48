"""The emulator, judged by others: HubSpot's own Python client, its signature checker, and the OpenAPI contract."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from support.hubspot import Account, account, company, contact, deal, inbox, invoice, line_item, link, payment

CATEGORY = "HUBSPOT_DEFINED"
SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs" / "hubspot"


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


def client(held: Account) -> Any:
    import hubspot

    credentials = held.emulator.credentials
    return hubspot.Client.create(access_token=credentials.access_token, host=held.emulator.base_url)


async def test_the_client_creates_reads_updates_and_deletes(held: Account) -> None:
    from hubspot.crm.deals import SimplePublicObjectInput, SimplePublicObjectInputForCreate
    from hubspot.crm.deals.exceptions import NotFoundException

    def story() -> None:
        api = client(held).crm.deals.basic_api
        entry = SimplePublicObjectInputForCreate(
            properties={"dealname": "Größe 🦊", "amount": "1200.00", "dealstage": "closedwon"}, associations=[]
        )
        made = api.create(simple_public_object_input_for_create=entry)
        read = api.get_by_id(made.id, properties=["dealname", "amount", "hs_is_closed_won", "closedate"])
        assert {name: read.properties[name] for name in ("dealname", "amount", "hs_is_closed_won", "closedate")} == {
            "dealname": "Größe 🦊",
            "amount": "1200.00",
            "hs_is_closed_won": "true",
            "closedate": None,
        }
        changed = SimplePublicObjectInput(properties={"amount": "1300.50"})
        assert api.update(made.id, simple_public_object_input=changed).properties["amount"] == "1300.50"
        api.archive(made.id)
        with pytest.raises(NotFoundException):
            api.get_by_id(made.id)
        assert api.get_by_id(made.id, archived=True).archived

    await asyncio.to_thread(story)


async def test_the_client_lists_searches_and_reads_in_batches(held: Account) -> None:
    from hubspot.crm.companies import BatchReadInputSimplePublicObjectId, PublicObjectSearchRequest

    await held.load(companies=[company(number) for number in range(1, 251)])

    def story() -> None:
        api = client(held).crm.companies
        assert [str(number) for number in range(1, 251)] == [row.id for row in api.get_all()]
        request = PublicObjectSearchRequest(
            filter_groups=[{"filters": [{"propertyName": "hs_object_id", "operator": "GTE", "value": "240"}]}],
            sorts=["-hs_object_id"],
            properties=["name"],
            limit=3,
            after="0",
        )
        found = api.search_api.do_search(public_object_search_request=request)
        assert (
            found.total,
            [row.id for row in found.results],
            found.paging.next.after,
        ) == (11, ["250", "249", "248"], "3")
        batch = BatchReadInputSimplePublicObjectId(
            inputs=[{"id": "7"}, {"id": "999"}], properties=["name"], properties_with_history=[]
        )
        read = api.batch_api.read(batch_read_input_simple_public_object_id=batch)
        assert [row.properties["name"] for row in read.results] == ["Company 7"]
        assert read.num_errors == 1

    await asyncio.to_thread(story)


async def test_the_client_reads_associations_and_properties(held: Account) -> None:
    from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
    from hubspot.crm.properties import PropertyCreate

    await held.load(
        companies=[company(1)],
        deals=[deal(51)],
        line_items=[line_item(9, "5"), line_item(10, "6")],
        associations=[link("deals", 51, "line_items", 9, 10), link("deals", 51, "companies", 1)],
    )

    def story() -> None:
        api = client(held).crm
        wanted = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": "51"}])
        lines = api.associations.v4.batch_api.get_page(
            "deals", "line_items", batch_input_public_fetch_associations_batch_request=wanted
        )
        assert [(r._from.id, [str(t.to_object_id) for t in r.to]) for r in lines.results] == [("51", ["9", "10"])]
        companies = api.associations.v4.batch_api.get_page(
            "deals", "companies", batch_input_public_fetch_associations_batch_request=wanted
        )
        assert [kind.type_id for kind in companies.results[0].to[0].association_types] == [5, 341]
        definition = PropertyCreate(
            name="qbo_status", label="Status", group_name="information", type="string", field_type="text"
        )
        made = api.properties.core_api.create("deals", property_create=definition)
        assert made.name == "qbo_status"
        assert "qbo_status" in [row.name for row in api.properties.core_api.get_all("deals").results]

    await asyncio.to_thread(story)


async def test_the_client_bills_a_quote_takes_a_payment_and_gives_some_of_it_back(held: Account) -> None:
    """Draft, open, paid; the invoice through the client's own part for it, payments through that for any object."""
    from hubspot.crm.commerce.invoices import SimplePublicObjectInput as Change
    from hubspot.crm.commerce.invoices import SimplePublicObjectInputForCreate as New
    from hubspot.crm.commerce.invoices.exceptions import ApiException
    from hubspot.crm.objects import BatchReadInputSimplePublicObjectId as Batch
    from hubspot.crm.objects import SimplePublicObjectInput as AnyChange
    from hubspot.crm.objects import SimplePublicObjectInputForCreate as AnyNew
    from hubspot.crm.quotes import SimplePublicObjectInputForCreate as NewQuote

    await held.load(contacts=[contact(2)], line_items=[line_item(9, "50.00", quantity="2"), line_item(10, "7.00")])

    def link_to(other: str, type_id: int) -> dict[str, Any]:
        return {"to": {"id": other}, "types": [{"associationCategory": CATEGORY, "associationTypeId": type_id}]}

    def story() -> None:
        api = client(held).crm
        texts = {"hs_title": "Offer", "hs_expiration_date": "2026-12-31"}
        entry = NewQuote(properties=texts, associations=[link_to("10", 67), link_to("2", 69)])
        offer = api.quotes.basic_api.create(simple_public_object_input_for_create=entry)
        assert (offer.properties["hs_status"], offer.properties["hs_quote_amount"]) == ("DRAFT", "7.00")

        invoices = api.commerce.invoices.basic_api
        with pytest.raises(ApiException, match="hs_currency"):
            invoices.create(simple_public_object_input_for_create=New(properties={}, associations=[]))
        made = invoices.create(New(properties={"hs_currency": "USD"}, associations=[]))
        assert (made.properties["hs_invoice_status"], made.properties["hs_number"]) == ("draft", "INV-1001")
        opened = Change(properties={"hs_invoice_status": "open"})
        with pytest.raises(ApiException, match="before it can be opened"):
            invoices.update(made.id, simple_public_object_input=opened)
        for kind, other in (("contacts", "2"), ("line_items", "9")):
            api.associations.v4.basic_api.create_default("invoices", made.id, kind, other)
        invoices.update(made.id, simple_public_object_input=opened)
        names = ["hs_invoice_status", "hs_amount_billed", "hs_amount_paid", "hs_balance_due"]
        shown = invoices.get_by_id(made.id, properties=names).properties
        assert [shown[name] for name in names] == ["open", "100.00", "0.00", "100.00"]

        values = {"hs_initial_amount": "100.00", "hs_initiated_date": "2026-11-02T15:00:00Z"}
        of_it = AnyNew(properties=values, associations=[link_to(made.id, 542)])
        paid = api.objects.basic_api.create("commerce_payments", simple_public_object_input_for_create=of_it)
        shown = invoices.get_by_id(made.id, properties=names).properties
        assert [shown[name] for name in names] == ["paid", "100.00", "100.00", "0.00"]
        for total in ("10.00", "25.00"):
            back = AnyChange(properties={"hs_refunds_amount": total, "hs_latest_status": "partially_refunded"})
            api.objects.basic_api.update("commerce_payments", paid.id, simple_public_object_input=back)
        wanted = Batch(inputs=[{"id": paid.id}], properties=[], properties_with_history=["hs_refunds_amount"])
        (read,) = api.objects.batch_api.read("0-101", batch_read_input_simple_public_object_id=wanted).results
        history = read.properties_with_history["hs_refunds_amount"]
        assert [was.value for was in history] == ["25.00", "10.00"]

    await asyncio.to_thread(story)


async def test_the_client_finds_by_unique_value_and_none_is_taken_twice(held: Account) -> None:
    from hubspot.crm.deals import BatchInputSimplePublicObjectBatchInputUpsert as Upsert
    from hubspot.crm.deals.exceptions import ApiException
    from hubspot.crm.properties import PropertyCreate

    await held.load(deals=[deal(51), deal(52)])

    def story() -> None:
        api = client(held).crm
        made = PropertyCreate(
            name="our_key",
            label="Key",
            group_name="information",
            type="string",
            field_type="text",
            has_unique_value=True,
        )
        assert api.properties.core_api.create("deals", property_create=made).has_unique_value
        changed = {"properties": {"our_key": "k-1"}}
        api.deals.basic_api.update("51", simple_public_object_input=changed)
        with pytest.raises(ApiException, match="CONFLICTING_UNIQUE_VALUE"):
            api.deals.basic_api.update("52", simple_public_object_input=changed)
        assert api.deals.basic_api.get_by_id("k-1", id_property="our_key").id == "51"
        told = Upsert(inputs=[{"idProperty": "our_key", "id": "k-1", "properties": {"dealname": "By key"}}])
        (row,) = api.deals.batch_api.upsert(told).results
        assert (row.id, row.new) == ("51", False)

    await asyncio.to_thread(story)


async def test_the_client_is_told_the_scope_that_its_token_lacks(held: Account) -> None:
    from hubspot.crm.quotes.exceptions import ForbiddenException

    held.emulator.credentials.scopes = frozenset({"crm.objects.deals.read"})

    def story() -> None:
        api = client(held).crm
        assert api.deals.basic_api.get_page().results == []
        with pytest.raises(ForbiddenException, match=r"crm\.objects\.quotes\.read"):
            api.quotes.basic_api.get_page()

    await asyncio.to_thread(story)


async def test_the_client_meets_the_limits_as_errors(held: Account) -> None:
    from hubspot.crm.deals.exceptions import ApiException, UnauthorizedException

    await held.control("POST", "/faults", {"kind": "status", "status": 429})

    def story() -> None:
        api = client(held)
        with pytest.raises(ApiException) as caught:
            api.crm.deals.basic_api.get_page()
        assert caught.value.status == 429
        assert "TEN_SECONDLY_ROLLING" in caught.value.body
        api.access_token = "wrong"
        with pytest.raises(UnauthorizedException):
            api.crm.deals.basic_api.get_page()

    await asyncio.to_thread(story)


async def test_hubspot_s_own_checker_accepts_the_emulator_s_signatures(held: Account) -> None:
    from hubspot.utils.signature import Signature

    await held.load(deals=[deal(512)])
    # An address with escapes of both sorts: those that are undone before signing, and those that stay.
    async with inbox("/hooks/hub%20spot/%E2%9C%93") as box:
        await held.control("POST", "/webhooks", {"url": box.url + "?a=1,2&b=x"})
        await held.control("PATCH", "/people/deals/512", {"properties": {"dealname": "Zoë 🦊"}})
        while not box.requests:
            await asyncio.sleep(0.005)
    request = box.requests[0]
    secret = held.emulator.credentials.client_secret
    told = {
        "request_body": request.body.decode(),
        "http_uri": box.url + "?a=1,2&b=x",
        "timestamp": request.headers["x-hubspot-request-timestamp"],
    }
    v3 = request.headers["x-hubspot-signature-v3"]
    assert Signature.is_valid(v3, secret, signature_version="v3", **told)
    assert not Signature.is_valid(v3, "other", signature_version="v3", **told)
    v1 = request.headers["x-hubspot-signature"]
    assert Signature.is_valid(v1, secret, signature_version="v1", request_body=request.body.decode())


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "{objects}/deals?limit=2&properties=amount&archived=false", None),
    ("GET", "{objects}/deals/51?associations=companies", None),
    ("GET", "{objects}/deals/404404", None),
    ("GET", "{objects}/deals/53?archived=true", None),
    ("POST", "{objects}/deals", {"properties": {"dealname": "x"}, "associations": []}),
    ("POST", "{objects}/deals", {"properties": {"no_such_property": "x"}, "associations": []}),
    ("PATCH", "{objects}/deals/51", {"properties": {"amount": "7"}}),
    ("POST", "{objects}/deals/search", {"filterGroups": [], "sorts": ["amount"], "limit": 1, "after": "0"}),
    ("POST", "{objects}/deals/search", {"filterGroups": [], "limit": 200, "after": "9900"}),
    (
        "POST",
        "{objects}/deals/batch/read",
        {"inputs": [{"id": "51"}, {"id": "404404"}], "properties": ["amount"], "propertiesWithHistory": []},
    ),
    ("GET", "{objects}/invoices/41?properties=hs_amount_billed&propertiesWithHistory=hs_invoice_status", None),
    ("POST", "{objects}/quotes", {"properties": {"hs_title": "x"}, "associations": []}),
    (
        "POST",
        "{objects}/commerce_payments/batch/read",
        {"inputs": [{"id": "71"}], "properties": [], "propertiesWithHistory": ["hs_refunds_amount"]},
    ),
    ("POST", "{links}/commerce_payments/invoices/batch/read", {"inputs": [{"id": "71"}]}),
    ("POST", "{objects}/deals/batch/create", {"inputs": [{"properties": {"dealname": "y"}, "associations": []}]}),
    ("POST", "{objects}/deals/batch/update", {"inputs": [{"id": "51", "properties": {"amount": "8"}}]}),
    ("POST", "{objects}/deals/batch/archive", {"inputs": [{"id": "52"}]}),
    ("DELETE", "{objects}/deals/52", None),
    ("POST", "{links}/deals/companies/batch/read", {"inputs": [{"id": "51"}, {"id": "404404"}]}),
    (
        "POST",
        "{links}/deals/companies/batch/create",
        {
            "inputs": [
                {
                    "from": {"id": "51"},
                    "to": {"id": "1"},
                    "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}],
                }
            ]
        },
    ),
    ("GET", "{pipelines}/deals", None),
    ("GET", "{properties}/deals", None),
    ("GET", "{properties}/deals/amount", None),
    (
        "POST",
        "{properties}/deals",
        {"name": "p", "label": "P", "groupName": "information", "type": "string", "fieldType": "text"},
    ),
]
PATHS = {
    "v3": {
        "objects": "/crm/v3/objects",
        "links": "/crm/v4/associations",
        "properties": "/crm/v3/properties",
        "pipelines": "/crm/v3/pipelines",
    },
    "2026-09": {
        "objects": "/crm/objects/2026-09",
        "links": "/crm/associations/2026-09",
        "properties": "/crm/properties/2026-09",
        "pipelines": "/crm/pipelines/2026-09",
    },
}


@pytest.mark.parametrize("version", ["v3", "2026-09"])
async def test_the_emulator_keeps_the_openapi_contract(held: Account, version: str) -> None:
    file = SPECS / f"hubspot-crm-{version}.openapi.json"
    if not file.is_file():
        pytest.skip("the OpenAPI files of HubSpot are not beside this checkout")
    await held.load(
        companies=[company(1)],
        deals=[deal(51), deal(52), deal(54), {**deal(53), "archived": True}],
        invoices=[invoice(41)],
        commerce_payments=[payment(71, "5.00", hs_refunds_amount="1.00")],
        associations=[link("deals", 51, "companies", 1), link("commerce_payments", 71, "invoices", 41)],
    )
    contract = await asyncio.to_thread(OpenAPI.from_file_path, str(file))

    def story() -> list[int]:
        statuses = []
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {held.emulator.credentials.access_token}"
            for method, path, body in CALLS:
                there = path.format(**PATHS[version])
                response = session.request(method, held.emulator.base_url + there, json=body, timeout=30)
                statuses.append(response.status_code)
                asked = _as_asked(session, method, there, body)
                contract.validate_request(asked)
                contract.validate_response(asked, RequestsOpenAPIResponse(response))
        return statuses

    assert (await asyncio.to_thread(story)) == [
        200,
        200,
        404,
        200,
        201,
        400,
        200,
        200,
        400,
        207,
        200,
        400,
        200,
        200,
        201,
        200,
        204,
        204,
        207,
        201,
        200,
        200,
        200,
        201,
    ]


def _as_asked(session: requests.Session, method: str, path: str, body: Any) -> RequestsOpenAPIRequest:
    """The request under HubSpot's own address, as the contract names it."""
    there = requests.Request(method, f"https://api.hubapi.com{path}", json=body)
    return RequestsOpenAPIRequest(session.prepare_request(there))
