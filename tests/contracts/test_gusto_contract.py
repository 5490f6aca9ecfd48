"""Gusto's adapter under the contract of all sources, faults included."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from counterfoil.sources import WebhookRequest, sign
from counterfoil.testing import Bench, SourceContract, Stage
from counterfoil_adapters.gusto.adapter import GustoSource
from counterfoil_adapters.gusto.emulator import EmulatorOptions, GustoEmulator
from counterfoil_schema.exact_json import JsonObject, dumps
from support.gusto import Company, contractor_payment, contractors, employees, gusto, payroll, person


class TestGusto(SourceContract):
    has_webhooks = True
    has_deletes = True
    has_token_refresh = True
    fixed_fields = ("company_uuid", "version", "total_pages")

    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        assert folder.is_dir()
        async with gusto(GustoEmulator(EmulatorOptions(limits=False))) as company:
            day = (company.clock.now().date() - timedelta(days=10)).isoformat()
            people = [person(f"e{number}", "5000.00") for number in range(5)]  # all but whom `hide` hides
            load: JsonObject = {
                "employees": employees(6),
                "payrolls": [payroll("p1", day, people)],
                "contractors": contractors(),
                "contractor_payments": [contractor_payment("cp1", "c1", day), contractor_payment("cp2", "c2", day)],
            }
            await company.control("/load", load)
            yield stage_of(company)


def stage_of(company: Company) -> Stage:
    """A small company, and people at work in it."""
    edits = iter(range(1000))

    def open_at(bench: Bench) -> GustoSource:
        ready = company.emulator.ready()
        names = ("company_uuid", "access_token", "refresh_token", "client_id", "client_secret", "verification_token")
        settings = {name: ready[name] for name in names}
        return GustoSource(
            bench.context(
                {**settings, "base_url": bench.url, "requests_per_minute": 60000},
                mapping={"payroll": {"minimum_people": 1}},
            )
        )

    async def edit() -> tuple[str, str]:
        await company.control("/people/employees/e2/change", {"first_name": f"Renamed {next(edits)}"})
        return "employee", "e2"

    async def hide() -> tuple[str, str]:
        del company.emulator.store.employees["e5"]
        return "employee", "e5"

    async def add() -> tuple[str, str]:
        made = await company.control("/people/employees", {"first_name": "New", "last_name": "Hire"})
        return "employee", str(made["uuid"])

    async def delete() -> tuple[str, str]:
        await company.control("/people/employees/e3/delete")
        return "employee", "e3"

    async def foreign() -> tuple[str, str]:
        company.emulator.store.employees["e4"]["company_uuid"] = "somebody-else"
        return "employee", "e4"

    def deliver(kind: str, source_id: str) -> WebhookRequest:
        event = {"payroll": "payroll.processed", "contractor_payment": "contractor_payment.created"}.get(
            kind, f"{kind}.updated"
        )
        uuid = company.emulator.store.company_uuid
        told = {"uuid": f"d-{source_id}", "event_type": event, "resource_uuid": uuid, "entity_uuid": source_id}
        body = dumps({**told, "timestamp": 1})
        signature = sign(SecretStr(company.emulator.verification_token), body)
        headers = {"x-gusto-signature": signature}
        return WebhookRequest(method="POST", url="https://hooks.example.test/gusto", headers=headers, body=body)

    return Stage(
        at=open_at,
        address=company.emulator.base_url,
        readable={
            "employee": [f"e{number}" for number in range(6)],
            "contractor": ["c1", "c2"],
            "payroll": ["p1"],
            "contractor_payment": ["cp1", "cp2"],
        },
        texts=["Ødegård-1 🦊"],
        edit=edit,
        hide=hide,
        add=add,
        delete=delete,
        deliver=deliver,
        foreign=foreign,
    )
