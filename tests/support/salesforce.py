"""A Salesforce org for tests: the emulator, its control port, and adapters pointed at it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from counterfoil_adapters.salesforce.emulator import SalesforceEmulator, SalesforceOptions
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object


@dataclass
class Org:
    """The emulator with its control port."""

    emulator: SalesforceEmulator
    http: aiohttp.ClientSession

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
