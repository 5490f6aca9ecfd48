"""The person's id in QuickBooks goes back to the HR system, into the field that the mapping names."""

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.outcome import record_ref
from counterfoil.planning.types import Intent, Plan, PlanRequest, StateView
from counterfoil_schema.records import Employee, split_key


def tell_employee_id(record: Employee, request: PlanRequest, planned: Plan, mapping: Mapping, view: StateView) -> Plan:
    """The plan for an employee, and after it the id for the source, unless the source holds it already.

    It waits for the document where there is none yet. A field that the source keeps from us is not written: what
    stands in it is not known.
    """
    name = mapping.write_back.employee_id
    link = view.link(request.record_key)
    if name is None or "books_id" in record.withheld or (link is not None and link.status != "live"):
        return planned
    if link is None and not isinstance(planned, tuple):
        return planned
    if link is not None and record.books_id == link.document_id:
        return planned
    connection, kind, _ = split_key(request.record_key)
    told = Intent(
        target=connection,
        entity=kind,
        operation="write_back",
        body={name: record_ref(request.record_key)},
        needs=(request.record_key,),
    )
    return (*planned, told) if isinstance(planned, tuple) else (told,)
