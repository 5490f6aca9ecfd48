"""The adapter against the emulator over sockets: employees as of today, time, restricted fields, limits, faults."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from counterfoil.emulating import EmulatorOptions
from counterfoil.errors import ConfigurationError
from counterfoil.sources import Removed, Seen, SourceError, Unreadable
from counterfoil_adapters.bamboohr.employee import restrictions
from counterfoil_adapters.bamboohr.emulator import BambooEmulator
from counterfoil_schema.exact_json import JsonObject, loads_object
from counterfoil_schema.records import Employee, TimeEntry
from support.bamboohr import Company, bamboohr, collect, person, project, seen_ids, worked
from support.sources import WatchedKeeper

DAY_SECONDS = 86_400


async def employee(company: Company, source_id: str, **settings: object) -> Employee:
    (change,) = await company.source(settings).read("employee", source_id)
    assert isinstance(change, Seen), change
    assert isinstance(change.record, Employee)
    return change.record


def time_of(change: object) -> TimeEntry:
    assert isinstance(change, Seen), change
    assert isinstance(change.record, TimeEntry)
    return change.record


async def test_everybody_is_read_those_who_left_included_and_nothing_that_the_books_never_need() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(n) for n in range(120)]})
        await company.control("/people/105/dismiss", {"date": company.day(-1)})

        changes, _ = await collect(company.source(), "employee")

        assert sorted(str(100 + n) for n in range(120)) == sorted(seen_ids(changes))
        assert [change for change in changes if "123-45" in repr(change) or "1985-02-17" in repr(change)] == []
        assert (await employee(company, "105")).active is False
        assert (await employee(company, "106")).active is True


async def test_somebody_who_comes_back_is_active_again() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})
        await company.control("/people/100/dismiss", {"date": company.day(-30)})
        source = company.source()
        (left,), cursor = await collect(source, "employee")
        await company.control("/clock", {"advance_seconds": 60})
        await company.control("/people/100/rehire", {"date": company.day()})

        (back,), _ = await collect(source, "employee", cursor)

        assert isinstance(left, Seen)
        assert isinstance(back, Seen)
        assert isinstance(left.record, Employee)
        assert isinstance(back.record, Employee)
        assert (left.record.active, back.record.active) == (False, True)
        assert back.record.hired == date.fromisoformat(company.day())


async def test_what_begins_later_holds_later_and_is_told_on_its_day() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0), person(1)]})
        await company.control("/clock", {"advance_seconds": 60})
        tomorrow: JsonObject = {
            "date": company.day(1),
            "department": "Legal",
            "location": "Wien",
            "jobTitle": "Counsel",
        }
        await company.control("/people/100/row", {"table": "jobInfo", "row": tomorrow})
        await company.control("/clock", {"advance_seconds": 60})
        source = company.source()
        first, cursor = await collect(source, "employee")
        await company.control("/clock", {"advance_seconds": DAY_SECONDS})

        again, cursor = await collect(source, "employee", cursor)
        quiet, _ = await collect(source, "employee", cursor)

        departments = [
            (change.source_id, change.record.department)
            for change in (*first, *again)
            if isinstance(change, Seen) and isinstance(change.record, Employee)
        ]
        assert departments == [("101", "Design"), ("100", "Design"), ("100", "Legal")]
        assert seen_ids(quiet) == []


async def test_the_day_is_that_of_the_mappings_zone() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})
        today = company.emulator.company.today()
        # Half past five in the morning in Denver: in Auckland it is tomorrow's small hours.
        await company.control("/clock", {"now": f"{today.isoformat()}T12:30:00+00:00"})
        row: JsonObject = {"date": (today + timedelta(days=1)).isoformat(), "department": "Legal"}
        await company.control("/people/100/row", {"row": row})

        found: list[str | None] = []
        for zone in ("America/Denver", "Pacific/Auckland"):
            source = company.source(mapping={"connection": {"source": "bamboohr", "zone": zone}})
            (change,) = await source.read("employee", "100")
            assert isinstance(change, Seen)
            assert isinstance(change.record, Employee)
            found.append(change.record.department)

        assert found == ["Design", "Legal"]


async def test_two_changes_of_one_second_are_both_seen_and_a_quiet_poll_reads_nobody() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(n) for n in range(3)]})
        await company.control("/clock", {"advance_seconds": 3600})
        source = company.source()
        _, cursor = await collect(source, "employee")
        instant = company.clock.now().replace(microsecond=100_000)
        names: list[str] = []
        for name, fraction in (("First", 200_000), ("Second", 700_000)):
            await company.control("/clock", {"now": instant.replace(microsecond=fraction).isoformat()})
            await company.control("/people/101/change", {"lastName": name})
            changes, cursor = await collect(source, "employee", cursor)
            names += [
                change.record.family_name
                for change in changes
                if isinstance(change, Seen) and isinstance(change.record, Employee) and change.source_id == "101"
            ]
        await company.control("/clock", {"advance_seconds": 60})
        _, cursor = await collect(source, "employee", cursor)
        calls = company.emulator.calls["GET /api/v1/employees/{id}"]
        await collect(source, "employee", cursor)

        assert names == ["First", "Second"]
        assert company.emulator.calls["GET /api/v1/employees/{id}"] == calls


async def test_a_deleted_employee_is_removed_on_bamboohrs_own_word() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0), person(1)]})
        source = company.source()
        _, cursor = await collect(source, "employee")
        await company.control("/people/101/delete")

        changes, _ = await collect(source, "employee", cursor)
        (asked,) = await source.read("employee", "101")

        (polled,) = [change for change in changes if isinstance(change, Removed)]
        assert polled == asked
        assert "Deleted" in polled.evidence


async def test_an_employee_who_is_hidden_is_not_called_deleted() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0), person(1)]})
        key = company.emulator.ready()["api_key"]
        await company.control(f"/keys/{key}", {"people": ["100"]})

        with pytest.raises(SourceError) as refused:
            await company.source().read("employee", "101")

        assert refused.value.retry_after is not None


@pytest.mark.parametrize(
    ("hides", "withheld", "phrase"),
    [
        (["workEmail"], ("email",), "employee:contact"),
        (["hireDate"], ("hired",), "employee:job"),
        (["status"], ("active",), "employee:job"),
        (["jobInfo.department"], ("department",), "employee:job"),
        (["jobInfo"], ("department", "job", "location"), "employee:job"),
    ],
)
async def test_a_field_that_is_kept_from_the_key_is_named_with_its_permission(
    hides: list[str], withheld: tuple[str, ...], phrase: str
) -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})
        made = await company.control("/keys", {"hides": [*hides]})

        (change,) = await company.source({"api_key": made["api_key"]}).read("employee", "100")

        assert isinstance(change, Seen)
        assert isinstance(change.record, Employee)
        assert change.record.withheld == withheld
        assert len(restrictions(change)) == len(withheld)
        assert all(phrase in told for told in restrictions(change))


async def test_a_name_that_is_kept_from_the_key_makes_the_employee_unreadable_and_says_why() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})
        made = await company.control("/keys", {"hides": ["lastName"]})

        (change,) = await company.source({"api_key": made["api_key"]}).read("employee", "100")

        assert isinstance(change, Unreadable)
        assert "lastName" in change.problem
        assert "employee:name" in change.fix


async def test_pay_is_read_only_where_it_is_asked_for() -> None:
    async with bamboohr() as company:
        rows: JsonObject = {"compensation": [{"startDate": company.day(30), "paidPer": "Year", "type": "Salary"}]}
        await company.control("/load", {"employees": [person(0, rows=rows)]})
        hidden = await company.control("/keys", {"hides": ["compensation"]})

        silent = await employee(company, "100")
        (silent_change,) = await company.source().read("employee", "100")
        asked = await employee(company, "100", compensation=True)
        barred = await employee(company, "100", compensation=True, api_key=hidden["api_key"])

        assert silent.pay is None
        assert isinstance(silent_change, Seen)
        assert "31.50" not in silent_change.raw
        assert asked.pay is not None
        assert [(rate.per, rate.amount) for rate in asked.pay] == [("Hour", Decimal("31.50")), ("Year", None)]
        assert (barred.pay, barred.withheld) == (None, ("pay",))


async def test_approved_entries_of_a_day_are_one_record_for_each_project_and_task() -> None:
    async with bamboohr() as company:
        day = company.day(-2)
        clock = {"start": f"{day}T09:00:00-07:00", "end": f"{day}T12:20:00-07:00"}
        task: JsonObject = {"id": 7, "name": "Design"}
        entries = [
            worked(100, day, "7.33", note="Morning"),
            worked(100, day, "0.25", note="Evening"),
            worked(100, day, 2, approved=False),
            worked(100, day, None, projectInfo=project(3, "Site A", task), **clock),
            worked(100, day, 1, projectInfo=None),
        ]
        await company.control("/load", {"employees": [person(0)], "time": [*entries]})

        changes, _ = await collect(company.source(), "time")

        records = {change.source_id: time_of(change) for change in changes}
        assert list(records) == [f"100/{day}/-/-", f"100/{day}/3/-", f"100/{day}/3/7"]
        whole = records[f"100/{day}/3/-"]
        assert [part.minutes for part in whole.parts] == [Decimal("439.80"), Decimal("15.00")]
        assert (whole.employee, whole.project, whole.note) == ("bamboohr:employee:100", "Site A", "Morning; Evening")
        assert [part.minutes for part in records[f"100/{day}/3/7"].parts] == [Decimal(200)]
        assert records[f"100/{day}/3/7"].task == "Design"


async def test_the_department_beside_hours_is_that_of_the_day_worked() -> None:
    async with bamboohr() as company:
        rows: JsonObject = {"jobInfo": [{"date": company.day(-3), "department": "Legal"}]}
        entries = [worked(100, company.day(-4), 8), worked(100, company.day(-3), 8)]
        await company.control("/load", {"employees": [person(0, rows=rows)], "time": [*entries]})

        changes, _ = await collect(company.source(mapping={"time": {"track": "class"}}), "time")
        plain, _ = await collect(company.source(), "time")

        assert [time_of(change).department for change in changes] == ["Design", "Legal"]
        assert [time_of(change).department for change in plain] == [None, None]


async def test_a_correction_is_seen_with_the_next_poll_and_a_draft_concerns_nobody() -> None:
    async with bamboohr() as company:
        day = company.day(-2)
        entries = [worked(100, day, 8), worked(101, day, 8, approved=False)]
        await company.control("/load", {"employees": [person(0), person(1)], "time": [*entries]})
        source = company.source()
        first, cursor = await collect(source, "time")
        await company.control("/time", {"id": 1, "hours": 6})
        reopened, cursor = await collect(source, "time", cursor)
        await company.control("/time/approve", {"entries": [1]})
        corrected, _ = await collect(source, "time", cursor)

        records = [time_of(change) for change in (*first, *reopened, *corrected)]
        states = [(record.approved, sum(part.minutes for part in record.parts)) for record in records]
        assert states == [(True, 480), (False, 0), (True, 360)]


async def test_time_that_was_deleted_is_removed_once_bamboohr_shows_other_time_of_that_person() -> None:
    async with bamboohr() as company:
        days = [company.day(-2), company.day(-3)]
        entries = [*(worked(100, day, 8) for day in days), worked(101, days[0], 8)]
        await company.control("/load", {"employees": [person(0), person(1)], "time": [*entries]})
        source = company.source()
        _, cursor = await collect(source, "time")
        for entry in (1, 3):
            await company.control(f"/time/{entry}/delete")

        changes, cursor = await collect(source, "time", cursor)
        later, _ = await collect(source, "time", cursor)

        gone = {change.source_id: change for change in changes if not isinstance(change, Seen)}
        proven, doubtful = gone[f"100/{days[0]}/3/-"], gone[f"101/{days[0]}/3/-"]
        assert isinstance(proven, Removed)
        assert "lists 1 other entries" in proven.evidence
        assert isinstance(doubtful, Unreadable)
        assert "deleted, or hidden" in doubtful.problem
        assert [change.source_id for change in later if not isinstance(change, Seen)] == [f"101/{days[0]}/3/-"]


async def test_more_than_a_year_of_time_is_never_asked_for() -> None:
    async with bamboohr() as company:
        entries = [worked(100, company.day(-days), 8) for days in (364, 200, 0)]
        await company.control("/load", {"employees": [person(0)], "time": [*entries]})

        changes, _ = await collect(company.source({"since": date(2001, 1, 1)}), "time")
        some, _ = await collect(company.source({"since": date.fromisoformat(company.day(-200))}), "time")

        assert (len(changes), len(some)) == (3, 2)


@pytest.mark.parametrize(
    "values",
    [
        {"hours": -1},
        {"hours": "many"},
        {"hours": None},
        {"hours": 8, "start": "2026-01-01T09:00:00-07:00", "end": "2026-01-01T10:00:00-07:00"},
        {"hours": None, "start": "2026-01-01T10:00:00-07:00", "end": "2026-01-01T09:00:00-07:00"},
    ],
)
async def test_hours_that_cannot_be_are_told_and_the_rest_goes_on(values: JsonObject) -> None:
    async with bamboohr() as company:
        day = company.day(-1)
        entries = [{**worked(100, day, 8), **values}, worked(101, day, 8)]
        await company.control("/load", {"employees": [person(0), person(1)], "time": [*entries]})

        bad, good = (await collect(company.source(), "time"))[0]

        assert isinstance(bad, Unreadable)
        assert f"employee 100, {day}" in bad.place
        assert isinstance(good, Seen)


async def test_a_key_without_time_tracking_is_told_its_permission() -> None:
    async with bamboohr() as company:
        made = await company.control("/keys", {"time": False})

        with pytest.raises(SourceError) as refused:
            await collect(company.source({"api_key": made["api_key"]}), "time")

        assert "time_tracking" in refused.value.remedy


async def test_a_wrong_key_is_told_in_bamboohrs_words() -> None:
    async with bamboohr() as company:
        with pytest.raises(SourceError, match="the API key or access token is missing, wrong"):
            await collect(company.source({"api_key": "wrong"}), "employee")


async def test_tokens_are_renewed_and_a_refused_refresh_token_is_told() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})
        ready = company.emulator.ready()
        names = ("client_id", "client_secret", "refresh_token")
        oauth = {"api_key": None, **{name: ready[name] for name in names}}
        source = company.source(oauth)
        keeper = WatchedKeeper()

        await collect(source, "employee")
        await company.control("/tokens/expire")
        changes = await source.read("employee", "100")
        await company.source(oauth, tokens=keeper).read("employee", "100")
        with pytest.raises(SourceError, match="invalid_grant"):
            await collect(company.source({**oauth, "refresh_token": "wrong"}), "employee")

        assert seen_ids(changes) == ["100"]
        assert company.emulator.calls["POST /token.php"] >= 4
        # BambooHR does not rotate: the refresh token goes on.
        assert [one.refresh_token.get_secret_value() for one in keeper.stored if one.refresh_token] == [
            ready["refresh_token"]
        ]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_bamboohr_is_asked_again_after_the_time_that_it_names(status: int) -> None:
    emulator = BambooEmulator(EmulatorOptions(), calls_max=3, limit_status=status)
    async with bamboohr(emulator) as company:
        await company.control("/load", {"employees": [person(0)]})
        await company.source().read("employee", "100")
        with pytest.raises(SourceError) as refused:
            await company.source().read("employee", "100")

        assert refused.value.retry_after is not None
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})
        fault: JsonObject = {"kind": "status", "status": status, "retry_after": "7", "path": "/employees/100"}
        await company.control("/faults", fault)

        assert seen_ids(await company.source().read("employee", "100")) == ["100"]
        assert len([wait for wait in company.clock.waits if 7 <= wait < 8]) == 1


async def test_a_cut_off_answer_is_never_taken_for_a_short_one() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(n) for n in range(5)]})
        await company.control("/faults", {"kind": "truncated", "path": "/changed"})
        healed, _ = await collect(company.source(), "employee")
        await company.control("/faults", {"kind": "truncated", "times": 50, "path": "/changed"})

        with pytest.raises(SourceError):
            await collect(company.source(), "employee")

        assert len(healed) == 5


async def test_somebody_elses_record_stops_the_reading() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)], "time": [worked(100, company.day(-1), 8)]})
        shown = company.emulator.company.people["100"]
        company.emulator.company.people["999"] = shown
        shown.rows["jobInfo"][0]["employeeId"] = "100"

        with pytest.raises(SourceError, match="rows of another employee than 999"):
            await company.source().read("employee", "999")


async def test_settings_are_checked_when_the_source_opens() -> None:
    async with bamboohr() as company:
        with pytest.raises(ConfigurationError, match="give api_key"):
            company.source({"api_key": None})
        with pytest.raises(ConfigurationError) as refused:
            company.source({"company_domian": "x"})

        assert "company_domain" in refused.value.remedy


async def test_raw_keeps_what_was_read() -> None:
    async with bamboohr() as company:
        await company.control("/load", {"employees": [person(0)]})

        (change,) = await company.source().read("employee", "100")

        assert isinstance(change, Seen)
        raw = loads_object(change.raw)
        assert set(raw) == {"employee", "jobInfo", "employmentStatus", "withheld"}
