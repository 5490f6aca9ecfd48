"""What every source must do, done by BambooHR's adapter against its emulator."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from counterfoil.sources import WebhookRequest
from counterfoil.testing.source_contract import Bench, SourceContract, Stage
from counterfoil_adapters.bamboohr import people
from counterfoil_adapters.bamboohr.adapter import BambooSource
from counterfoil_schema.exact_json import JsonObject, dumps
from support.bamboohr import Company, bamboohr, person, worked

FIELD = "customQuickBooksId"
MAPPING = {"connection": {"source": "bamboohr", "zone": "America/Denver"}, "write_back": {"employee_id": FIELD}}


def delivery(company: Company, kind: str, source_id: str) -> WebhookRequest:
    """A delivery about an employee, as BambooHR signs it."""
    data: JsonObject = {"companyId": "12345", "employeeId": source_id, "changedFields": ["lastName"]}
    body = dumps({"type": f"{kind}.updated", "timestamp": "2026-11-01T18:42:00+0000", "data": data})
    stamp = str(int(company.clock.now().timestamp()))
    digest = hmac.new(company.emulator.webhook_key.encode(), body + stamp.encode(), hashlib.sha256).hexdigest()
    headers = {"x-bamboohr-signature": digest, "x-bamboohr-timestamp": stamp}
    return WebhookRequest(method="POST", url="https://example.test/webhooks", headers=headers, body=body)


@dataclass
class Hands:
    """What people do in BambooHR, and an adapter opened on it."""

    company: Company
    edits: int = 0

    def at(self, bench: Bench) -> BambooSource:
        ready = self.company.emulator.ready()
        secrets = ("company_domain", "client_id", "client_secret", "refresh_token", "webhook_key")
        settings = {"base_url": bench.url, "requests_per_second": 1000, "company_id": "12345"}
        return BambooSource(bench.context({**settings, **{name: ready[name] for name in secrets}}, mapping=MAPPING))

    async def edit(self, employee_id: str = "101") -> tuple[str, str]:
        self.edits += 1
        await self.company.control(f"/people/{employee_id}/change", {"lastName": f"Renamed {self.edits}"})
        return "employee", employee_id

    async def edit_at_same_instant(self) -> tuple[str, str]:
        changed = await self.edit("102")
        shown = self.company.emulator.company.people
        shown["102"].changed = shown["101"].changed
        return changed

    async def hide(self) -> tuple[str, str]:
        await self.company.control("/keys/oauth", {"people": ["100", "101", "102", "104", "105"]})
        return "employee", "103"

    async def add(self) -> tuple[str, str]:
        made = await self.company.control("/people", {**person(9), "id": None})
        return "employee", str(made["id"])

    async def delete(self) -> tuple[str, str]:
        await self.company.control("/people/104/delete")
        return "employee", "104"

    async def foreign(self) -> tuple[str, str]:
        self.company.emulator.company.people["101"].rows["jobInfo"][0]["employeeId"] = "999"
        return await self.edit()

    def held(self, kind: str, source_id: str) -> Mapping[str, str]:
        del kind
        return {FIELD: str(self.company.emulator.company.people[source_id].fields.get(FIELD))}


class TestBambooHR(SourceContract):
    has_webhooks: ClassVar[bool] = True
    has_deletes: ClassVar[bool] = True
    has_write_back: ClassVar[bool] = True
    has_token_refresh: ClassVar[bool] = True
    has_delivery_ages: ClassVar[bool] = True
    id_fields: ClassVar[tuple[str, ...]] = ("id",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("employeeId", "lastChanged", "action", "date", "startDate")

    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "PEOPLE_PER_PAGE", 2)

    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        del folder
        async with bamboohr() as company:
            day, before = company.day(-3), company.day(-10)
            entries = [
                worked(100, day, 7),
                worked(100, day, "0.5", note="“Süd”"),
                worked(101, before, 8),
                worked(101, day, 1, approved=False),
                worked(102, day, None),
            ]
            staff = [*(person(n) for n in range(5)), person(5, firstName="")]
            await company.control(
                "/load", {"employees": [*staff], "time": [*entries], "custom_fields": {FIELD: "text"}}
            )
            hands = Hands(company)
            yield Stage(
                at=hands.at,
                address=company.emulator.base_url,
                readable={
                    "employee": ["100", "101", "102", "103", "104"],
                    "time": [f"100/{day}/3/-", f"101/{before}/3/-"],
                },
                unreadable={"employee": ["105"], "time": [f"102/{day}/3/-"]},
                texts=["Ødegård-1 🦊", "“Süd”"],
                edit=hands.edit,
                edit_at_same_instant=hands.edit_at_same_instant,
                hide=hands.hide,
                add=hands.add,
                delete=hands.delete,
                deliver=lambda kind, source_id: delivery(company, kind, source_id),
                writable=("employee", "100", {FIELD: "55"}),
                held=hands.held,
                foreign=hands.foreign,
                forged=WebhookRequest(
                    method="POST",
                    url="https://example.test/webhooks",
                    headers={"x-bamboohr-signature": "0" * 64, "x-bamboohr-timestamp": "1700000000"},
                    body=b"{}",
                ),
            )
