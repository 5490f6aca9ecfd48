"""What a rollback is planned from: the effects of its scope, and the documents as they stand now. Only reads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from counterfoil.dispatch.rollback.images import PAGE, Images
from counterfoil.dispatch.rollback.settled import applied_to, users_of
from counterfoil.dispatch.settle import CLOCKS_DIFFER_MAX
from counterfoil.log import LogReader
from counterfoil.planning.rollback import Applied, Chart, Conditions, Effect, Standing, Taken, User
from counterfoil.planning.rollback.common import NAME_LISTS
from counterfoil.planning.values import real_lines
from counterfoil.state.rows import OPEN_INTENTS, CompanyRow, DocumentRow, IntentRow, LinkRow
from counterfoil.state.runs import ROLLBACK
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import IntentAccepted
from counterfoil_schema.events.rollbacks import RollbackPolicy, RollbackScope
from counterfoil_schema.exact_json import JsonObject, JsonValue

EFFECTS_MAX: Final = 100_000
"""More than any rollback that a person can look through; a wider scope is to be asked in parts."""

_ENDING: Final = frozenset({"void", "delete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What to plan from. `position`: where the state stood; `traces`: by intent, that in which it was accepted."""

    position: int
    taken: tuple[Taken, ...]
    conditions: Conditions
    traces: Mapping[str, str | None]
    preferences: str = ""
    too_many: bool = False


@dataclass(slots=True, kw_only=True)
class RollbackLoader:
    """Loads for one company."""

    company: int
    store: StateStore
    reader: LogReader

    async def load(
        self, scope: RollbackScope, policy: RollbackPolicy, *, upto: int | None = None, own: str = ""
    ) -> Loaded:
        """All that the scope covers.

        Args:
            upto: effects accepted after this position are left out: nobody was shown them.
            own: the run for which it is loaded; what that has planned already does not stand in the way.
        """
        position = (await self.store.checkpoint(self.company)).position
        rows = await self._effects(scope, position if upto is None else upto)
        loading = _Loading(self.company, self.store, Images(company=self.company, reader=self.reader), own)
        taken = await loading.taken(rows)
        company = await self.store.one(CompanyRow, self.company) or CompanyRow(company=self.company)
        conditions = Conditions(
            policy=policy,
            closed_until=date.fromisoformat(company.closed_until) if company.closed_until else None,
            home=company.home_currency,
            custom_numbers=company.custom_numbers,
            owners=await loading.owners(taken),
            chart=await loading.chart(taken),
        )
        return Loaded(
            position=position,
            taken=taken,
            conditions=conditions,
            traces=loading.traces,
            preferences=company.preferences_hash,
            too_many=len(rows) >= EFFECTS_MAX,
        )

    async def _effects(self, scope: RollbackScope, upto: int) -> list[IntentRow]:
        source = f"{scope.source}:" if scope.source is not None else None
        records = list(scope.records) if scope.records else None
        after, last = await self._between(scope, upto)
        found: list[IntentRow] = []
        while len(found) < EFFECTS_MAX:
            arguments = (self.company, scope.run, source, records, after, last, PAGE)
            page = await self.store.some(IntentRow, "effects", *arguments)
            found += await self._within(scope, page)
            if len(page) < PAGE:
                return found
            after = page[-1].settled or 0
        return found

    async def _between(self, scope: RollbackScope, upto: int) -> tuple[int, int]:
        """Positions between which everything of a time lies, whatever the clocks of several machines showed."""
        after = last = None
        if scope.since is not None:
            after = await self._last_before(scope.since - CLOCKS_DIFFER_MAX, upto)
        if scope.until is not None:
            last = await self._last_before(scope.until + CLOCKS_DIFFER_MAX, upto)
        return after or 0, upto if last is None else last

    async def _last_before(self, instant: datetime, upto: int) -> int:
        """The last position recorded before an instant, found by halves."""
        before, behind = 0, upto + 1
        while behind - before > 1:
            middle = (before + behind) // 2
            recorded = await self.reader.get(self.company, middle)
            early = recorded is None or recorded.recorded_at < instant
            before, behind = (middle, behind) if early else (before, middle)
        return before

    async def _within(self, scope: RollbackScope, rows: Sequence[IntentRow]) -> list[IntentRow]:
        if scope.since is None and scope.until is None:
            return list(rows)
        ended = await self.reader.get_many(self.company, [row.settled for row in rows if row.settled is not None])
        chosen = {
            one.position
            for one in ended
            if (scope.since is None or one.recorded_at >= scope.since)
            and (scope.until is None or one.recorded_at < scope.until)
        }
        return [row for row in rows if row.settled in chosen]


@dataclass(slots=True)
class _Loading:
    """One load on its way."""

    company: int
    store: StateStore
    images: Images
    own: str
    traces: dict[str, str | None] = field(default_factory=dict)

    async def taken(self, rows: Sequence[IntentRow]) -> tuple[Taken, ...]:
        keys = list(dict.fromkeys(row.record_key for row in rows))
        all_of_them = await self._intents(keys)
        links = {key[0]: row for key, row in (await self._links(keys)).items() if isinstance(row, LinkRow)}
        positions = {row.settled for row in rows} | {row.sent for row in rows if row.operation != "create"}
        positions |= {position for link in links.values() for position in (link.image, link.latest)}
        await self.images.load(position for position in positions if position is not None)
        effects: defaultdict[tuple[str, str, str], list[Effect]] = defaultdict(list)
        for row in rows:
            effect = await self._effect(row)
            if effect is not None:
                effects[row.record_key, effect.entity, effect.document_id].append(effect)
        chosen = {row.intent_id for row in rows}
        masters = {key: (entity, identity) for key, entity, identity in effects if entity in NAME_LISTS}
        users = await users_of(self.store, self.images, self.company, masters) if masters else {}
        return tuple(
            [
                Taken(
                    standing=await self._standing(key, entity, identity, found, links, all_of_them[key], chosen, users),
                    effects=tuple(found),
                )
                for (key, entity, identity), found in effects.items()
            ]
        )

    async def _intents(self, keys: Sequence[str]) -> Mapping[str, list[IntentRow]]:
        found: defaultdict[str, list[IntentRow]] = defaultdict(list)
        for part in _parts(keys):
            for row in await self.store.some(IntentRow, "intents_of_records", self.company, part):
                if row.target == "quickbooks":
                    found[row.record_key].append(row)
        return found

    async def _links(self, keys: Sequence[str]) -> dict[tuple[str, ...], object]:
        found: dict[tuple[str, ...], object] = {}
        for part in _parts(keys):
            found.update(await self.store.load(self.company, LinkRow.table, [(key,) for key in part]))
        return found

    async def _effect(self, row: IntentRow) -> Effect | None:
        accepted = self.images.event(row.settled or 0)
        if not isinstance(accepted, IntentAccepted):
            return None
        self.traces[row.intent_id] = self.images.trace(row.settled or 0)
        before: JsonObject | None = None
        sent: JsonObject = {}
        item = self.images.item(row.sent, row.intent_id)
        if row.operation != "create" and item is not None and row.sent is not None:
            keys = (row.record_key, f"quickbooks:{accepted.entity}:{accepted.document_id}")
            before = await self.images.before(keys, accepted.entity, accepted.document_id, item, row.sent)
            sent = item.body.fields()
        return Effect(
            intent_id=row.intent_id,
            change=row.change,
            record_key=row.record_key,
            entity=accepted.entity,
            document_id=accepted.document_id,
            operation=row.operation,
            position=row.settled or 0,
            image=accepted.document.fields(),
            before=before,
            sent=sent,
            adopted=accepted.how == "adopted",
            of_rollback=row.run.startswith(f"{ROLLBACK}-"),
            needs=row.needs,
            person=accepted.person or row.record_key,
            amount=row.amount,
            currency=row.currency,
        )

    async def _standing(
        self,
        key: str,
        entity: str,
        identity: str,
        effects: Sequence[Effect],
        links: Mapping[str, LinkRow],
        intents: Sequence[IntentRow],
        chosen: Iterable[str],
        users: Mapping[str, Sequence[User]],
    ) -> Standing:
        link = links.get(key)
        linked = (
            link is not None and (link.entity, link.document_id) == (entity, identity) and link.status != "released"
        )
        last = effects[-1]
        if link is None or not linked:
            row = await self.store.one(DocumentRow, self.company, entity, identity)
            seen_at = row.position if row is not None else last.position
            await self.images.load([seen_at])
            latest, image = self.images.document(seen_at), last.image
        else:
            seen_at, latest, image = link.latest, self.images.document(link.latest), self.images.document(link.image)
        applied: list[Applied] = []
        if entity not in NAME_LISTS and linked:
            applied = await applied_to(self.store, self.company, entity, identity, latest)
        among = set(chosen)
        return Standing(
            record_key=key,
            entity=entity,
            document_id=identity,
            latest=latest,
            seen_at=seen_at,
            image=image,
            status=link.status if link is not None and linked and link.status != "released" else "live",
            linked=linked,
            shared_with=link.shared_with if link is not None else None,
            lines=link.lines if link is not None else {},
            incarnation=link.incarnation if link is not None else 1,
            applied=tuple(applied),
            later=tuple(row.settled for row in intents if row.settled is not None and _follows(row, last, among)),
            moving=any(row.state in OPEN_INTENTS and row.run != self.own for row in intents),
            users=tuple(users.get(key, ())),
        )

    async def owners(self, taken: Sequence[Taken]) -> dict[tuple[str, str], str]:
        """The records of documents that removed payments were applied to."""
        linked = {
            (str(one.get("TxnType")), str(one.get("TxnId")))
            for part in taken
            for effect in part.effects
            if effect.operation in _ENDING
            for line in real_lines(effect.before or {})
            for one in _objects(line.get("LinkedTxn"))
        }
        rows = await self.store.load(self.company, DocumentRow.table, sorted(linked))
        owned = [row for row in rows.values() if isinstance(row, DocumentRow) and row.record_key is not None]
        return {(row.entity, row.document_id): row.record_key or "" for row in owned}

    async def chart(self, taken: Sequence[Taken]) -> Chart:
        """Accounts, and those that the items in question lead to."""
        accounts = await self.store.records("accounts_known", self.company)
        documents = [image for part in taken for image in _images_of(part)]
        items = sorted({item for document in documents for item in _items_in(document)})
        rows = await self.store.load(self.company, DocumentRow.table, [("Item", item) for item in items])
        known = {row.document_id: row.position for row in rows.values() if isinstance(row, DocumentRow)}
        await self.images.load(known.values())
        income: dict[str, str] = {}
        expense: dict[str, str] = {}
        for item, position in known.items():
            document = self.images.document(position)
            for name, sums in (("IncomeAccountRef", income), ("ExpenseAccountRef", expense)):
                reference = document.get(name)
                held = reference.get("value") if isinstance(reference, dict) else None
                if isinstance(held, str):
                    sums[item] = held
        return Chart(
            accounts={row["document_id"]: (row["name"] or "", row["account_type"]) for row in accounts},
            income=income,
            expense=expense,
        )


def _follows(row: IntentRow, last: Effect, chosen: set[str]) -> bool:
    """Whether a write of ours came after the last that is to be taken back, and still stands."""
    stands = row.state == "accepted" and row.undone_by is None and row.intent_id not in chosen
    return stands and row.settled is not None and row.settled > last.position


def _parts(keys: Sequence[str]) -> list[list[str]]:
    return [list(keys[start : start + PAGE]) for start in range(0, len(keys), PAGE)]


def _images_of(taken: Taken) -> list[JsonObject]:
    before = [effect.before for effect in taken.effects if effect.before is not None]
    return [taken.standing.latest, taken.standing.image, *before]


def _items_in(document: JsonValue) -> set[str]:
    """Ids of items that a document's lines name."""
    found: set[str] = set()
    if isinstance(document, list):
        for member in document:
            found |= _items_in(member)
    elif isinstance(document, dict):
        for name, part in document.items():
            held = part.get("value") if name == "ItemRef" and isinstance(part, dict) else None
            if isinstance(held, str):
                found.add(held)
            found |= _items_in(part)
    return found


def _objects(value: JsonValue) -> list[JsonObject]:
    return [member for member in value if isinstance(member, dict)] if isinstance(value, list) else []
