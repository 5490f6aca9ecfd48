"""A staff of any size, the same for the same size and day."""

from datetime import date, timedelta

from counterfoil_schema.exact_json import JsonObject, JsonValue

FIRST = ("Ada", "Zoë", "Jürgen", "Mei", "Oluwaseun", "Ines")
LAST = ("Lovelace", "Groß", "O'Brien", "Chen", "Adeyemi", "García")
DEPARTMENTS = ("Design", "Vertrieb Süd", "Field", "Office")
FIRST_ID = 100
DAYS = 5


def sample(people: int, today: date) -> JsonObject:
    """So many employees, paid by the hour, and approved hours of each on some of the last days."""
    staff: list[JsonValue] = [_person(number) for number in range(people)]
    time: list[JsonValue] = [
        _hours(number, today - timedelta(days=back)) for number in range(people) for back in range(1, 2 + number % DAYS)
    ]
    return {"employees": staff, "time": time}


def _person(number: int) -> JsonObject:
    last = LAST[number // len(FIRST) % len(LAST)]
    return {
        "id": FIRST_ID + number,
        "firstName": FIRST[number % len(FIRST)],
        "lastName": f"{last} {number + 1}",
        "workEmail": f"person{number + 1}@example.com",
        "department": DEPARTMENTS[number % len(DEPARTMENTS)],
        "location": "Lindon",
        "jobTitle": "Staff",
        "pay": {
            "rate": {"value": f"{18 + number % 40}.{number % 4 * 25:02}", "currency": "USD"},
            "type": "Hourly",
            "paidPer": "Hour",
        },
    }


def _hours(number: int, day: date) -> JsonObject:
    return {
        "employeeId": FIRST_ID + number,
        "date": day.isoformat(),
        "hours": ("8", "7.5", "6.25")[number % 3],
        "approved": True,
        "projectInfo": {"project": {"id": 3 + number % 2, "name": f"Site {'AB'[number % 2]}"}, "task": None},
    }
