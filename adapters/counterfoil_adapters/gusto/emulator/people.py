"""What people do in Gusto: run a payroll, reverse one, hire, move and dismiss. Each leaves its events."""

from collections.abc import Callable
from datetime import timedelta

from counterfoil_adapters.gusto.emulator.figures import negated, totals
from counterfoil_adapters.gusto.emulator.loading import add_employee, add_payroll
from counterfoil_adapters.gusto.emulator.store import Store
from counterfoil_adapters.gusto.emulator.values import BadRequestError, rows, text, text_or_none
from counterfoil_schema.exact_json import JsonObject, JsonValue

Announce = Callable[[JsonObject], None]


class People:
    """Actions on the company; `announce` hands each event to the webhooks."""

    def __init__(self, store: Store, announce: Announce) -> None:
        self._store = store
        self._announce = announce

    def _record(self, event_type: str, entity_type: str, entity_uuid: str) -> None:
        self._announce(self._store.record(event_type, entity_type, entity_uuid))

    def create_payroll(self, body: JsonObject) -> JsonObject:
        """A payroll as in the load format; unprocessed unless it says otherwise."""
        payroll = add_payroll(self._store, {"processed": False, **body})
        made = text(payroll, "uuid")
        self._record("payroll.created", "Payroll", made)
        if payroll["processed"] is True:
            self._record("payroll.processed", "Payroll", made)
        return {"uuid": made}

    def process(self, payroll_uuid: str) -> JsonObject:
        """Run a payroll."""
        payroll = self._store.payroll(payroll_uuid)
        if payroll["processed"] is True:
            raise BadRequestError("This payroll is processed already.", status=409, category="invalid_operation")
        payroll["processed"] = True
        payroll["processed_date"] = self._store.today()
        for event in ("submitted", "processed"):
            self._record(f"payroll.{event}", "Payroll", payroll_uuid)
        return {"uuid": payroll_uuid}

    def cancel(self, payroll_uuid: str) -> JsonObject:
        """Take a processed payroll back before its money moved."""
        payroll = self._store.payroll(payroll_uuid)
        payroll["processed"] = False
        payroll["processed_date"] = None
        self._record("payroll.cancelled", "Payroll", payroll_uuid)
        return {"uuid": payroll_uuid}

    def reverse(self, payroll_uuid: str, body: JsonObject) -> JsonObject:
        """Reverse a processed payroll, whole or for `employee_uuids`: a new off-cycle payroll undoes the figures."""
        payroll = self._store.payroll(payroll_uuid)
        if payroll["processed"] is not True:
            raise BadRequestError("Only a processed payroll can be reversed.", category="invalid_operation")
        everybody = rows(payroll, "employee_compensations")
        wanted = body.get("employee_uuids")
        chosen = [p for p in everybody if not isinstance(wanted, list) or p["employee_uuid"] in wanted]
        people = [negated(person) for person in chosen]
        made = self._store.ids.uuid()
        self._store.payrolls[made] = {
            **payroll,
            "uuid": made,
            "payroll_uuid": made,
            "check_date": text(body, "check_date", self._store.today()),
            "processed_date": self._store.today(),
            "created_at": self._store.now_text(),
            "off_cycle": True,
            "off_cycle_reason": "Reversal",
            "employee_compensations": list(people),
            "totals": totals(people),
        }
        self._store.reversals.append(
            {
                "reversed_payroll_uuid": payroll_uuid,
                "reversal_payroll_uuid": made,
                "reason": text(body, "reason", "Customer Request"),
                "approved_at": self._store.now_text(),
                "category": "incorrect_payroll",
                "reversed_employee_uuids": [person["employee_uuid"] for person in chosen],
            }
        )
        whole = len(chosen) == len(everybody)
        self._record("payroll.reversed" if whole else "payroll.partially_reversed", "Payroll", payroll_uuid)
        self._record("payroll.processed", "Payroll", made)
        return {"uuid": made}

    def change_payroll(self, payroll_uuid: str, body: JsonObject) -> JsonObject:
        """Set fields of a payroll (`check_date`, `totals` …) as they stand in the load format."""
        payroll = self._store.payroll(payroll_uuid)
        payroll.update({key: value for key, value in body.items() if key in payroll and key != "uuid"})
        self._record("payroll.updated", "Payroll", payroll_uuid)
        return {"uuid": payroll_uuid}

    def delete_payroll(self, payroll_uuid: str) -> JsonObject:
        """Delete an unprocessed payroll."""
        if self._store.payroll(payroll_uuid)["processed"] is True:
            raise BadRequestError("A processed payroll cannot be deleted.", category="invalid_operation")
        del self._store.payrolls[payroll_uuid]
        self._record("payroll.deleted", "Payroll", payroll_uuid)
        return {"uuid": payroll_uuid}

    def hire(self, body: JsonObject) -> JsonObject:
        """An employee as in the load format."""
        made = text(add_employee(self._store, body), "uuid")
        self._record("employee.created", "Employee", made)
        return {"uuid": made}

    def change_employee(self, employee_uuid: str, body: JsonObject) -> JsonObject:
        """Set names, e-mail or `department` (a title)."""
        employee = self._store.employee(employee_uuid)
        department = text_or_none(body, "department")
        if department is not None:
            employee["department_uuid"] = self._store.department_named(department)
        employee.update({key: value for key, value in body.items() if key in employee and key != "uuid"})
        employee["version"] = self._store.version()
        self._record("employee.updated", "Employee", employee_uuid)
        return {"uuid": employee_uuid}

    def dismiss(self, employee_uuid: str, body: JsonObject) -> JsonObject:
        """End an employment."""
        employee = self._store.employee(employee_uuid)
        effective = text(body, "effective_date", (self._store.clock.now() - timedelta(days=1)).date().isoformat())
        terminations: list[JsonValue] = [
            {
                "uuid": self._store.ids.uuid(),
                "employee_uuid": employee_uuid,
                "effective_date": effective,
                "active": True,
            }
        ]
        employee.update(terminated=True, terminations=terminations, version=self._store.version())
        self._record("employee.terminated", "Employee", employee_uuid)
        return {"uuid": employee_uuid}

    def delete_employee(self, employee_uuid: str) -> JsonObject:
        """Delete an employee who was never paid."""
        self._store.employee(employee_uuid)
        del self._store.employees[employee_uuid]
        self._record("employee.deleted", "Employee", employee_uuid)
        return {"uuid": employee_uuid}
