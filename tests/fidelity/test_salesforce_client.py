"""The emulator judged from outside: by simple-salesforce, unchanged but for the address, and by an OpenAPI contract."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from support.salesforce import Org, org

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "salesforce" / "salesforce-rest.openapi.json"

HOST = "https://org.example.test"


@pytest.fixture
async def held() -> AsyncIterator[Org]:
    async with org(tls=True, batch_rows=200) as fresh:
        yield fresh


def client(held: Org) -> Any:
    from simple_salesforce.api import Salesforce

    session = requests.Session()
    session.trust_env = False
    session.verify = str(held.emulator.ca_file)
    emulator = held.emulator
    return Salesforce(instance_url=emulator.base_url, session_id=emulator.access_token, session=session, version="66.0")


def told(error: Any) -> Any:
    """The first of the errors in Salesforce's answer, as the client hands it over."""
    return error.content[0]


async def test_the_client_creates_reads_updates_upserts_and_deletes(held: Org) -> None:
    from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

    await held.control("POST", "/setup", {"fields": {"Account": "Our_Key__c:string(40)*"}})

    def story() -> None:
        salesforce: Any = client(held)
        made = salesforce.Account.create({"Name": "Zoë & Söhne 🦊", "BillingCity": "Bern"})
        assert made["success"]
        account = made["id"]
        assert len(account) == 18
        assert salesforce.Account.get(account)["BillingCity"] == "Bern"
        assert salesforce.Account.update(account, {"Phone": "555-1"}) == 204
        assert salesforce.Account.upsert("Our_Key__c/A-1", {"Name": "Upserted"}) == 201
        assert salesforce.Account.upsert("Our_Key__c/a-1", {"Phone": "555-2"}) == 200
        found = salesforce.Account.get_by_custom_id("Our_Key__c", "A-1")
        assert (found["Name"], found["Phone"]) == ("Upserted", "555-2")
        with pytest.raises(SalesforceMalformedRequest) as refused:
            salesforce.Account.create({"Nmae": "typing mistake"})
        assert told(refused.value)["errorCode"] == "INVALID_FIELD"
        with pytest.raises(SalesforceMalformedRequest) as missing:
            salesforce.Contact.create({"FirstName": "Ada"})
        assert told(missing.value)["fields"] == ["LastName"]
        assert salesforce.Account.delete(account) == 204
        with pytest.raises(SalesforceResourceNotFound):
            salesforce.Account.get(account)
        names = {one["name"] for one in salesforce.Opportunity.describe()["fields"]}
        assert {"Id", "IsWon", "SystemModstamp"} <= names
        assert "CurrencyIsoCode" not in names
        assert salesforce.limits()["DailyApiRequests"]["Max"] == 15000
        assert salesforce.api_usage["api-usage"].total == 15000

    await asyncio.to_thread(story)


async def test_the_client_queries_and_asks_for_more(held: Org) -> None:
    from simple_salesforce.exceptions import SalesforceMalformedRequest
    from simple_salesforce.format import format_soql

    accounts = [{"Name": f"Account {number:03d}", "BillingState": "NY"} for number in range(450)]
    await held.load(Account=[*accounts, {"Name": "O'Hara \\ 100%", "BillingState": "CA"}])

    def story() -> None:
        salesforce: Any = client(held)
        first = salesforce.query("SELECT Id, Name FROM Account WHERE BillingState = 'ny' ORDER BY Name")
        assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
        second = salesforce.query_more(first["nextRecordsUrl"], identifier_is_url=True)
        assert second["records"][0]["Name"] == "Account 200"
        whole = salesforce.query_all("SELECT Id FROM Account")
        assert (whole["done"], len(whole["records"])) == (True, 451)
        odd = salesforce.query(format_soql("SELECT Name FROM Account WHERE Name = {}", "O'Hara \\ 100%"))
        assert [row["Name"] for row in odd["records"]] == ["O'Hara \\ 100%"]
        like = salesforce.query(
            "SELECT Name FROM Account WHERE Name LIKE 'account 00_' AND NOT Name LIKE '%5' LIMIT 20"
        )
        assert like["totalSize"] == 9
        assert (
            salesforce.query("SELECT COUNT() FROM Account WHERE Name IN ('Account 001', 'Account 002')")["totalSize"]
            == 2
        )
        for wrong in (
            "SELECT Nmae FROM Account",
            "SELECT Name FROM Acount",
            "SELECT Name FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "SELECT Name FROM Account WHERE SystemModstamp > 'yesterday'",
            "SELECT Name FROM Account LIMIT many",
        ):
            with pytest.raises(SalesforceMalformedRequest):
                salesforce.query(wrong)

    await asyncio.to_thread(story)


async def test_the_client_follows_relationships_and_totals(held: Org) -> None:
    def story() -> None:
        salesforce: Any = client(held)
        account = salesforce.Account.create({"Name": "Acme"})["id"]
        product = salesforce.Product2.create({"Name": "Widget", "ProductCode": "W-1"})["id"]
        book = salesforce.query("SELECT Id FROM Pricebook2 WHERE IsStandard = true")["records"][0]["Id"]
        entry = {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": 19.99, "IsActive": True}
        entry_id = salesforce.PricebookEntry.create(entry)["id"]
        won = {"Name": "Big", "AccountId": account, "StageName": "Closed Won", "CloseDate": "2026-11-01"}
        deal = salesforce.Opportunity.create(won)["id"]
        line = {"OpportunityId": deal, "PricebookEntryId": entry_id, "Quantity": 3, "Discount": 10}
        salesforce.OpportunityLineItem.create(line)
        row = salesforce.query(
            "SELECT Amount, IsWon, Account.Name, Pricebook2.IsStandard FROM Opportunity WHERE Account.Name = 'Acme'"
        )["records"][0]
        # 3 x 19.99 x 0.9 = 53.973
        assert (Decimal(str(row["Amount"])), row["IsWon"], row["Account"]["Name"]) == (Decimal("53.97"), True, "Acme")
        lines = salesforce.query("SELECT TotalPrice, PricebookEntry.Product2.Name FROM OpportunityLineItem")
        assert lines["records"][0]["PricebookEntry"]["Product2"]["Name"] == "Widget"

    await asyncio.to_thread(story)


async def test_the_client_is_told_what_changed_and_what_is_gone(held: Org) -> None:
    def story() -> None:
        salesforce: Any = client(held)
        kept = salesforce.Account.create({"Name": "Kept"})["id"]
        gone = salesforce.Account.create({"Name": "Gone"})["id"]
        salesforce.Account.delete(gone)
        start = datetime.now(UTC) - timedelta(minutes=5)
        end = datetime.now(UTC) + timedelta(minutes=2)
        updated = salesforce.Account.updated(start, end)
        assert updated["ids"] == [kept]
        covered = datetime.fromisoformat(updated["latestDateCovered"])
        assert start < covered < end
        deleted = salesforce.Account.deleted(start, end)
        assert [row["id"] for row in deleted["deletedRecords"]] == [gone]
        everything = salesforce.query("SELECT Id, IsDeleted FROM Account ORDER BY Name", include_deleted=True)
        assert [row["IsDeleted"] for row in everything["records"]] == [True, False]

    await asyncio.to_thread(story)


async def test_the_client_meets_an_ended_session_and_spent_calls() -> None:
    from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceRefusedRequest

    async with org(tls=True, limits=True, daily_calls=3) as held:

        def story() -> None:
            salesforce: Any = client(held)
            for _ in range(3):
                salesforce.query("SELECT Id FROM Account")
            with pytest.raises(SalesforceRefusedRequest) as refused:
                salesforce.query("SELECT Id FROM Account")
            assert told(refused.value)["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
            held.emulator.sessions.expire()
            with pytest.raises(SalesforceExpiredSession):
                salesforce.query("SELECT Id FROM Account")

        await asyncio.to_thread(story)


async def test_the_emulator_keeps_the_openapi_contract() -> None:
    if not SPEC.is_file():
        pytest.skip("the OpenAPI file of Salesforce is not beside this checkout")
    # The address of the emulator takes the place of MyDomain's.
    text = (await asyncio.to_thread(SPEC.read_text, "utf-8")).replace("https://MyDomain.my.salesforce.com", HOST)
    contract = OpenAPI.from_dict(json.loads(text))
    async with org(batch_rows=1) as held:
        await held.control("POST", "/setup", {"fields": {"Account": "Our_Key__c:string(40)*"}})
        ids = (await held.load(Account=[{"Name": "A"}, {"Name": "B"}]))["Account"]
        data = "/services/data/v66.0"
        span = "start=2026-11-01T00:00:00Z&end=2026-11-02T00:00:00Z"
        typed = {"attributes": {"type": "Account"}}
        calls: list[tuple[str, str, Any, int]] = [
            ("GET", f"{data}/query?q=SELECT+Id,Name+FROM+Account", None, 200),
            ("GET", f"{data}/queryAll?q=SELECT+Id+FROM+Account", None, 200),
            ("GET", f"{data}/query?q=SELEC", None, 400),
            ("POST", f"{data}/sobjects/Account", {"Name": "C"}, 201),
            ("POST", f"{data}/sobjects/Account", {"Name": ""}, 400),
            ("GET", f"{data}/sobjects/Account/describe", None, 200),
            ("GET", f"{data}/sobjects/Account/{ids[0]}", None, 200),
            ("GET", f"{data}/sobjects/Account/001000000000000AAA", None, 404),
            ("PATCH", f"{data}/sobjects/Account/{ids[0]}", {"Phone": "1"}, 204),
            ("PATCH", f"{data}/sobjects/Account/Our_Key__c/K", {"Name": "K"}, 201),
            ("DELETE", f"{data}/sobjects/Account/{ids[1]}", None, 204),
            ("GET", f"{data}/sobjects/Account/updated?{span}", None, 200),
            ("GET", f"{data}/sobjects/Account/deleted?{span}", None, 200),
            ("POST", f"{data}/composite/sobjects", {"records": [{**typed, "Name": "D"}, {**typed}]}, 200),
            ("PATCH", f"{data}/composite/sobjects", {"records": [{**typed, "id": ids[0], "Phone": "2"}]}, 200),
            ("GET", f"{data}/limits", None, 200),
        ]
        await held.control("POST", "/clock", {"now": "2026-11-02T00:00:00Z"})

        def story() -> None:
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {held.emulator.access_token}"
                for method, path, body, status in calls:
                    response = session.request(method, held.emulator.base_url + path, json=body, timeout=30)
                    assert response.status_code == status, (path, response.text)
                    asked = requests.Request(method, f"{HOST}{path}", json=body)
                    request = RequestsOpenAPIRequest(session.prepare_request(asked))
                    contract.validate_response(request, RequestsOpenAPIResponse(response))

        await asyncio.to_thread(story)
