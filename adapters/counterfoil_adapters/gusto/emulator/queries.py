"""What the list endpoints select: payrolls by type, state and window; events after a cursor; employees."""

from collections.abc import Mapping
from datetime import date, timedelta
from fnmatch import fnmatchcase

from counterfoil_adapters.gusto.emulator.paging import whole
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.values import BadRequestError, entry, rows, text, words
from counterfoil_schema.exact_json import JsonObject

WINDOW_DAYS_MAX = 366
FUTURE_DAYS_MAX = 92
DEFAULT_DAYS = 183
EVENTS_MAX = 100


def employees(store: Store, query: Mapping[str, str]) -> list[JsonObject]:
    """Employees by payroll, termination, uuid or a search term."""
    found = list(store.employees.values())
    if (payroll := query.get("payroll_uuid")) is not None:
        paid = {text(row, "employee_uuid") for row in rows(store.payroll(payroll), "employee_compensations")}
        found = [employee for employee in found if employee["uuid"] in paid]
    if (terminated := query.get("terminated")) is not None:
        found = [employee for employee in found if employee["terminated"] is (terminated == "true")]
    if wanted := words(query.get("uuids")):
        found = [employee for employee in found if employee["uuid"] in wanted]
    if term := query.get("search_term", "").casefold():
        found = [e for e in found if term in f"{e['first_name']} {e['last_name']}".casefold()]
    return found


def payrolls(store: Store, query: Mapping[str, str]) -> list[JsonObject]:
    """Payrolls of a window, processed and regular unless more is asked for, oldest first unless told otherwise."""
    start, end = _window(store, query)
    states = words(query.get("processing_statuses")) or ["processed"]
    types = words(query.get("payroll_types")) or ["regular"]
    by_check_date = query.get("date_filter_by") == "check_date"
    found = []
    for payroll in store.payrolls.values():
        period = entry(payroll["pay_period"], "pay_period")
        first = text(payroll, "check_date") if by_check_date else text(period, "start_date")
        last = text(payroll, "check_date") if by_check_date else text(period, "end_date")
        state = "processed" if payroll["processed"] is True else "unprocessed"
        if state in states and _type(payroll) in types and start <= first and last <= end:
            found.append(payroll)
    found.sort(key=lambda p: (text(p, "check_date"), text(p, "uuid")), reverse=query.get("sort_order") == "desc")
    return found


def _type(payroll: JsonObject) -> str:
    if payroll["external"] is True:
        return "external"
    return "off_cycle" if payroll["off_cycle"] is True else "regular"


def _window(store: Store, query: Mapping[str, str]) -> tuple[str, str]:
    today = store.clock.now().date()
    try:
        end = date.fromisoformat(query["end_date"]) if "end_date" in query else today
        start = date.fromisoformat(query["start_date"]) if "start_date" in query else end - timedelta(DEFAULT_DAYS)
    except ValueError:
        raise BadRequestError("start_date and end_date must be dates", key="start_date") from None
    if end - start > timedelta(WINDOW_DAYS_MAX):
        raise BadRequestError("start_date and end_date can't be more than 1 year apart", key="start_date")
    if end - today > timedelta(FUTURE_DAYS_MAX):
        raise BadRequestError("end_date can't be more than 3 months in the future", key="end_date")
    return start.isoformat(), end.isoformat()


def events(store: Store, query: Mapping[str, str]) -> list[JsonObject]:
    """Events of the last thirty days after a cursor, by type (`payroll.*` fits all of payroll's)."""
    kept = store.kept_events()
    if query.get("sort_order") == "desc":
        kept.reverse()
    if (after := query.get("starting_after_uuid")) is not None:
        places = [place for place, event in enumerate(kept) if event["uuid"] == after]
        if not places:
            raise BadRequestError("starting_after_uuid names no event of the last 30 days", key="starting_after_uuid")
        kept = kept[places[0] + 1 :]
    if (resource := query.get("resource_uuid")) is not None:
        kept = [event for event in kept if event["resource_uuid"] == resource]
    if (pattern := query.get("event_type")) is not None:
        kept = [event for event in kept if fnmatchcase(text(event, "event_type"), pattern)]
    limit = whole(query, "limit", 25)
    if not 1 <= limit <= EVENTS_MAX:
        raise BadRequestError(f"limit lies between 1 and {EVENTS_MAX}", key="limit")
    return kept[:limit]
