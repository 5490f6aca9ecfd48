"""Approved hours become time activities with exact hours and minutes; corrections update, deletions follow."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Intent, Link, Park, Plan, Skip, Unchanged
from counterfoil_schema.events.base import registry
from counterfoil_schema.events.receipts import SourceObserved
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Employee, PayRate, TimeEntry
from support.planning import View, changed, link_of, mapping, only, request

ENTRY = "bamboohr:time:100/2026-11-02/3/-"
ADA = "bamboohr:employee:100"
DAY = date(2026, 11, 2)
MAPPING = """
[employee]
create = true
[time]
item = "Hours"
[time.projects."Site A"]
customer = "58"
[time.projects."Site B"]
customer = "58"
billable = true
hourly_rate = "95.00"
[time.tasks."Design"]
item = "Design work"
"""


def entry(*minutes: str, **values: object) -> TimeEntry:
    parts = [{"entry_id": str(number), "minutes": Decimal(one)} for number, one in enumerate(minutes, start=1)]
    return TimeEntry.model_validate(
        {"employee": ADA, "dated": DAY, "project": "Site A", "parts": tuple(parts), **values}
    )


def view(**values: object) -> View:
    shown = View(known={ADA})
    for name, value in values.items():
        setattr(shown, name, value)
    return shown


def planned(record: TimeEntry | None, extra: str = "", shown: View | None = None) -> Plan:
    return plan(request(record, ENTRY), mapping(MAPPING + extra), shown or view())


def posted(record: TimeEntry, **latest: object) -> tuple[Intent, Link]:
    intent = only(planned(record))
    document: JsonObject = {**intent.body, "Id": "77"}
    link = link_of(intent, ENTRY, document)
    return intent, changed(link, {"latest": {**document, **latest}}) if latest else link


def code(outcome: Plan) -> str:
    assert isinstance(outcome, Park | Skip), outcome
    return outcome.code


def test_an_entry_becomes_this_activity() -> None:
    intent = only(planned(entry("440", "25")))

    assert intent.body == {
        "TxnDate": "2026-11-02",
        "NameOf": "Employee",
        "EmployeeRef": {"$record": ADA},
        "Hours": 7,
        "Minutes": 45,
        "BillableStatus": "NotBillable",
        "CustomerRef": {"value": "58"},
        "ItemRef": {"$name": ["Item", "Hours"]},
        "Description": "{marker}",
    }
    assert (intent.entity, intent.needs, intent.person) == ("TimeActivity", (ADA,), ADA)


# 7 h 20 is told as 7.33 h; three times 20 minutes as three times 0.33 h.
@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(["439.8"], (7, 20)), (["19.8", "19.8", "19.8"], (1, 0)), (["0.6"], (0, 1)), (["1440"], (24, 0))],
)
def test_the_rounding_of_hours_to_hundredths_is_undone_entry_by_entry(
    minutes: list[str], expected: tuple[int, int]
) -> None:
    body = only(planned(entry(*minutes))).body
    assert (body["Hours"], body["Minutes"]) == expected


def test_a_part_of_a_minute_parks_where_the_mapping_says_so() -> None:
    strict = mapping(MAPPING.replace("[time]\n", '[time]\nminutes = "park"\n'))

    assert code(plan(request(entry("30.5"), ENTRY), strict, view())) == "part_of_a_minute"
    assert only(plan(request(entry("439.8"), ENTRY), strict, view())).body["Minutes"] == 20


def test_more_than_a_day_parks() -> None:
    assert code(planned(entry("1440", "1"))) == "too_many_hours"


def test_a_billable_project_bears_its_rate() -> None:
    body = only(planned(entry("60", project="Site B"))).body
    assert (body["BillableStatus"], body["HourlyRate"]) == ("Billable", Decimal("95.00"))


def test_a_task_has_an_item_of_its_own_and_a_project_nobody_mapped_parks() -> None:
    assert only(planned(entry("60", task="Design"))).body["ItemRef"] == {"$name": ["Item", "Design work"]}
    assert code(planned(entry("60", project="Site C"))) == "unknown_project"


def test_hours_without_a_project_are_the_companys_own() -> None:
    body = only(planned(entry("60", project=None))).body
    assert "CustomerRef" not in body


def test_the_person_must_be_known_and_carried_over() -> None:
    assert code(planned(entry("60"), shown=view(known=set()))) == "unknown_employee"
    alone = plan(request(entry("60"), ENTRY), mapping('[time]\nno_project = "post"\n'), view())
    assert code(alone) == "employee_not_linked"


def test_hours_of_salaried_people_are_left_out_where_the_mapping_wants_the_others() -> None:
    hourly = MAPPING.replace("[time]\n", '[time]\npeople = "hourly"\n')

    def of(*rates: PayRate) -> Plan:
        person = Employee(given_name="Ada", family_name="L", pay=rates)
        return plan(request(entry("60"), ENTRY), mapping(hourly), view(records={ADA: person}))

    first = PayRate(effective=date(2026, 1, 1), per="Year")
    later = PayRate(effective=date(2026, 11, 3), per="Hour")
    assert code(of()) == "pay_unknown"
    assert code(of(first, later)) == "not_hourly"
    assert isinstance(of(later.model_copy(update={"effective": DAY}), first), tuple)


def test_a_correction_updates_and_the_same_again_changes_nothing() -> None:
    _, link = posted(entry("60"))
    again = planned(entry("60"), shown=view(links={ENTRY: link}))
    more = only(planned(entry("61"), shown=view(links={ENTRY: link})))

    assert isinstance(again, Unchanged)
    assert (more.operation, more.body["Hours"], more.body["Minutes"]) == ("update", 1, 1)


def test_what_lost_its_approval_stays_or_goes_as_the_mapping_says() -> None:
    _, link = posted(entry("60"))
    shown = view(links={ENTRY: link})
    reopened = entry(approved=False)
    strict = plan(
        request(reopened, ENTRY), mapping(MAPPING.replace("[time]\n", '[time]\nunapproved = "delete"\n')), shown
    )

    assert code(planned(reopened)) == "not_approved"
    assert code(planned(reopened, shown=shown)) == "not_approved"
    assert only(strict).operation == "delete"


def test_what_is_removed_is_deleted_unless_it_was_billed() -> None:
    _, link = posted(entry("60"))
    _, billed = posted(entry("60"), BillableStatus="HasBeenBilled")

    assert only(planned(None, shown=view(links={ENTRY: link}))).operation == "delete"
    assert code(planned(None, shown=view(links={ENTRY: billed}))) == "billed_already"
    assert code(planned(entry("90"), shown=view(links={ENTRY: billed}))) == "billed_already"


def test_what_we_deleted_is_made_anew_and_what_others_deleted_is_not() -> None:
    _, link = posted(entry("60"))
    gone: JsonObject = {"Id": "77", "status": "Deleted"}
    ours = replace(link, status="deleted", image=gone, latest=gone)
    theirs = replace(link, status="deleted", latest=gone)

    assert only(planned(entry("60"), shown=view(links={ENTRY: ours}))).operation == "create"
    assert code(planned(entry("60"), shown=view(links={ENTRY: theirs}))) == "deleted_in_books"


def test_a_department_that_the_source_withholds_is_not_guessed() -> None:
    by_class = MAPPING.replace("[time]\n", '[time]\ntrack = "class"\nnames = { Legal = "Law" }\n')

    def of(**values: object) -> Plan:
        return plan(request(entry("60", **values), ENTRY), mapping(by_class), view())

    assert only(of(department="Legal")).body["ClassRef"] == {"$name": ["Class", "Law"]}
    assert code(of(withheld=("department",))) == "field_withheld"
    assert "ClassRef" not in only(of()).body


def test_the_id_in_quickbooks_goes_back_once() -> None:
    rules = MAPPING + '[write_back]\nemployee_id = "customQuickBooksId"\n'
    person = Employee(given_name="Ada", family_name="Lovelace")

    def of(record: Employee, shown: View) -> Plan:
        return plan(request(record, ADA), mapping(rules), shown)

    both = of(person, view())
    assert isinstance(both, tuple)
    create, told = both
    assert isinstance(create, Intent)
    assert isinstance(told, Intent)
    assert (told.target, told.operation, told.needs) == ("bamboohr", "write_back", (ADA,))
    assert told.body == {"customQuickBooksId": {"$record": ADA}}
    shown = view(links={ADA: link_of(create, ADA)})
    assert only(of(person, shown)).operation == "write_back"
    assert isinstance(of(person.model_copy(update={"books_id": "77"}), shown), Unchanged)
    assert isinstance(of(person.model_copy(update={"withheld": ("books_id",)}), shown), Unchanged)


def test_a_status_that_is_withheld_makes_nobody_active() -> None:
    rules = MAPPING.replace("create = true", 'create = true\ninactive = "deactivate"')
    person = Employee(given_name="Ada", family_name="Lovelace", withheld=("active",))

    assert "Active" not in only(plan(request(person, ADA), mapping(rules), view())).body


def test_an_employee_recorded_before_these_fields_existed_reads_as_today() -> None:
    record = {"kind": "employee", "given_name": "Ada", "family_name": "L", "email": None, "department": "Law",
              "hired": "2020-01-06", "active": True}  # fmt: skip
    old = {"connection": "gusto", "source_kind": "employee", "source_id": "e1", "version": "1", "content_hash": "5b1c",
           "how": "sync", "record": record, "raw": None}  # fmt: skip

    event = registry.read("source.observed", 1, old)

    assert isinstance(event, SourceObserved)
    assert isinstance(event.record, Employee)
    assert (event.record.department, event.record.pay, event.record.withheld) == ("Law", None, ())


def test_notes_are_sealed_under_the_employees_key() -> None:
    assert entry("60", note="With a customer").subject() == ADA
