"""Approved hours become a time activity: one for each employee, day, project and task."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.outcome import (
    Draft,
    carry,
    delete,
    deleted_by_us,
    label,
    name_ref,
    named,
    private_note,
    record_ref,
)
from counterfoil.planning.ownership import ENTITIES
from counterfoil.planning.sales import no_date
from counterfoil.planning.sections import TimeRule, TimeSection
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Employee, TimeEntry, split_key

DOCUMENT = "time_entry"
MINUTES_PER_HOUR = 60
DAY_MINUTES = 24 * MINUTES_PER_HOUR
ROUNDING = Decimal("0.3")
"""A whole minute that is told in hours with two decimals is off by up to 0.005 h."""

_TRACKING = {"department": ("DepartmentRef", "Department"), "class": ("ClassRef", "Class")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an entry's project and task come to in the books."""

    customer: str | None
    item: str | None
    billable: bool
    hourly_rate: Decimal | None


def plan_time_entry(record: TimeEntry, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan the time activity of an entry."""
    key, section = request.record_key, mapping.time
    link = view.link(key)
    if not record.approved or not any(part.minutes for part in record.parts):
        what = "holds no hours" if record.approved else "is not approved"
        if link is None or deleted_by_us(link):
            return Skip(code="not_approved" if not record.approved else "no_hours", reason=f"{named(key)} {what}.")
        if record.approved or section.unapproved == "delete":
            return delete(key, link, mapping, DOCUMENT)
        return Skip(code="not_approved", reason=f"{named(key)} {what} any more; {label(link)} stays until it is again.")
    refusal = _person_refusal(record, key, mapping, view)
    if refusal is not None:
        return refusal
    draft = _draft(record, key, mapping, view)
    if isinstance(draft, Skip):
        return draft
    planned = carry(draft, request, mapping, view)
    billed = link is not None and link.latest.get("BillableStatus") == "HasBeenBilled"
    if billed and link is not None and isinstance(planned, tuple):
        return Park(
            code="billed_already",
            reason=f"{named(key)} was changed, but {label(link)} has been billed to the customer.",
            fix="Correct the invoice in QuickBooks if the hours were wrong; then mark this as settled.",
        )
    return planned


def _person_refusal(record: TimeEntry, key: str, mapping: Mapping, view: StateView) -> Park | Skip | None:
    """Why the hours of this person are not posted now."""
    employee = record.employee
    if view.link(employee) is None:
        if not view.is_known(employee):
            return Park(
                code="unknown_employee",
                reason=f"{named(key)} is that of {named(employee)}, whom the source does not show.",
                fix="Let the connection see the employee at the source.",
            )
        if not mapping.employee.create:
            return Park(
                code="employee_not_linked",
                reason=f"{named(key)} needs {named(employee)} in QuickBooks, and the mapping carries nobody over.",
                fix='Set [employee] create = true in the mapping (with same_name = "adopt", so that those who are in '
                "QuickBooks already are taken as they are), read the source afresh, and retry.",
            )
    if mapping.time.people == "everybody":
        return None
    person = view.record(employee)
    pay = person.pay if isinstance(person, Employee) else None
    rates = [rate for rate in pay or () if rate.effective <= record.dated]
    if not rates:
        return Park(
            code="pay_unknown",
            reason=f"The mapping takes hours of people who are paid by the hour, and how {named(employee)} was paid on "
            f"{record.dated.isoformat()} is not known.",
            fix='Let the connection read pay (compensation = true in its settings); or [time] people = "everybody".',
        )
    per = max(rates, key=lambda rate: rate.effective).per
    if (per or "").casefold() in {"hour", "hourly"}:
        return None
    return Skip(code="not_hourly", reason=f"{named(employee)} is not paid by the hour, so {named(key)} is not posted.")


def _draft(record: TimeEntry, key: str, mapping: Mapping, view: StateView) -> Draft | Park | Skip:
    section = mapping.time
    terms = _terms(record, key, section)
    if isinstance(terms, Park | Skip):
        return terms
    minutes = _minutes(record, key, section)
    if isinstance(minutes, Park):
        return minutes
    try:
        day = plausible(record.dated)
    except NoDateError as error:
        return no_date(key, str(error))
    tracking = _tracking(record, key, section, view)
    if isinstance(tracking, Park):
        return tracking
    hours, rest = divmod(minutes, MINUTES_PER_HOUR)
    body: JsonObject = {
        "TxnDate": day.isoformat(),
        "NameOf": "Employee",
        "EmployeeRef": record_ref(record.employee),
        "Hours": hours,
        "Minutes": rest,
        "BillableStatus": "Billable" if terms.billable else "NotBillable",
        **tracking,
    }
    needs = [record.employee]
    if terms.customer is not None:
        is_key = ":" in terms.customer
        body["CustomerRef"] = record_ref(terms.customer) if is_key else {"value": terms.customer}
        needs += [terms.customer] if is_key else []
    if terms.item is not None:
        body["ItemRef"] = name_ref("Item", terms.item)
    if terms.billable and terms.hourly_rate is not None:
        body["HourlyRate"] = terms.hourly_rate
    body["Description"] = private_note(_words(record, key, section))
    return Draft(
        document=DOCUMENT,
        entity=ENTITIES[DOCUMENT],
        body=body,
        needs=tuple(needs),
        person=record.employee,
        edited=section.edited,
    )


def _words(record: TimeEntry, key: str, section: TimeSection) -> str:
    connection, kind, source_id = split_key(key)
    values = {
        "id": source_id,
        "connection": connection,
        "kind": kind,
        "date": record.dated.isoformat(),
        "project": record.project or "",
        "task": record.task or "",
    }
    note = record.note or "" if section.notes else ""
    return " ".join(part for part in (fill(section.description, values), note.strip()) if part)


def _minutes(record: TimeEntry, key: str, section: TimeSection) -> int | Park:
    """Whole minutes. Each entry is rounded by itself: so the rounding to hundredths of an hour is undone exactly."""
    whole = [int(part.minutes.to_integral_value(ROUND_HALF_UP)) for part in record.parts]
    off = [part for part, minutes in zip(record.parts, whole, strict=True) if abs(part.minutes - minutes) > ROUNDING]
    if off and section.minutes == "park":
        return Park(
            code="part_of_a_minute",
            reason=f"{named(key)} holds {off[0].minutes} minutes in entry {off[0].entry_id}; "
            "QuickBooks takes whole ones.",
            fix='Correct the hours at the source, or set [time] minutes = "nearest" in the mapping.',
        )
    if sum(whole) > DAY_MINUTES:
        return Park(
            code="too_many_hours",
            reason=f"{named(key)} comes to {sum(whole)} minutes, and a day has {DAY_MINUTES}.",
            fix="Correct the entries of that day at the source.",
        )
    return sum(whole)


def _terms(record: TimeEntry, key: str, section: TimeSection) -> Terms | Park | Skip:
    project = section.projects.get(record.project or "")
    task = section.tasks.get(record.task or "")
    rule = section.no_project if record.project is None else section.unknown_project
    if project is None and task is None and rule != "post":
        what = f"its project {record.project!r}" if record.project is not None else "hours without a project"
        if rule == "skip":
            return Skip(code="not_mapped", reason=f"The mapping leaves {what} out: {named(key)}.")
        option = "no_project" if record.project is None else "unknown_project"
        return Park(
            code="unknown_project",
            reason=f"The mapping does not say what {what} is in QuickBooks: {named(key)}.",
            fix=f'Add it under [time.projects] in the mapping, or set [time] {option} = "post".',
        )
    rules = [one for one in (task, project) if one is not None]
    billable = next((one.billable for one in rules if one.billable is not None), section.billable)
    terms = Terms(
        customer=_first(rules, "customer"),
        item=_first(rules, "item") or section.item,
        billable=billable,
        hourly_rate=next((one.hourly_rate for one in rules if one.hourly_rate is not None), section.hourly_rate),
    )
    lacking = "a customer" if terms.customer is None else "an hourly_rate" if terms.hourly_rate is None else ""
    if billable and lacking:
        return Park(
            code="not_billable",
            reason=f"{named(key)} is billable by the mapping, which names no {lacking.rsplit(maxsplit=1)[-1]} for it.",
            fix=f"Give its project {lacking} under [time.projects] in the mapping, or set billable = false there.",
        )
    return terms


def _first(rules: list[TimeRule], name: str) -> str | None:
    return next((value for rule in rules if isinstance(value := getattr(rule, name), str)), None)


def _tracking(record: TimeEntry, key: str, section: TimeSection, view: StateView) -> JsonObject | Park:
    if section.track == "none":
        return {}
    if not view.tracks(section.track):
        plural = {"class": "classes", "department": "locations"}[section.track]
        return Park(
            code="tracking_off",
            reason=f"The mapping books {named(key)} by {section.track}, but QuickBooks does not track {plural}.",
            fix='Switch it on in QuickBooks\' settings, or set [time] track = "none"; then retry the record.',
        )
    name: str | None = getattr(record, section.track_by)
    if name is None and section.track_by in record.withheld:
        return Park(
            code="field_withheld",
            reason=f"The source does not show this connection the {section.track_by} of {named(record.employee)}.",
            fix='Let the connection see it at the source, or set [time] track = "none"; then retry the record.',
        )
    if name is None:
        return {}
    field, entity = _TRACKING[section.track]
    return {field: name_ref(entity, section.names.get(name, name))}
