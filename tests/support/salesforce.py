"""A Salesforce org for tests: the emulator, its control port, and adapters pointed at it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import SecretStr

from counterfoil.sources.port import Page, SourceChange, SourceContext
from counterfoil_adapters.salesforce.adapter import SalesforceSource
from counterfoil_adapters.salesforce.emulator import SalesforceEmulator, SalesforceOptions
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object
from support.hubspot import HastyClock
from support.seeded import SeededEntropy


@dataclass
class Org:
    """The emulator with its control port."""

    emulator: SalesforceEmulator
    http: aiohttp.ClientSession
    clock: HastyClock = field(default_factory=HastyClock)

    def settings(self, **more: object) -> dict[str, object]:
        """A connection's settings: client credentials, no overlap, no pacing worth the name. None takes one away."""
        app = self.emulator.sessions.app
        usual = {
            "login_url": self.emulator.base_url,
            "client_id": app.client_id,
            "client_secret": SecretStr(app.client_secret),
            "currency": None if self.emulator.org.multi_currency else "USD",
            "overlap_seconds": 0,
            "proof_seconds": 0,
            "calls_per_second": 100_000,
            "timeout_seconds": 5,
        }
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def source(self, *, mapping: Mapping[str, Any] | None = None, **settings: object) -> SalesforceSource:
        """A new adapter with these settings and the usual ones."""
        return SalesforceSource(
            SourceContext(
                connection="salesforce",
                settings=self.settings(**settings),
                mapping=mapping or {},
                http=self.http,
                clock=self.clock,
                entropy=SeededEntropy(),
            )
        )

    async def control(self, method: str, path: str, body: object = None, *, status: int | None = None) -> JsonObject:
        """Call the control port; `status` is the answer that is expected, else any that succeeds."""
        data = dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"}
        async with self.http.request(method, self.emulator.control_url + path, data=data, headers=headers) as response:
            text = await response.read()
            assert response.status == status if status is not None else response.status < 300, text
            return loads_object(text) if text.startswith(b"{") else {}

    async def load(self, **records: Sequence[Mapping[str, object]]) -> dict[str, list[str]]:
        """Fill the org; the ids by object, in the order given."""
        answer: Any = await self.control("POST", "/load", {"records": records})
        ids: dict[str, list[str]] = answer["ids"]
        return ids

    async def api_calls(self) -> int:
        """How many calls the API has had so far."""
        return int(str((await self.control("GET", "/state"))["calls_total"]))


@asynccontextmanager
async def org(**options: Any) -> AsyncIterator[Org]:
    """A fresh org, without limits unless asked."""
    chosen = SalesforceOptions(**{"limits": False, **options})
    async with SalesforceEmulator(chosen) as emulator, aiohttp.ClientSession() as http:
        yield Org(emulator, http)


async def pages(source: SalesforceSource, kind: str, cursor: str | None = None) -> list[Page]:
    """A whole reading."""
    return [page async for page in source.changes(kind, cursor)]


def flat(read: Sequence[Page]) -> list[SourceChange]:
    """The changes of all pages."""
    return [change for page in read for change in page.changes]


def account(number: int, name: str | None = None, **fields: object) -> dict[str, object]:
    """An account in the load format."""
    return {"Id": record_id("001", number), "Name": f"Account {number}" if name is None else name, **fields}


def product(number: int, **fields: object) -> dict[str, object]:
    """A product in the load format."""
    return {"Id": record_id("01t", number), "Name": f"Product {number}", "IsActive": True, **fields}


def price(held: Org, number: int, amount: str, **fields: object) -> dict[str, object]:
    """The standard price of a product in the load format."""
    entry = {"Pricebook2Id": held.emulator.org.standard_book, "Product2Id": record_id("01t", number)}
    return {"Id": record_id("01u", number), **entry, "UnitPrice": amount, "IsActive": True, **fields}


def opportunity(number: int, customer: int | None = None, **fields: object) -> dict[str, object]:
    """A won opportunity in the load format."""
    usual: dict[str, object] = {"Name": f"Deal {number}", "StageName": "Closed Won", "CloseDate": "2026-10-31"}
    if customer is not None:
        usual["AccountId"] = record_id("001", customer)
    return {"Id": record_id("006", number), **usual, **fields}


def line(number: int, deal: int, product_number: int, quantity: str, **fields: object) -> dict[str, object]:
    """A line of an opportunity in the load format."""
    links = {"OpportunityId": record_id("006", deal), "PricebookEntryId": record_id("01u", product_number)}
    return {"Id": record_id("00k", number), **links, "Quantity": quantity, **fields}


def record_id(prefix: str, number: int) -> str:
    """The id of a test's record: without capitals, so that it ends in three A's."""
    return f"{prefix}{number:012d}AAA"
