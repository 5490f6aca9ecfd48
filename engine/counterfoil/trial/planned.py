"""Plans a sample as the engine would plan it, and keeps what came of each record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from counterfoil.dispatch.view import LoadedView
from counterfoil.planning.mapping import Mapping as MappingRules
from counterfoil.planning.plan import plan
from counterfoil.planning.projected import Project
from counterfoil.planning.shadow import outcome_of
from counterfoil.planning.types import NAME_REF, Plan, PlanRequest
from counterfoil.sources import Seen
from counterfoil.trial.books import BooksSeen
from counterfoil.trial.sample import Sample
from counterfoil_schema.exact_json import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One record of the sample, and what it would become."""

    record_key: str
    seen: Seen
    plan: Plan

    @property
    def outcome(self) -> str:
        """The first document's operation, or `unchanged`, `skipped`, `parked`."""
        return self.plan[0].operation if isinstance(self.plan, Sequence) else outcome_of(self.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A mapping on a sample.

    Attributes:
        names: entity and name of everything that the planned documents name in the books, with how many do.
    """

    mapping: MappingRules
    books: BooksSeen
    sample: Sample
    tried: Sequence[Tried]
    names: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Loader(Protocol):
    """Answers the planner; see `TrialLoader`."""

    async def run(self, record_key: str, plan: Callable[[LoadedView], Plan], needs: Sequence[str] = ()) -> Plan: ...

    def note(self, record_key: str, plan: Plan) -> None: ...


async def try_mapping(
    mapping: MappingRules, books: BooksSeen, sample: Sample, loader: Loader, project: Project | None
) -> Trial:
    """Plan each record of the sample in turn."""
    tried: list[Tried] = []
    names: dict[tuple[str, str], int] = {}
    for key, seen in list(sample.records.items()):
        request = PlanRequest(connection=sample.connection, record_key=key, record=seen.record, position=0)
        planned = await loader.run(key, partial(_plan, request, mapping, project))
        loader.note(key, planned)
        tried.append(Tried(record_key=key, seen=seen, plan=planned))
        if isinstance(planned, Sequence):
            for name in {found for intent in planned for found in names_of(intent.body)}:
                names[name] = names.get(name, 0) + 1
    return Trial(mapping=mapping, books=books, sample=sample, tried=tried, names=names)


def _plan(request: PlanRequest, mapping: MappingRules, project: Project | None, view: LoadedView) -> Plan:
    return plan(request, mapping, view, project)


def names_of(body: JsonValue) -> Iterator[tuple[str, str]]:
    """Entity and name of each reference to a name in a symbolic body."""
    if isinstance(body, list):
        for member in body:
            yield from names_of(member)
    elif isinstance(body, dict):
        match body.get(NAME_REF):
            case [str(entity), str(name)]:
                yield entity, name
            case _:
                for part in body.values():
                    yield from names_of(part)
