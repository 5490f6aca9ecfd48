"""What callers see of the company: fields and rows less those that are kept from them."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from counterfoil.emulating import BadRequestError
from counterfoil_adapters.bamboohr.emulator.callers import Caller
from counterfoil_adapters.bamboohr.emulator.company import DERIVED, TABLES, Company
from counterfoil_schema.exact_json import JsonObject, dumps, loads_object

LIST_ALWAYS = ("firstName", "lastName", "preferredName", "photoUrl", "jobTitleName", "status")
LIST_MORE: Mapping[str, str] = {
    "workEmail": "workEmail",
    "homeEmail": "homeEmail",
    "middleName": "middleName",
    "workPhone": "workPhone",
    "birthDate": "birthDate",
    "hireDate": "hireDate",
    "divisionName": "division",
    "departmentName": "department",
    "locationName": "location",
    "employmentStatusName": "employmentStatus",
}
"""Fields of the list that must be asked for, and what each is called elsewhere."""

PAGE_MAX, PAGE_USUAL = 100, 50
FIELDS_MAX = 400


def employee(company: Company, caller: Caller, employee_id: str, asked: Sequence[str]) -> JsonObject:
    """One employee: what was asked for, as far as it is a field and may be seen; anything else is left out."""
    if len(asked) > FIELDS_MAX:
        raise BadRequestError("The request exceeded the maximum number of allowed fields (400).")
    shown = company.shown(employee_id)
    if not caller.sees(employee_id):
        raise BadRequestError("The API user does not have permission to see the requested employee.", status=403)
    known = {*company.field_names(), *DERIVED}
    told: JsonObject = {name: shown.get(name) for name in asked if name in known and caller.shows(_owner(name))}
    return {"id": employee_id, **told}


def _owner(name: str) -> str:
    """What keeps a field that follows from a table: the table's own."""
    for table, field in (("jobInfo", name), ("employmentStatus", name)):
        if name in DERIVED and field in TABLES[table]:
            return f"{table}.{field}"
    return "compensation" if name == "payRate" else name


def rows(company: Company, caller: Caller, employee_id: str, table: str) -> list[JsonObject]:
    """Rows of a table, of one employee or of all, in no order; fields that the caller may not see are left out."""
    if table not in TABLES or not caller.shows(table):
        raise BadRequestError("The employee or table does not exist.", status=404)
    wanted = [*company.people] if employee_id == "all" else [employee_id]
    found: list[JsonObject] = []
    for one in wanted:
        person = company.person(one)
        if not caller.sees(one):
            if employee_id != "all":
                raise BadRequestError("The employee or table does not exist.", status=404)
            continue
        found.extend(
            {name: value for name, value in row.items() if caller.shows(f"{table}.{name}")}
            for row in reversed(person.rows[table])
        )
    return found


def listing(company: Company, caller: Caller, query: Mapping[str, str], ids: Sequence[str], url: str) -> JsonObject:
    """A page of the list of employees, by a cursor; a hidden value is null, and named."""
    limit = _limit(query.get("page[limit]"))
    after = _cursor(query.get("page[after]"))
    more = [name for name in query.get("fields", "").split(",") if name in LIST_MORE]
    people = [key for key in sorted(company.people, key=int) if caller.sees(key) and (not ids or key in ids)]
    status = query.get("filter[status]")
    if status is not None:
        people = [key for key in people if str(company.shown(key)["status"]).casefold() == status]
    ahead = [key for key in people if int(key) > after]
    page = ahead[:limit]
    following = _text(int(page[-1])) if len(ahead) > len(page) else None
    links: JsonObject = {"self": {"href": url}}
    if following is not None:
        links["next"] = {"href": f"{url.partition('?')[0]}?{urlencode({'page[after]': following})}"}
    return {
        "data": [_entry(company, caller, key, more) for key in page],
        "meta": {"total": len(people), "page": {"limit": limit, "nextCursor": following, "prevCursor": None}},
        "_links": links,
    }


def _entry(company: Company, caller: Caller, employee_id: str, more: Sequence[str]) -> JsonObject:
    shown = company.shown(employee_id)
    names = {**dict(zip(LIST_ALWAYS, LIST_ALWAYS, strict=True)), **{name: LIST_MORE[name] for name in more}}
    hidden = [name for name, source in names.items() if not caller.shows(_owner(source))]
    told: JsonObject = {name: None if name in hidden else shown.get(source) for name, source in names.items()}
    return {"employeeId": employee_id, **told, "_restrictedFields": [*hidden]}


def entry(row: JsonObject) -> JsonObject:
    """An entry of a time sheet, as the list shows it."""
    return dict(row)


def _limit(given: str | None) -> int:
    if given is None:
        return PAGE_USUAL
    if not given.isdigit() or not 1 <= int(given) <= PAGE_MAX:
        raise BadRequestError(f"page[limit] must be 1 to {PAGE_MAX}.", body=_error("BadRequest", "page[limit]"))
    return int(given)


def _text(after: int) -> str:
    return base64.b64encode(dumps({"after": after})).decode()


def _cursor(given: str | None) -> int:
    if given is None:
        return -1
    try:
        return int(str(loads_object(base64.b64decode(given, validate=True))["after"]))
    except (binascii.Error, KeyError, ValueError):
        raise BadRequestError("The cursor is malformed.", body=_error("BadPage", "The cursor is malformed.")) from None


def _error(code: str, message: str) -> JsonObject:
    return {"error": {"code": code, "message": message}}
