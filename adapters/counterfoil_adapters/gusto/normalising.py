"""What Gusto shows, turned into changes: a record, or why it cannot be one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterfoil.sources import Seen, SourceChange, SourceError, Unreadable
from counterfoil_adapters.gusto import contractor as contractors
from counterfoil_adapters.gusto import employee as people
from counterfoil_adapters.gusto import payroll as payrolls
from counterfoil_adapters.gusto.api import identity
from counterfoil_adapters.gusto.figures import FigureError
from counterfoil_adapters.gusto.grouping import Grouping
from counterfoil_adapters.gusto.redaction import contractor_raw, employee_raw, payroll_raw
from counterfoil_schema.exact_json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one payroll's departments and state are looked up in; `missing` are people whom Gusto lists no more."""

    departments: Mapping[str, str]
    reversals: Sequence[JsonObject]
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Normaliser:
    """Of one connection. A payload of another company than its own raises SourceError."""

    company_uuid: str
    connection: str
    unassigned: str
    grouping: Grouping

    def employee(self, payload: JsonObject, titles: Mapping[str, str]) -> SourceChange:
        """An employee; `titles`: of departments by uuid."""
        source_id = self._own(payload, "employee")
        raw = employee_raw(payload)
        try:
            record = people.employee(payload, titles)
        except people.EmployeeError as error:
            return Unreadable(
                kind="employee",
                source_id=source_id,
                place=f"Gusto employee {source_id}",
                problem=f"The employee cannot be read: {error}.",
                fix="Complete the employee in Gusto.",
                raw=raw,
            )
        version = people.version_of(payload, record)
        return Seen(kind="employee", source_id=source_id, version=version, record=record, raw=raw)

    def contractor(self, payload: JsonObject) -> SourceChange:
        """A contractor."""
        source_id = self._own(payload, "contractor")
        raw = contractor_raw(payload)
        try:
            record = contractors.vendor(payload)
        except contractors.ContractorError as error:
            return Unreadable(
                kind="contractor",
                source_id=source_id,
                place=f"Gusto contractor {source_id}",
                problem=f"The contractor cannot be read: {error}.",
                fix="Complete the contractor in Gusto.",
                raw=raw,
            )
        version = contractors.version_of(payload, record)
        return Seen(kind="contractor", source_id=source_id, version=version, record=record, raw=raw)

    def contractor_payment(self, payload: JsonObject, department: str | None) -> SourceChange:
        """What a contractor was paid; `department`: the contractor's."""
        source_id = self._own(payload, "contractor_payment")
        raw = payroll_raw(payload)
        try:
            record = contractors.payment(payload, self.connection, department)
        except FigureError as error:
            return Unreadable(
                kind="contractor_payment",
                source_id=source_id,
                place=f"Gusto contractor payment {source_id}",
                problem=f"The payment cannot be trusted: {error}.",
                fix="Compare it with the payment in Gusto; enter it by hand if Gusto's figures are right.",
                raw=raw,
            )
        version = contractors.payment_version(record)
        return Seen(kind="contractor_payment", source_id=source_id, version=version, record=record, raw=raw)

    def payroll(self, payload: JsonObject, setting: Setting) -> SourceChange:
        """A payroll with all its people."""
        source_id = self._own(payload, "payroll")
        raw = payroll_raw(payload)
        place = f"Gusto payroll {source_id}, check date {payload.get('check_date')}"
        try:
            record = payrolls.pay_run(
                payload,
                setting.departments,
                setting.reversals,
                self.unassigned,
                self.connection,
                self.grouping.types,
            )
        except FigureError as error:
            # Sums of so few people would be their pay.
            few = payrolls.people_paid(payload) < self.grouping.minimum_people
            problem = "its figures do not add up" if few else str(error)
            return Unreadable(
                kind="payroll",
                source_id=source_id,
                place=place,
                problem=f"The payroll cannot be trusted: {problem}.",
                fix="Compare it with the payroll journal in Gusto; enter it by hand if Gusto's figures are right.",
                raw=raw,
            )
        record = record.model_copy(update={"lines": self.grouping.apply(record.lines)})
        if self.grouping.shows_few(record.lines):
            return Unreadable(
                kind="payroll",
                source_id=source_id,
                place=place,
                problem=f"One of its sums would be what fewer than {self.grouping.minimum_people} people are paid or "
                "have withheld.",
                fix="Enter it by hand; or set minimum_people = 1 under [payroll] in the mapping (or name the part in "
                "shown_alone) and read the source afresh (`counterfoil sync --full`).",
                raw=raw,
            )
        version = payrolls.version_of(payload, record)
        return Seen(kind="payroll", source_id=source_id, version=version, record=record, raw=raw)

    def _own(self, payload: JsonObject, kind: str) -> str:
        """The uuid of a payload that belongs to this company."""
        source_id = identity(payload, f"one {kind}")
        company = payload.get("company_uuid", self.company_uuid)
        if company != self.company_uuid:
            raise SourceError(
                f"Gusto shows {kind} {source_id} of another company than this connection's.",
                remedy="Check company_uuid in the connection's settings against the token.",
            )
        return source_id
