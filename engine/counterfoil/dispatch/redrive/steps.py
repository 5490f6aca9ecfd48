"""A step of a redrive: what planning a record once more would send, and by what it is known again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

from counterfoil.dispatch.shadow.planning import Planned
from counterfoil.dispatch.view import LoadedView, ViewLoader
from counterfoil.planning.mapping import Mapping as MappingRules
from counterfoil.planning.plan import plan
from counterfoil.planning.shadow import outcome_of
from counterfoil.planning.types import PLANNER_VERSION, Park, Plan, PlanRequest, Skip, Unchanged
from counterfoil.state.rows import LinkRow
from counterfoil.state.store import StateStore
from counterfoil_schema import exact_json

DIGEST_LENGTH: Final = 16
NONE: Final = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDocument:
    """One document of a step, as it would be sent, and as it stands.

    Attributes:
        content: the keyed hash of the symbolic body.
        document_id, sync_token: of the document that stands for the record now; "" where there is none.
    """

    record_key: str
    target: str
    entity: str
    operation: str
    content: str
    document_id: str = ""
    sync_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A record to be planned once more."""

    record_key: str
    digest: str
    documents: tuple[StepDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """A record of which nothing would be sent now, although the mapping wants something else; and why."""

    record_key: str
    code: str
    reason: str


class Steps:
    """Makes the steps of one company's redrive, as things stand now."""

    def __init__(self, *, company: int, store: StateStore, view: ViewLoader) -> None:
        self._company = company
        self._store = store
        self._view = view

    async def of(self, planned: Planned, mapping: MappingRules, digest: str) -> Step | Stays:
        """What planning a record once more would send."""
        key, request = planned.row.record_key, planned.request
        if request is None:
            return _stays(key, planned.plans[-1])
        found = await self._view.run(key, partial(_plan, request, mapping))
        if isinstance(found, Unchanged | Skip | Park):
            return _stays(key, found)
        wanted = [
            StepDocument(
                record_key=intent.record_key or key,
                target=intent.target,
                entity=intent.entity,
                operation=intent.operation,
                content=await self._view.body_hash(intent.body),
            )
            for intent in found
        ]
        return await self.step(key, planned.content_hash, digest, wanted)

    async def step(self, key: str, record: str, mapping: str, wanted: Sequence[StepDocument]) -> Step:
        """The step that sends these documents, on those that stand now."""
        standing = await self._standing(one.record_key for one in wanted)
        documents = tuple(
            StepDocument(
                record_key=one.record_key,
                target=one.target,
                entity=one.entity,
                operation=one.operation,
                content=one.content,
                document_id=standing.get(one.record_key, NONE)[0],
                sync_token=standing.get(one.record_key, NONE)[1],
            )
            for one in wanted
        )
        return Step(record_key=key, digest=_digest(key, record, mapping, documents), documents=documents)

    async def _standing(self, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
        rows = await self._store.load(self._company, LinkRow.table, [(key,) for key in dict.fromkeys(keys)])
        return {
            row.record_key: (row.document_id, row.sync_token or "")
            for row in rows.values()
            if isinstance(row, LinkRow) and row.status == "live"
        }


def preview_hash(steps: Iterable[tuple[str, str]]) -> str:
    """The hash of a whole preview, of its records and their digests."""
    return sha256(exact_json.canonical([[key, digest] for key, digest in sorted(steps)])).hexdigest()


def _digest(key: str, record: str, mapping: str, documents: Sequence[StepDocument]) -> str:
    parts = [
        [one.record_key, one.target, one.entity, one.operation, one.content, one.document_id, one.sync_token]
        for one in documents
    ]
    whole = ["redrive", PLANNER_VERSION, key, record, mapping, parts]
    return sha256(exact_json.canonical(exact_json.loads(exact_json.dumps(whole)))).hexdigest()[:DIGEST_LENGTH]


def _plan(request: PlanRequest, mapping: MappingRules, view: LoadedView) -> Plan:
    return plan(request, mapping, view)


def _stays(key: str, found: Plan) -> Stays:
    match found:
        case Skip() | Park():
            return Stays(record_key=key, code=found.code, reason=found.reason)
        case Unchanged():
            return Stays(record_key=key, code="unchanged", reason=found.reason)
        case _:
            raise TypeError(f"{key} is {outcome_of(found)}")
