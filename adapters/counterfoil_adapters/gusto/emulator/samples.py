"""A payroll of any size, the same for the same size and day."""

from datetime import date, timedelta

from counterfoil_schema.exact_json import JsonObject, JsonValue

FIRST = ("Ada", "Zoë", "Jürgen", "Mei", "Oluwaseun", "Ines")
LAST = ("Lovelace", "Groß", "O'Brien", "Chen", "Adeyemi", "García")
DEPARTMENTS = ("Design", "Vertrieb Süd", "Field", "Office")
RUNS = 6
FORTNIGHT = timedelta(days=14)


def sample(people: int, today: date) -> JsonObject:
    """So many employees, and the pay runs of the last twelve weeks, in which everybody is paid."""
    staff: list[JsonValue] = [
        {
            "uuid": f"employee-{number}",
            "first_name": FIRST[number % len(FIRST)],
            "last_name": f"{LAST[number // len(FIRST) % len(LAST)]} {number + 1}",
            "email": f"person{number + 1}@example.com",
            "department": DEPARTMENTS[number % len(DEPARTMENTS)],
        }
        for number in range(people)
    ]
    runs: list[JsonValue] = [_run(number, people, today - FORTNIGHT * (RUNS - number)) for number in range(RUNS)]
    return {"employees": staff, "payrolls": runs}


def _run(number: int, people: int, check_date: date) -> JsonObject:
    return {
        "uuid": f"payroll-{number}",
        "check_date": check_date.isoformat(),
        "start_date": (check_date - FORTNIGHT).isoformat(),
        "end_date": (check_date - timedelta(days=1)).isoformat(),
        "employee_compensations": [_paid(person) for person in range(people)],
    }


def _paid(person: int) -> JsonObject:
    """A tenth is withheld as tax, and 7.65 of a hundred are the employer's."""
    cents = 180_000 + person * 1_731 % 250_000
    return {
        "employee_uuid": f"employee-{person}",
        "gross_pay": _money(cents),
        "taxes": [
            {"name": "Federal Income Tax", "employer": False, "amount": _money(cents // 10)},
            {"name": "Social Security", "employer": True, "amount": _money(cents * 765 // 10_000)},
        ],
    }


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
