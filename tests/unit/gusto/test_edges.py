"""What is dropped at the edge, how a place in the reading is kept, and how wrong settings are told."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.errors import ConfigurationError
from counterfoil.sources.settings import read_settings
from counterfoil_adapters.gusto.cursor import Cursor, parse
from counterfoil_adapters.gusto.employee import EmployeeError, employee
from counterfoil_adapters.gusto.redaction import employee_raw, payroll_raw
from counterfoil_adapters.gusto.settings import GustoSettings
from counterfoil_schema.exact_json import JsonObject
from support.sources import context_of

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def test_an_employee_keeps_only_what_is_listed() -> None:
    payload: JsonObject = {
        "uuid": "e1",
        "first_name": "Ana",
        "ssn": "123-45-6789",
        "hidden_ssn": "XXX-XX-6789",
        "date_of_birth": "1985-02-17",
        "bank_accounts": [{"account_number": "12345678"}],
        "phone": "5551234567",
        "something_of_tomorrow": "12345678",
        "jobs": [
            {"uuid": "j1", "hire_date": "2020-01-06", "rate": "91000.00", "compensations": [{"rate": "91000.00"}]}
        ],
    }

    assert employee_raw(payload) == '{"uuid":"e1","first_name":"Ana","jobs":[{"uuid":"j1","hire_date":"2020-01-06"}]}'


def test_a_payroll_loses_what_identifies_people_to_banks_and_offices_at_any_depth() -> None:
    payload: JsonObject = {
        "uuid": "p1",
        "employee_compensations": [{"employee_uuid": "e1", "SSN": "1", "bank_account": {"n": "2"}, "dateOfBirth": "3"}],
        "routing_number": "4",
    }

    assert payroll_raw(payload) == '{"uuid":"p1","employee_compensations":[{"employee_uuid":"e1"}]}'


@given(
    after=st.none() | st.text(),
    page=st.integers(1, 10**6),
    start=st.none() | st.dates(),
    total=st.none() | st.integers(0, 10**9),
)
def test_a_cursor_survives_storing(after: str | None, page: int, start: date | None, total: int | None) -> None:
    cursor = Cursor(phase="list", after=after, at=NOW, page=page, start=start, total=total)

    assert cursor == parse(cursor.text())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"phase":"list","at":"2026-11-22"}', '{"phase":"x","at":"y"}'])
def test_a_cursor_that_cannot_be_read_means_reading_all_again(text: str) -> None:
    assert parse(text) is None


def test_an_employee_record() -> None:
    record = employee(
        {
            "uuid": "e1",
            "first_name": " Zoë ",
            "last_name": "Ødegård",
            "email": "home@example.test",
            "work_email": "work@example.test",
            "department_uuid": "d1",
            "terminated": True,
            "jobs": [{"hire_date": "2022-03-01"}, {"hire_date": "2020-01-06"}, {"hire_date": None}],
        },
        {"d1": "Design"},
    )

    assert ("Zoë", "Ødegård", "work@example.test", "Design", date(2020, 1, 6), False) == (
        record.given_name,
        record.family_name,
        record.email,
        record.department,
        record.hired,
        record.active,
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"last_name": None}, "last_name is missing"),
        ({"first_name": " "}, "first_name is missing"),
        ({"first_name": 7}, "first_name is not text"),
        ({"jobs": [{"hire_date": "06/01/2020"}]}, "hire_date is not a date"),
    ],
)
def test_an_employee_that_cannot_be_read_names_the_field(changes: JsonObject, words: str) -> None:
    with pytest.raises(EmployeeError, match=words):
        employee({"uuid": "e1", "first_name": "Ana", "last_name": "Silva", **changes}, {})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "company_uuid"),
        ({"company_uuid": "c1"}, "give access_token, or refresh_token"),
        ({"company_uuid": "c1", "refresh_token": "r"}, "needs client_id and client_secret"),
        ({"company_uuid": "c1", "access_token": "a", "acess_token": "b"}, "acess_token"),
        ({"company_uuid": "c1", "access_token": "a", "base_url": "ftp://x"}, "base_url"),
    ],
)
def test_wrong_settings_are_told_in_one_sentence_without_secrets(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        read_settings(GustoSettings, context_of("payroll", settings), "Gusto")

    assert "'payroll'" in str(refused.value)
