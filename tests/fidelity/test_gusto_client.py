"""Gusto's own Python client reads the emulator: employees, payrolls, departments, tokens, webhook subscriptions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal

import httpx
import pytest
from gusto_app_integration import GustoAppIntegration, models

from counterfoil_schema.exact_json import JsonValue
from support.gusto import Company, contractor_payment, contractors, employees, gusto, payroll, person


@asynccontextmanager
async def their_client(token: str, address: str) -> AsyncIterator[GustoAppIntegration]:
    """Gusto's own client, over HTTP clients that are closed here.

    Those that it makes itself it closes when the garbage collector comes by, in a thread that it waits for: for ever,
    where an import is under way.
    """
    with httpx.Client() as plain:
        async with httpx.AsyncClient() as waiting:
            yield GustoAppIntegration(
                company_access_auth=token, server_url=address, timeout_ms=10_000, client=plain, async_client=waiting
            )


@asynccontextmanager
async def company_with_a_run() -> AsyncIterator[tuple[Company, GustoAppIntegration]]:
    async with gusto() as company:
        day = company.clock.now().date().isoformat()
        people = [person("e0", "5000.00"), person("e1", "6000.07")]
        off_cycle = payroll("p2", day, [person("e1", "6000.00")], off_cycle=True, off_cycle_reason="Bonus")
        await company.control(
            "/load", {"employees": employees(30), "payrolls": [payroll("p1", day, people), off_cycle]}
        )
        ready = company.emulator.ready()
        async with their_client(str(ready["access_token"]), str(ready["base_url"])) as client:
            yield company, client


async def test_employees_page_by_page() -> None:
    async with company_with_a_run() as (company, client):
        found = []
        for page in (1, 2, 3):
            answer = await client.employees.get_async(company_id=company.emulator.store.company_uuid, page=page, per=12)
            found.extend(answer)

        assert [f"e{n}" for n in range(30)] == [employee.uuid for employee in found]
        assert found[1].last_name == "Ødegård-1 🦊"
        assert found[1].department == "Vertrieb Süd"


async def test_one_employee_with_the_job() -> None:
    async with company_with_a_run() as (_, client):
        employee = await client.employees.get_by_id_async(employee_id="e3")

        assert employee.uuid == "e3"
        assert employee.jobs is not None
        assert [job.primary for job in employee.jobs] == [True]


async def test_payrolls_are_regular_and_processed_unless_more_is_asked_for() -> None:
    async with company_with_a_run() as (company, client):
        uuid = company.emulator.store.company_uuid
        usual = await client.payrolls.get_for_company_async(company_id=uuid)
        both = await client.payrolls.get_for_company_async(
            company_id=uuid,
            payroll_types=[models.PayrollTypes.REGULAR, models.PayrollTypes.OFF_CYCLE],
            include=[models.GetV1CompaniesCompanyIDPayrollsQueryParamInclude.TOTALS],
        )

        assert [run.payroll_uuid for run in usual] == ["p1"]
        assert {"p1", "p2"} == {run.payroll_uuid for run in both}


async def test_a_payroll_with_its_people_and_totals() -> None:
    async with company_with_a_run() as (company, client):
        run = await client.payrolls.get_async(
            company_id=company.emulator.store.company_uuid,
            payroll_id="p1",
            include=[models.GetV1CompaniesCompanyIDPayrollsPayrollIDQueryParamInclude.BENEFITS],
        )

        assert run.processed is True
        assert run.employee_compensations is not None
        assert [Decimal("5000.00"), Decimal("6000.07")] == [
            Decimal(str(one.gross_pay)) for one in run.employee_compensations
        ]
        # 5,000.00 less 412.37 tax, 30.10 benefit and 11.11 garnishment.
        assert run.employee_compensations[0].net_pay == pytest.approx(4546.42)


async def test_contractors_and_what_they_are_paid() -> None:
    async with company_with_a_run() as (company, client):
        uuid, day = company.emulator.store.company_uuid, date(2026, 3, 13)
        payments: list[JsonValue] = [
            contractor_payment("cp1", "c1", day.isoformat()),
            contractor_payment("cp2", "c2", "2026-03-14", wage="0.07", payment_method="Check"),
        ]
        await company.control("/load", {"contractors": contractors(), "contractor_payments": payments})

        people = await client.contractors.get_async(company_uuid=uuid)
        one = await client.contractors.get_by_id_async(contractor_uuid="c2")
        listed = await client.contractor_payments.get_async(
            company_id=uuid, start_date="2026-03-01", end_date="2026-03-13"
        )
        paid = await client.contractor_payments.get_by_id_async(company_id=uuid, contractor_payment_id="cp2")

        assert [(person.uuid, person.department_uuid is None) for person in people] == [("c1", False), ("c2", True)]
        assert (one.business_name, one.type) == ("Bright Pixels LLC", models.ContractorType.BUSINESS)
        # 12.5 hours at 85.00, and 100.00.
        assert (paid.wage_total, paid.payment_method.value if paid.payment_method else "") == ("1162.57", "Check")
        assert "'1162.50'" in repr(listed)
        assert "cp2" not in repr(listed)


async def test_departments() -> None:
    async with company_with_a_run() as (company, client):
        found = await client.departments.get_all_async(company_uuid=company.emulator.store.company_uuid)

        assert [department.title for department in found] == ["Design", "Vertrieb Süd"]
        assert [len(department.employees or []) for department in found] == [15, 15]


async def test_a_stranger_is_refused() -> None:
    async with company_with_a_run() as (company, _):
        async with their_client("wrong", company.emulator.base_url) as client:
            with pytest.raises(models.APIError) as refused:
                await asyncio.to_thread(client.payrolls.get_for_company, company_id=company.emulator.store.company_uuid)

        assert refused.value.status_code == 401


async def test_the_client_renews_its_token() -> None:
    async with company_with_a_run() as (company, client):
        ready = company.emulator.ready()

        pair = await client.introspection.refresh_access_token_async(
            client_id=ready["client_id"],
            client_secret=ready["client_secret"],
            refresh_token=ready["refresh_token"],
            grant_type="refresh_token",
        )

        assert pair.access_token not in {None, ready["access_token"]}


async def test_webhook_subscriptions_are_made_listed_and_verified() -> None:
    async with company_with_a_run() as (company, client):
        token = company.emulator.tokens.exchange(
            {
                "client_id": company.emulator.tokens.client_id,
                "client_secret": company.emulator.tokens.client_secret,
                "grant_type": "system_access",
            }
        )["access_token"]
        system = str(token)
        kinds = models.PostV1WebhookSubscriptionSubscriptionTypes
        made = await client.webhooks.create_async(
            security=models.PostV1WebhookSubscriptionSecurity(system_access_auth=system),
            url="http://127.0.0.1:9/hooks",
            subscription_types=[kinds.PAYROLL, kinds.EMPLOYEE],
        )
        listed = await client.webhooks.list_subscriptions_async(
            security=models.GetV1WebhookSubscriptionsSecurity(system_access_auth=system)
        )
        verified = await client.webhooks.verify_async(
            security=models.PutV1VerifyWebhookSubscriptionUUIDSecurity(system_access_auth=system),
            webhook_subscription_uuid=made.uuid,
            verification_token=company.emulator.verification_token,
        )

        assert [made.uuid] == [subscription.uuid for subscription in listed]
        assert (made.status, verified.status) == (models.Status.PENDING, models.Status.VERIFIED)
