"""Records of a kind that only their source knows: what becomes of them is for its adapter's pure projection to say."""

from collections.abc import Callable

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.outcome import Draft, carry, named
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.records import Custom, Record

Project = Callable[[str, Record, StateView], Draft | Skip | Park]
"""From a record's key, the record and the state to the document that it calls for."""


def plan_custom(
    record: Custom, request: PlanRequest, mapping: Mapping, view: StateView, project: Project | None
) -> Plan:
    """Carry over what the projection wants: created once, updated where it differs, like every other document."""
    if project is None:
        return Park(
            code="no_projection",
            reason=f"Nothing says what becomes of {named(request.record_key)}: its adapter brings no projection.",
            fix="Install a version of the adapter that brings one, then retry the record.",
        )
    wanted = project(request.record_key, record, view)
    return wanted if isinstance(wanted, Skip) else carry(wanted, request, mapping, view)
