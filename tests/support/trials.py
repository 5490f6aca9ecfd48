"""Books and samples for trials of mappings, without a network."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from counterfoil.dispatch.books import BooksFacts
from counterfoil.dispatch.view import LoadedView
from counterfoil.planning.mapping import parse_mapping
from counterfoil.planning.types import Plan
from counterfoil.sources import Seen
from counterfoil.trial import BooksSeen, Sample, Trial, try_mapping
from counterfoil.trial.books import Listed
from counterfoil_schema.events.receipts import TaxMode
from counterfoil_schema.records import Record, record_key
from support.planning import View


def books(
    lists: Mapping[str, Sequence[str]] | None = None,
    *,
    inactive: Sequence[str] = (),
    tax_mode: TaxMode = "none",
    tracking: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
) -> BooksSeen:
    """Books with these names in their lists, and accounts of these types; ids count from 1 in each."""
    facts = BooksFacts(
        realm_id="1",
        name="Books",
        fingerprint="f",
        home_currency="USD",
        multi_currency=False,
        custom_numbers=True,
        class_tracking="class" in tracking,
        department_tracking="department" in tracking,
        closed_until=None,
        tax_mode=tax_mode,
    )
    listed = {
        entity: [
            Listed(
                document_id=str(number), name=name, active=name not in inactive, account_type=(types or {}).get(name)
            )
            for number, name in enumerate(names, start=1)
        ]
        for entity, names in (lists or {}).items()
    }
    return BooksSeen(facts=facts, lists=listed)


def sample(*records: tuple[str, str, Record], connection: str = "hubspot", kinds: Sequence[str] = ()) -> Sample:
    """A sample of these records, given as kind, id and record."""
    found = Sample(connection=connection, kinds=tuple(kinds) or tuple(dict.fromkeys(kind for kind, _, _ in records)))
    for kind, source_id, record in records:
        key = record_key(connection, kind, source_id)
        found.records[key] = Seen(kind=kind, source_id=source_id, version="1", record=record, raw="{}")
    found.whole.update(found.kinds)
    return found


class PlainLoader:
    """Answers the planner out of the sample and settings alone."""

    def __init__(self, view: View) -> None:
        self._view = view

    async def run(self, record_key: str, plan: Callable[[LoadedView], Plan], needs: Sequence[str] = ()) -> Plan:
        del record_key, needs
        return plan(cast("LoadedView", self._view))

    def note(self, record_key: str, plan: Plan) -> None:
        """Nothing is remembered."""


async def trial(text: str, seen: BooksSeen, of: Sample) -> Trial:
    """A mapping on a sample."""
    tracked = (
        *(("class",) if seen.facts.class_tracking else ()),
        *(("department",) if seen.facts.department_tracking else ()),
    )
    view = View(known=set(of.records), taxes=seen.facts.tax_mode, tracked=tracked)
    mapping = parse_mapping(text, file="m.toml")
    return await try_mapping(mapping, seen, of, PlainLoader(view), None)
