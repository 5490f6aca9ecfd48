"""The adapter against the emulator over sockets: lists, windows, events, reversals, faults."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from counterfoil.sources import Removed, Seen, SourceError, Unreadable, WriteBack
from counterfoil_adapters.gusto.emulator import EmulatorOptions, GustoEmulator
from counterfoil_schema.exact_json import JsonObject, loads_object
from counterfoil_schema.records import ContractorPayment, Employee, PayRun, Vendor
from support.gusto import Company, collect, contractor_payment, contractors, employees, gusto, payroll, person


def seen_ids(changes: list[object]) -> list[str]:
    return [change.source_id for change in changes if isinstance(change, Seen)]


async def today(company: Company, days: int = 0) -> str:
    return (company.clock.now().date() + timedelta(days=days)).isoformat()


async def test_every_employee_is_read_once_over_several_pages() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(205)})

        changes, _ = await collect(company.source(), "employee")

        assert sorted(f"e{n}" for n in range(205)) == sorted(seen_ids(list(changes)))
        first = changes[0]
        assert isinstance(first, Seen)
        assert isinstance(first.record, Employee)
        assert (
            first.record.given_name,
            first.record.family_name,
            first.record.department,
        ) == ("Zoë0", "Ødegård-0 🦊", "Design")


async def test_nothing_that_identifies_a_person_to_offices_leaves_the_adapter() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(3)})

        changes, _ = await collect(company.source(), "employee")

        assert [c for c in changes if isinstance(c, Seen) and ("123-45" in repr(c) or "1985-02-17" in repr(c))] == []


async def test_payrolls_of_three_years_are_read_in_windows_of_one() -> None:
    async with gusto() as company:
        staff = employees(2)
        days = (-1000, -730, -700, -365, -364, -1, 9)
        runs = [payroll(f"p{n}", await today(company, d), [person("e0", "5000.00")]) for n, d in enumerate(days)]
        await company.control("/load", {"employees": staff, "payrolls": list(runs)})
        since = company.clock.now().date() - timedelta(days=1000)

        changes, _ = await collect(company.source({"since": since}), "payroll")

        assert [f"p{n}" for n in range(len(days))] == seen_ids(list(changes))


async def test_off_cycle_runs_are_read_and_external_ones_are_not() -> None:
    async with gusto() as company:
        day = await today(company)
        runs = [
            payroll("p1", day, [person("e0", "10.00", taxes=[], benefits=[], deductions=[])], off_cycle=True),
            payroll("p2", day, [person("e0", "5000.00")], external=True),
            payroll("p3", day, [person("e0", "5000.00")], processed=False),
        ]
        await company.control("/load", {"employees": employees(1), "payrolls": list(runs)})

        (change,), _ = await collect(company.source(), "payroll")

        assert isinstance(change, Seen)
        assert isinstance(change.record, PayRun)
        assert (change.source_id, change.record.off_cycle) == ("p1", True)


async def test_a_payroll_of_more_than_a_page_of_people_is_summed_whole() -> None:
    async with gusto() as company:
        people = [person(f"e{n}", "5000.00") for n in range(230)]
        load: JsonObject = {"employees": employees(230), "payrolls": [payroll("p1", await today(company), people)]}
        await company.control("/load", load)

        (change,) = await company.source().read("payroll", "p1")

        assert isinstance(change, Seen)
        assert isinstance(change.record, PayRun)
        wages = {line.department: (line.amount, line.people) for line in change.record.lines if line.part == "wages"}
        assert {"Design": (Decimal("575000.00"), 115), "Vertrieb Süd": (Decimal("575000.00"), 115)} == wages


async def test_events_bring_what_changed_and_nothing_else() -> None:
    async with gusto() as company:
        day = await today(company)
        runs = [payroll(f"p{n}", day, [person("e0", "5000.00")]) for n in range(3)]
        await company.control("/load", {"employees": employees(3), "payrolls": list(runs)})
        source = company.source()
        _, runs_cursor = await collect(source, "payroll")
        _, people_cursor = await collect(source, "employee")

        await company.control("/people/payrolls", payroll("p9", day, [person("e1", "5000.00")]))
        await company.control("/people/payrolls/p9/process")
        await company.control("/people/employees/e2/change", {"department": "Night Shift"})

        new_runs, runs_cursor = await collect(source, "payroll", runs_cursor)
        new_people, people_cursor = await collect(source, "employee", people_cursor)
        assert (seen_ids(list(new_runs)), seen_ids(list(new_people))) == (["p9"], ["e2"])
        assert (
            (await collect(source, "payroll", runs_cursor))[0],
            (await collect(source, "employee", people_cursor))[0],
        ) == ([], [])


async def test_more_events_than_a_page_are_followed_to_the_end() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(130)})
        source = company.source()
        _, cursor = await collect(source, "employee")
        for number in range(130):
            company.emulator.people.change_employee(f"e{number}", {"email": f"new{number}@example.test"})

        changes, _ = await collect(source, "employee", cursor)

        assert len(set(seen_ids(list(changes)))) == 130


async def test_a_change_during_the_first_reading_is_announced_after_it() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(150)})
        source = company.source()
        pages = source.changes("employee", None)
        first = await anext(pages)
        await company.control("/people/employees/e0/change", {"last_name": "Meanwhile"})

        rest, cursor = await collect(source, "employee", first.cursor)
        announced, _ = await collect(source, "employee", cursor)

        assert len(rest) == 50
        assert seen_ids(list(announced)) == ["e0"]


async def test_a_row_that_goes_while_pages_are_read_hides_no_other() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(150)})
        source = company.source()
        pages = source.changes("employee", None)
        first = await anext(pages)
        await company.control("/people/employees/e3/delete")

        rest, _ = await collect(source, "employee", first.cursor)

        everybody = set(seen_ids(list(first.changes))) | set(seen_ids(list(rest)))
        assert {f"e{n}" for n in range(150)} == everybody


async def test_reading_goes_on_from_any_page_after_a_crash() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(350)})
        cursor: str | None = None
        found: list[str] = []
        for _ in range(10):
            async for page in company.source().changes("employee", cursor):
                found.extend(seen_ids(list(page.changes)))
                cursor, done = page.cursor, page.done
                break
            if done:
                break

        assert sorted(f"e{n}" for n in range(350)) == sorted(found)


async def test_after_a_month_of_silence_everything_is_read_again() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(3)})
        await company.control("/people/employees/e0/change", {"last_name": "Before"})
        _, cursor = await collect(company.source(), "employee")
        await company.control("/people/employees/e1/change", {"last_name": "Lost"})
        await company.control("/clock", {"advance_seconds": 40 * 86400})

        pages = [page async for page in company.source().changes("employee", cursor)]

        changes = [change for page in pages for change in page.changes]
        assert {"e0", "e1", "e2"} == set(seen_ids(list(changes)))
        assert ["Gusto keeps events for thirty days" in page.afresh for page in pages] == [True]
        again = [page async for page in company.source().changes("employee", pages[-1].cursor)]
        assert [page.afresh for page in again] == [""]


async def test_an_event_that_gusto_forgot_means_reading_again() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(2)})
        await company.control("/people/employees/e0/change", {"last_name": "New"})
        _, cursor = await collect(company.source(), "employee")
        company.emulator.store.events.clear()

        changes, _ = await collect(company.source(), "employee", cursor)

        assert seen_ids(list(changes)) == ["e0", "e1"]


async def test_without_events_each_poll_reads_the_lists() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(2)})
        source = company.source({"refresh_token": None, "client_id": None, "client_secret": None})
        _, cursor = await collect(source, "employee")
        await company.control("/people/employees/e1/change", {"last_name": "Later"})

        changes, _ = await collect(source, "employee", cursor)

        assert seen_ids(list(changes)) == ["e0", "e1"]


async def test_a_reversed_payroll_says_so_and_the_reversal_is_a_run_of_its_own() -> None:
    async with gusto() as company:
        people = [person("e0", "5000.00"), person("e1", "6000.00")]
        load: JsonObject = {"employees": employees(2), "payrolls": [payroll("p1", await today(company), people)]}
        await company.control("/load", load)
        source = company.source()
        (before,), cursor = await collect(source, "payroll")
        made = (await company.control("/people/payrolls/p1/reverse"))["uuid"]

        changes, _ = await collect(source, "payroll", cursor)

        by_id = {change.source_id: change for change in changes if isinstance(change, Seen)}
        original, reversal = by_id["p1"].record, by_id[made].record
        assert isinstance(before, Seen)
        assert isinstance(before.record, PayRun)
        assert isinstance(original, PayRun)
        assert isinstance(reversal, PayRun)
        assert (before.record.status, original.status, reversal.status) == ("processed", "reversed", "processed")
        assert (before.record.reverses, original.reverses, reversal.reverses) == (None, None, "gusto:payroll:p1")
        assert before.version != by_id["p1"].version
        assert [-line.amount for line in before.record.lines] == [line.amount for line in reversal.lines]


async def test_a_payroll_reversed_for_some_says_partially() -> None:
    async with gusto() as company:
        people = [person("e0", "5000.00"), person("e1", "6000.00")]
        load: JsonObject = {"employees": employees(2), "payrolls": [payroll("p1", await today(company), people)]}
        await company.control("/load", load)
        made = (await company.control("/people/payrolls/p1/reverse", {"employee_uuids": ["e1"]}))["uuid"]

        (change,) = await company.source().read("payroll", "p1")
        (taken_back,) = await company.source().read("payroll", made)

        assert isinstance(change, Seen)
        assert isinstance(change.record, PayRun)
        assert change.record.status == "partially_reversed"
        assert isinstance(taken_back, Seen)
        assert isinstance(taken_back.record, PayRun)
        assert taken_back.record.reverses == "gusto:payroll:p1"
        # Of the second person alone: 6,000.00 in wages.
        assert [Decimal("-6000.00")] == [line.amount for line in taken_back.record.lines if line.part == "wages"]


async def test_a_cancelled_payroll_is_shown_as_unprocessed() -> None:
    async with gusto() as company:
        await company.control("/load", {"payrolls": [payroll("p1", await today(company), [person("e0", "5000.00")])]})
        source = company.source()
        _, cursor = await collect(source, "payroll")
        await company.control("/people/payrolls/p1/cancel")

        (change,), _ = await collect(source, "payroll", cursor)

        assert isinstance(change, Seen)
        assert isinstance(change.record, PayRun)
        assert (change.record.status, change.record.processed, change.record.lines) == ("unprocessed", False, ())


async def test_a_deleted_employee_is_removed_on_gustos_own_word() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(2)})
        source = company.source()
        _, cursor = await collect(source, "employee")
        await company.control("/people/employees/e1/delete")

        (polled,), _ = await collect(source, "employee", cursor)
        (asked,) = await source.read("employee", "e1")

        assert isinstance(polled, Removed)
        assert polled == asked
        assert "employee.deleted" in polled.evidence


async def test_a_record_that_is_not_shown_yet_is_not_removed() -> None:
    async with gusto() as company:
        with pytest.raises(SourceError) as refused:
            await company.source().read("payroll", "not-there-yet")

        assert refused.value.retry_after is not None


@pytest.mark.parametrize("total", ["4999.99", "oops", "", None, True])
async def test_a_payroll_with_wrong_totals_is_unreadable_and_the_next_one_is_read(total: str | bool | None) -> None:
    async with gusto() as company:
        day = await today(company)
        runs = [payroll(f"p{n}", day, [person("e0", "5000.00")]) for n in (1, 2)]
        await company.control("/load", {"employees": employees(1), "payrolls": list(runs)})
        totals = company.emulator.store.payrolls["p1"]["totals"]
        assert isinstance(totals, dict)
        totals["gross_pay"] = total

        (bad, good), _ = await collect(company.source(), "payroll")

        assert isinstance(bad, Unreadable)
        assert isinstance(good, Seen)
        assert (bad.source_id, "gross_pay" in bad.problem) == ("p1", True)
        assert loads_object(bad.raw)["uuid"] == "p1"


async def test_people_without_a_department_are_unassigned() -> None:
    async with gusto() as company:
        load: JsonObject = {
            "employees": [{"uuid": "e0", "first_name": "Ana", "last_name": "Silva"}],
            "payrolls": [payroll("p1", await today(company), [person("e0", "5000.00"), person("gone", "5000.00")])],
        }
        await company.control("/load", load)

        (change,), _ = await collect(company.source({"unassigned": "Nobody's"}), "payroll")

        assert isinstance(change, Seen)
        assert isinstance(change.record, PayRun)
        assert {("Nobody's", 2)} == {(line.department, line.people) for line in change.record.lines}


async def test_a_busy_gusto_is_asked_again_after_the_time_that_it_names() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(2)})
        await company.control("/faults", {"kind": "rate_limit", "retry_after": 7, "path": "/employees"})
        await company.control("/faults", {"kind": "rate_limit", "path": "/employees"})
        await company.control("/faults", {"kind": "status", "status": 502, "times": 2, "path": "/departments"})

        changes, _ = await collect(company.source(), "employee")

        assert seen_ids(list(changes)) == ["e0", "e1"]
        assert len(company.clock.waits) == 4
        assert len([wait for wait in company.clock.waits if 7 <= wait < 8]) == 1


async def test_a_cut_off_answer_is_never_taken_for_a_short_list() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(5)})
        await company.control("/faults", {"kind": "truncate", "path": "/employees"})
        healed, _ = await collect(company.source(), "employee")
        await company.control("/faults", {"kind": "truncate", "times": 50, "path": "/employees"})

        with pytest.raises(SourceError):
            await collect(company.source(), "employee")

        assert len(healed) == 5


async def test_a_slow_answer_is_given_up_and_asked_for_again() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        await company.control("/faults", {"kind": "slow", "seconds": 600, "path": "/employees/e0"})

        changes = await company.source({"timeout_seconds": 3}).read("employee", "e0")

        assert seen_ids(list(changes)) == ["e0"]
        assert len(company.clock.waits) == 1


async def test_an_answer_without_what_it_must_hold_is_told_without_a_crash() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(2)})
        del company.emulator.store.employees["e0"]["uuid"]

        with pytest.raises(SourceError, match="another form"):
            await collect(company.source(), "employee")


async def test_the_limit_of_the_grant_is_enforced_and_its_waiting_time_is_told() -> None:
    async with gusto(GustoEmulator(EmulatorOptions(requests_per_minute=3))) as company:
        await company.control("/load", {"employees": employees(250)})

        with pytest.raises(SourceError) as refused:
            await collect(company.source(), "employee")

        told = refused.value.retry_after
        assert told is not None
        assert 50 < told <= 60
        await company.control("/clock", {"advance_seconds": 61})
        assert len(await company.source().read("employee", "e0")) == 1


async def test_another_companys_record_stops_the_reading() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        company.emulator.store.employees["e0"]["company_uuid"] = "somebody-else"

        with pytest.raises(SourceError, match="another company"):
            await company.source().read("employee", "e0")


async def test_an_unknown_kind_is_told() -> None:
    async with gusto() as company:
        with pytest.raises(SourceError, match="no records of the kind deal"):
            await company.source().read("deal", "1")


async def test_nothing_is_written_back() -> None:
    async with gusto() as company:
        request = WriteBack(kind="payroll", source_id="p1", values={"status": "posted"}, request_id="r1")

        result = await company.source().write_back(request)

        assert (result.outcome, "payroll p1" in result.reason) == ("rejected", True)


async def test_contractors_are_vendors_and_what_they_are_paid_follows_them() -> None:
    async with gusto() as company:
        days = [await today(company, days) for days in (-500, -200, 0)]
        payments = [contractor_payment(f"cp{n}", f"c{n % 2 + 1}", day) for n, day in enumerate(days)]
        await company.control("/load", {"contractors": contractors(), "contractor_payments": list(payments)})
        source = company.source({"since": company.clock.now().date() - timedelta(days=600)})

        people, people_cursor = await collect(source, "contractor")
        paid, paid_cursor = await collect(source, "contractor_payment")
        contractor, payment = await source.read("contractor_payment", "cp1")

        assert [change.record for change in people if isinstance(change, Seen)] == [
            Vendor(name="Zoë Ødegård", email="z@example.test"),
            Vendor(name="Bright Pixels LLC"),
        ]
        assert sorted(seen_ids(list(paid))) == ["cp0", "cp1", "cp2"]
        assert isinstance(contractor, Seen)
        assert isinstance(payment, Seen)
        assert (contractor.kind, contractor.source_id) == ("contractor", "c2")
        assert payment.record == ContractorPayment(
            contractor="gusto:contractor:c2",
            dated=date.fromisoformat(days[1]),
            currency="USD",
            wages=Decimal("1162.50"),
            reimbursement=Decimal("43.21"),
            method="Direct Deposit",
        )
        # What is listed and what is read one by one are the same record, department included.
        (again,) = [change for change in await source.read("contractor_payment", "cp0") if change.source_id == "cp0"]
        assert [again] == [change for change in paid if change.source_id == "cp0"]
        kept = "".join(change.raw for change in (*people, *paid) if isinstance(change, Seen))
        assert [word for word in ("XX-XXX4321", "Market Street", "hourly_rate") if word in kept] == ["hourly_rate"]

        await company.control("/people/contractors/c1/dismiss")
        await company.control("/people/contractor_payments/cp2/cancel")
        await company.control("/people/contractor_payments", contractor_payment("cp3", "c2", days[2]))
        (left,), _ = await collect(source, "contractor", people_cursor)
        changes, _ = await collect(source, "contractor_payment", paid_cursor)
        assert isinstance(left, Seen)
        assert left.record == Vendor(name="Zoë Ødegård", email="z@example.test", active=False)
        gone, fresh = changes
        assert isinstance(gone, Removed)
        assert (gone.source_id, "contractor_payment.cancelled" in gone.evidence) == ("cp2", True)
        assert [gone] == await source.read("contractor_payment", "cp2")
        assert fresh.source_id == "cp3"


async def test_wrong_credentials_are_said_at_once_with_gustos_words() -> None:
    async with gusto() as company:
        alone = {"refresh_token": None, "client_id": None, "client_secret": None, "access_token": "wrong"}
        for settings, words in (
            (alone, "Gusto's access token has ended|access token is missing, invalid or expired"),
            ({"client_secret": "wrong", "access_token": None}, "Client authentication failed"),
            ({"refresh_token": "wrong", "access_token": None}, "The refresh token is invalid, expired or revoked"),
        ):
            with pytest.raises(SourceError, match=words) as refused:
                await collect(company.source(settings), "employee")
            assert (refused.value.retry_after, refused.value.one_kind) == (None, False)
            assert refused.value.remedy


@pytest.mark.parametrize("kind", ["employee", "contractor", "payroll", "contractor_payment"])
async def test_a_token_of_another_company_names_both(kind: str) -> None:
    async with gusto() as company:
        own = company.emulator.store.company_uuid
        with pytest.raises(SourceError, match=f"belongs to company {own}.* set up for another-company") as refused:
            await collect(company.source({"company_uuid": "another-company"}), kind)
        assert "company_uuid" in refused.value.remedy
