"""An adapter's projection, in the planner's terms, and kept apart: what it raises concerns one record."""

from collections.abc import Mapping

from counterfoil.dispatch.view import ViewNeedsError
from counterfoil.planning.outcome import Draft, named
from counterfoil.planning.ownership import ENTITIES
from counterfoil.planning.projected import Project
from counterfoil.planning.types import Park, Skip, StateView
from counterfoil.sources import NotWanted, Projecting, SourceAdapter, Wanted
from counterfoil_schema.records import Record

DOCUMENTS = {entity: document for document, entity in ENTITIES.items()}


def projections_of(adapters: Mapping[str, SourceAdapter]) -> dict[str, Project]:
    """The projections of those adapters that bring one, by connection."""
    return {name: _projection(adapter) for name, adapter in adapters.items() if isinstance(adapter, Projecting)}


def _projection(adapter: Projecting) -> Project:
    def project(key: str, record: Record, view: StateView) -> Draft | Skip | Park:
        try:
            wanted = adapter.project(key, record, view)
        except ViewNeedsError:
            raise  # the state asked for is loaded, and the projection begins again
        except Exception as failed:
            return Park(
                code="projection_failed",
                reason=f"The adapter's projection of {named(key)} failed ({type(failed).__name__}).",
                fix="Report it to the adapter's author, with the record; then retry it.",
            )
        return _refusal(wanted) if isinstance(wanted, NotWanted) else _draft(key, wanted)

    return project


def _refusal(told: NotWanted) -> Skip | Park:
    if told.fix:
        return Park(code=told.code, reason=told.reason, fix=told.fix)
    return Skip(code=told.code, reason=told.reason)


def _draft(key: str, wanted: Wanted) -> Draft | Park:
    document = DOCUMENTS.get(wanted.entity)
    if document is None:
        return Park(
            code="unknown_entity",
            reason=f"The adapter wants {named(key)} to become {wanted.entity}, which is not one of the documents kept.",
            fix=f"Report it to the adapter's author; there are {', '.join(sorted(DOCUMENTS))}.",
        )
    return Draft(
        document=document,
        entity=wanted.entity,
        body=wanted.body,
        needs=wanted.needs,
        person=key,
        doc_number=wanted.doc_number,
        name=wanted.name,
        amount=wanted.amount,
        currency=wanted.currency,
    )
