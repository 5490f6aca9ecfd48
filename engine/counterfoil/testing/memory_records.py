"""Named queries that give columns, over rows in memory: each gives what `state_<name>.sql` gives."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from counterfoil.state.rows import ChangeRow, DocumentRow, IntentRow, LinkRow, RecordRow, RequestRow
from counterfoil.testing.memory_tables import BOOKS, OPEN, Columns, CompanyTables

MERGES_MAX: Final = 10


def _planned(row: IntentRow) -> tuple[int, str]:
    return row.planned, row.intent_id


def _records(kinds: Iterable[Mapping[str, Any]]) -> Sequence[Columns]:
    return [Columns(one) for one in kinds]


def _answers(found: Iterable[str | None]) -> Sequence[Columns]:
    """What was found for each question; places are counted from 1."""
    return _records({"place": place, "answer": one} for place, one in enumerate(found, 1) if one is not None)


def _name_taken(
    tables: CompanyTables, entities: Sequence[str], name_keys: Sequence[str], record_keys: Sequence[str]
) -> Sequence[Columns]:
    def bearer(entity: str, name_key: str, record_key: str) -> str | None:
        links = (
            (row.latest, row.record_key)
            for row in tables.all(LinkRow)
            if (row.entity, row.name_key, row.status) == (entity, name_key, "live")
        )
        intents = (
            (row.planned, row.record_key)
            for row in tables.all(IntentRow)
            if (row.entity, row.name_key) == (entity, name_key) and row.state in OPEN
        )
        others = (one for one in (*links, *intents) if one[1] != record_key)
        return min(others, default=(0, None))[1]

    return _answers(bearer(*asked) for asked in zip(entities, name_keys, record_keys, strict=True))


def _number_taken(
    tables: CompanyTables, entities: Sequence[str], numbers: Sequence[str], record_keys: Sequence[str]
) -> Sequence[Columns]:
    def bearer(entity: str, number: str, record_key: str) -> str | None:
        others = (
            (row.planned, row.record_key)
            for row in tables.all(IntentRow)
            if (row.entity, row.doc_number) == (entity, number)
            and row.record_key != record_key
            and row.state in OPEN | {"accepted"}
        )
        return min(others, default=(0, None))[1]

    return _answers(bearer(*asked) for asked in zip(entities, numbers, record_keys, strict=True))


def _document_named(tables: CompanyTables, entities: Sequence[str], names: Sequence[str]) -> Sequence[Columns]:
    def bearer(entity: str, name: str) -> str | None:
        found = [
            (0, row)
            for row in tables.all(DocumentRow)
            if row.entity == entity
            and row.name is not None
            and row.name.lower() == name.lower()
            and (row.status == "live" or row.merged_into is not None)
        ]
        for merges, row in found:
            into = tables.get(DocumentRow, entity, row.merged_into) if row.merged_into is not None else None
            if row.status != "live" and merges < MERGES_MAX and into is not None:
                found.append((merges + 1, into))
        living = ((merges, row.document_id) for merges, row in found if row.status == "live")
        return min(living, default=(0, None))[1]

    return _answers(bearer(*asked) for asked in zip(entities, names, strict=True))


def _account_type(tables: CompanyTables, document_ids: Sequence[str], names: Sequence[str]) -> Sequence[Columns]:
    def kind(document_id: str, name: str) -> str | None:
        found = (
            (row.document_id, row.account_type)
            for row in tables.all(DocumentRow)
            if (row.entity, row.status) == ("Account", "live")
            and (row.document_id == document_id or (name and row.name is not None and row.name.lower() == name.lower()))
            and row.account_type is not None
        )
        return min(found, default=("", None))[1]

    return _answers(kind(*asked) for asked in zip(document_ids, names, strict=True))


def _outcomes(tables: CompanyTables) -> Sequence[Columns]:
    needy = {
        (row.change, row.record_key)
        for row in tables.all(IntentRow)
        if not all(tables.is_linked(need) for need in row.needs)
    }

    def code(row: ChangeRow) -> str:
        waits = (row.state, row.code) == ("waiting", "queued") and (row.position, row.record_key) in needy
        return "dependency" if waits else row.code

    counts = Counter((row.state, code(row)) for row in tables.all(ChangeRow))
    return _records({"state": state, "code": code, "changes": count} for (state, code), count in sorted(counts.items()))


def _documents_created(tables: CompanyTables, since: str, until: str) -> Sequence[Columns]:
    known: dict[str, int] = {}
    for row in tables.all(DocumentRow):
        if row.status != "deleted":
            made = row.created is not None and since <= row.created < until
            known[row.entity] = known.get(row.entity, 0) + made
    return _records({"entity": entity, "known": count} for entity, count in sorted(known.items()))


def _living(tables: CompanyTables, entity: str) -> Sequence[DocumentRow]:
    found = (row for row in tables.all(DocumentRow) if (row.entity, row.status) == (entity, "live"))
    return sorted(found, key=lambda row: row.document_id)


def _living_documents(tables: CompanyTables, entity: str, after: str, limit: int) -> Sequence[Columns]:
    found = (row for row in _living(tables, entity) if row.document_id > after)
    return _records({"document_id": row.document_id} for row in found)[:limit]


def _living_names(tables: CompanyTables, entity: str) -> Sequence[Columns]:
    return _records(
        {"document_id": row.document_id, "name": row.name, "account_type": row.account_type}
        for row in _living(tables, entity)
        if row.name is not None
    )


def _merged_documents(tables: CompanyTables) -> Sequence[Columns]:
    return _records(
        {"entity": row.entity, "document_id": row.document_id, "merged_into": row.merged_into}
        for row in tables.all(DocumentRow)
        if row.merged_into is not None
    )


def _pointing_at(tables: CompanyTables, record_key: str) -> Sequence[Columns]:
    made = {row.record_key for row in tables.all(IntentRow) if record_key in row.needs and row.state == "accepted"}
    found = (row for row in tables.all(LinkRow) if row.status == "live" and row.record_key in made)
    newest = sorted(found, key=lambda row: -row.image)[:5]
    return _records({"entity": row.entity, "document_id": row.document_id, "image": row.image} for row in newest)


def _resting_on(tables: CompanyTables, keys: Sequence[str]) -> Sequence[Columns]:
    found = {
        (need, link.record_key, link.entity, link.document_id)
        for row in tables.all(IntentRow)
        if (row.state, row.target) == ("accepted", BOOKS)
        for need in row.needs
        if need in keys
        if (link := tables.get(LinkRow, row.record_key)) is not None and link.status == "live"
    }
    return _records(
        {"named": named, "record_key": key, "entity": entity, "document_id": document_id}
        for named, key, entity, document_id in sorted(found)
    )


def _waiting_for(tables: CompanyTables, keys: Sequence[str]) -> Sequence[Columns]:
    counts = Counter(
        need for row in tables.all(IntentRow) if row.state in {"ready", "held"} for need in row.needs if need in keys
    )
    return _records({"record_key": key, "plans": count} for key, count in counts.items())


def _standing_for(tables: CompanyTables, entity: str, document_id: str) -> Sequence[Columns]:
    keys = (row.record_key for row in tables.all(LinkRow) if (row.entity, row.document_id) == (entity, document_id))
    return _records({"record_key": key} for key in sorted(keys))[:1000]


def _last_accepted(tables: CompanyTables) -> dict[str, IntentRow]:
    """By record, what was last carried out in the books."""
    wanted: dict[str, IntentRow] = {}
    for row in sorted(tables.all(IntentRow), key=_planned):
        if (row.target, row.state) == (BOOKS, "accepted"):
            wanted[row.record_key] = row
    return wanted


def _own_documents(tables: CompanyTables, entity: str, after: str, limit: int) -> Sequence[Columns]:
    wanted = _last_accepted(tables)
    found = (
        row
        for row in tables.all(LinkRow)
        if row.entity == entity and row.status != "released" and row.record_key > after
    )
    return _records(
        {
            "record_key": row.record_key,
            "document_id": row.document_id,
            "status": row.status,
            "shared_with": row.shared_with,
            "incarnation": row.incarnation,
            "planned": intent.planned if (intent := wanted.get(row.record_key)) is not None else None,
            "operation": intent.operation if intent is not None else None,
            "change": intent.change if intent is not None else None,
        }
        for row in sorted(found, key=lambda row: row.record_key)[:limit]
    )


def _own_entities(tables: CompanyTables) -> Sequence[Columns]:
    found = {row.entity for row in tables.all(LinkRow) if row.status != "released"}
    return _records({"entity": entity} for entity in sorted(found))


def _records_of_kind(tables: CompanyTables, beginning: str, after: str, limit: int) -> Sequence[Columns]:
    found = (
        row
        for row in tables.all(RecordRow)
        if row.record_key.startswith(beginning) and row.record_key > after and not row.removed
    )
    return _records(
        {"record_key": row.record_key, "kind": row.kind}
        for row in sorted(found, key=lambda row: row.record_key)[:limit]
    )


def _linked_documents(tables: CompanyTables, after: str, without: Sequence[str], limit: int) -> Sequence[Columns]:
    wanted = _last_accepted(tables)
    found = (
        row
        for row in tables.all(LinkRow)
        if row.record_key > after and row.entity not in without and row.record_key in wanted
    )
    return _records(
        {
            "record_key": row.record_key,
            "entity": row.entity,
            "status": row.status,
            "image": row.image,
            "latest": row.latest,
            "planned": wanted[row.record_key].planned,
            "operation": wanted[row.record_key].operation,
        }
        for row in sorted(found, key=lambda row: row.record_key)[:limit]
    )


def _backlog(tables: CompanyTables) -> Sequence[Columns]:
    states = {"ready", "sent", "uncertain", "refetch"}
    counts = Counter(row.entity for row in tables.all(IntentRow) if row.target == BOOKS and row.state in states)
    return _records({"entity": entity, "intents": count} for entity, count in sorted(counts.items()))


def _planned_for_books(tables: CompanyTables) -> Sequence[Columns]:
    groups: dict[tuple[str, str, str | None], list[IntentRow]] = defaultdict(list)
    for row in tables.all(IntentRow):
        if row.target == BOOKS and row.state in {"ready", "held"}:
            groups[row.operation, row.entity, row.currency].append(row)
    return _records(
        {
            "operation": operation,
            "entity": entity,
            "currency": currency,
            "documents": len(rows),
            "amount": _sum_of(row.amount for row in rows),
        }
        for (operation, entity, currency), rows in sorted(
            groups.items(), key=lambda group: (*group[0][:2], group[0][2] is None, group[0][2] or "")
        )
    )


def _sum_of(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [one for one in amounts if one is not None]
    return sum(known, Decimal(0)) if known else None


def _taken_away(
    tables: CompanyTables, position: int, inactive: str, without: Sequence[str], undecided: Sequence[int]
) -> Sequence[Columns]:
    living = [row for row in tables.all(LinkRow) if row.status == "live"]
    there = Counter(row.entity for row in living if row.shared_with is None)
    planned: Counter[str] = Counter()
    carried_out: Counter[str] = Counter()
    for row in tables.all(IntentRow):
        away = row.operation in {"void", "delete"} or (row.operation, row.content_hash) == ("update", inactive)
        if row.target != BOOKS or not away or row.state in {"withdrawn", "parked"} or row.intent_id in without:
            continue
        if row.undoes:
            continue
        if (row.planned > position or row.state == "held") and not _is_approved(tables, row):
            planned[row.entity] += 1
            carried_out[row.entity] += row.state == "accepted" and row.operation != "update"
    pending: Counter[str] = Counter()
    for change in tables.all(ChangeRow):
        record = tables.get(RecordRow, change.record_key)
        link = tables.get(LinkRow, change.record_key)
        gone = record is not None and record.removed and record.position == change.position
        waits = (change.state, change.code) == ("waiting", "decision") and change.position not in undecided
        if gone and waits and link is not None and link.status == "live":
            pending[link.entity] += 1
    return _records(
        {
            "entity": entity,
            "there": there[entity],
            "planned": planned[entity],
            "carried_out": carried_out[entity],
            "pending": pending[entity],
        }
        for entity in sorted({*there, *planned, *pending})
    )


def _accounts_known(tables: CompanyTables) -> Sequence[Columns]:
    found = (row for row in tables.all(DocumentRow) if row.entity == "Account")
    return _records(
        {"document_id": row.document_id, "name": row.name, "account_type": row.account_type} for row in found
    )


def _users_of(tables: CompanyTables, keys: Sequence[str]) -> Sequence[Columns]:
    found = {
        (key, link.record_key): link
        for intent in tables.all(IntentRow)
        if intent.state == "accepted"
        for key in keys
        if key in intent.needs
        if (link := tables.get(LinkRow, intent.record_key)) is not None and link.status == "live"
    }
    return _records(
        {
            "used": used,
            "record_key": link.record_key,
            "entity": link.entity,
            "document_id": link.document_id,
            "doc_number": link.doc_number,
        }
        for (used, _), link in sorted(found.items())
    )


def _strangers(
    tables: CompanyTables, entities: Sequence[str], entity: str, document_id: str, limit: int
) -> Sequence[Columns]:
    found = (
        row
        for row in tables.all(DocumentRow)
        if row.record_key is None
        and row.status == "live"
        and row.entity in entities
        and (row.entity, row.document_id) > (entity, document_id)
    )
    ordered = sorted(found, key=lambda row: (row.entity, row.document_id))[:limit]
    return _records({"entity": row.entity, "document_id": row.document_id, "position": row.position} for row in ordered)


def _is_approved(tables: CompanyTables, intent: IntentRow) -> bool:
    return any(
        (row.action, row.record_key) == ("approve", intent.record_key) and row.position > intent.planned
        for row in tables.all(RequestRow)
    )


RECORDS: Final[Mapping[str, Callable[..., Sequence[Columns]]]] = {
    "account_type": _account_type,
    "backlog": _backlog,
    "document_named": _document_named,
    "documents_created": _documents_created,
    "linked_documents": _linked_documents,
    "living_documents": _living_documents,
    "living_names": _living_names,
    "merged_documents": _merged_documents,
    "name_taken": _name_taken,
    "number_taken": _number_taken,
    "outcomes": _outcomes,
    "own_documents": _own_documents,
    "own_entities": _own_entities,
    "planned_for_books": _planned_for_books,
    "pointing_at": _pointing_at,
    "records_of_kind": _records_of_kind,
    "resting_on": _resting_on,
    "standing_for": _standing_for,
    "accounts_known": _accounts_known,
    "strangers": _strangers,
    "taken_away": _taken_away,
    "users_of": _users_of,
    "waiting_for": _waiting_for,
}
"""Queries whose answers are columns."""


def _transactions_ready(tables: CompanyTables, names: Sequence[str]) -> int:
    return sum((row.state, row.target) == ("ready", BOOKS) and row.entity not in names for row in tables.all(IntentRow))


VALUES: Final[Mapping[str, Callable[..., int]]] = {"transactions_ready": _transactions_ready}
"""Queries whose answer is one number."""
