"""Names that a mapping uses and the books, as far as they are known, do not bear: looked for, made, or parked.

Names are read when a worker starts; what a person enters later, perhaps because a record was parked for want of it,
is found by reading the list again before anything is said to be missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from counterfoil.dispatch.ids import intent_id
from counterfoil.dispatch.mappings import HeldMapping
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.outbox import Nameless
from counterfoil.dispatch.view import ViewLoader
from counterfoil.planning.types import NAME_REF, PLANNER_VERSION
from counterfoil.ports import Clock
from counterfoil.state.rows import IntentRow
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import Decision, Inputs, IntentParked, IntentPlanned
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import record_key

LOOK_AGAIN_SECONDS = 60.0
"""How long a list that was read counts as known, since reads are metered. A retry looks at once."""


@dataclass(slots=True, kw_only=True)
class MissingNames:
    """Decides about the intents of one company that name what is not there."""

    company: int
    store: StateStore
    view: ViewLoader
    reader: BooksReader
    clock: Clock
    _looked: dict[str, float] = field(default_factory=dict)
    _begun: dict[str, int] = field(default_factory=dict)
    _retried: set[tuple[str, int]] = field(default_factory=set)

    async def decide(self, missing: Sequence[Nameless]) -> list[Decision] | None:
        """Plans for items that are made once, however many documents ask for them, and parks for the rest.

        None: a list was read again and told of something new; fold it, and prepare again.

        Raises:
            BooksUnreadableError: a list cannot be read now.
        """
        retried = {(one.row.intent_id, one.row.generation) for one in missing if one.row.generation}
        patience = 0.0 if retried - self._retried else LOOK_AGAIN_SECONDS
        if await self._look_again({entity for one in missing for entity, _ in one.names}, patience):
            return None
        self._retried |= retried
        decided: dict[str, Decision] = {}
        for one in missing:
            if one.mapping is not None and one.may_create:
                for _, name in one.names:
                    decided.update(await self._item(one.row, one.mapping, name))
            else:
                decided[one.row.intent_id] = _park(one.row, one.names)
        return list(decided.values())

    async def _look_again(self, entities: set[str], patience: float) -> bool:
        now, news = self.clock.monotonic(), False
        for entity in sorted(entities):
            if entity not in self._looked or now - self._looked[entity] >= patience:
                news |= await self.reader.learn_names(entity)
                self._looked[entity] = now
        return news

    async def _item(self, asking: IntentRow, mapping: HeldMapping, name: str) -> dict[str, Decision]:
        """The plan of an item of our own; nothing while it is on its way; a park where it was made and is gone."""
        key = record_key(asking.record_key.split(":", 1)[0], "item", name)
        identity = intent_id(self.company, "quickbooks", key, 0, 0)
        row = await self.store.one(IntentRow, self.company, identity)
        planned = row.planned if row is not None else 0
        if row is not None and row.state == "accepted":
            return {asking.intent_id: _park(asking, [("Item", name)])}
        if (row is not None and row.state != "withdrawn") or self._begun.get(identity) == planned:
            return {}  # the rows do not show before the next fold what this process has planned
        self._begun[identity] = planned
        section = mapping.mapping.product
        body: JsonObject = {
            "Name": name,
            "Type": section.type,
            "IncomeAccountRef": {NAME_REF: ["Account", section.income_account]},
        }
        content = await self.view.body_hash(body)
        plan = IntentPlanned(
            change=asking.change,
            record_key=key,
            intent_id=identity,
            target="quickbooks",
            entity="Item",
            operation="create",
            body=Document.of("Item", body),
            content_hash=content,
            lane="live",
            name_key=await self.view.name_key(name),
            inputs=Inputs(record=content, mapping=mapping.digest, planner=PLANNER_VERSION, preferences=""),
        )
        return {identity: plan}


def _park(row: IntentRow, names: Sequence[tuple[str, str]]) -> IntentParked:
    missing = ", ".join(f"{entity} “{name}”" for entity, name in names)
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code="unknown-name",
        reason=f"QuickBooks holds no active {missing}, which the mapping names for {row.record_key}.",
        fix="Create it in QuickBooks or name another in the mapping, then retry the record.",
        outside=f"QuickBooks holds no active {missing}, which the mapping names.",
    )
