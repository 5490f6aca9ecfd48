"""The store in memory answers each named query as Postgres does, over the same rows, whatever they hold."""

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, get_args

import pytest

from counterfoil.postgres import Pool
from counterfoil.state.projection import Checkpoint
from counterfoil.state.rows import (
    ChangeRow,
    ChangeState,
    DocumentRow,
    DocumentStatus,
    DriftRow,
    ErasureRow,
    HintRow,
    IntentRow,
    IntentState,
    LinkRow,
    RecordRow,
    RequestRow,
    Row,
    RunRow,
    SettlementRow,
)
from counterfoil.state.store import PostgresStateStore
from counterfoil.testing.memory_queries import ROWS
from counterfoil.testing.memory_records import RECORDS, VALUES
from counterfoil.testing.memory_state import MemoryStateStore
from support.postgres import Database

COMPANY = 5
KEYS = [f"desk:order:{number}" for number in range(8)] + ["quickbooks:Invoice:1", "shop:order:1"]
INTENTS = [f"i{number:02}" for number in range(40)]
ENTITIES = ("Customer", "Invoice", "Account")
NAMES = ("Ann", "ANN", "Bob", None)
CODES = ("decision", "queued", "approval", "operator", "fault")
# Answers that no "order by" puts into an order.
UNORDERED = {"accounts_known", "changes_to_tell", "merged_documents", "taken_away", "waiting_for"}
KINDS: dict[str, type[Row]] = {
    name: kind
    for kind, names in (
        (
            IntentRow,
            "effects intents_in intents_of_changes intents_of_records intents_of_run intents_waiting_for ready_for",
        ),
        (IntentRow, "ready_of refused_notes"),
        (ChangeRow, "changes_in changes_of_record changes_to_tell decided_before parked_for undecided_changes"),
        (ErasureRow, "erased"),
        (HintRow, "open_hints"),
        (RecordRow, "pay_runs_of"),
        (RequestRow, "open_requests open_requests_for"),
        (RunRow, "open_runs"),
        (LinkRow, "links_seen_since"),
        (DriftRow, "open_drifts"),
        (SettlementRow, "settlements_of"),
    )
    for name in names.split()
}
ASKED: dict[str, Sequence[tuple[Any, ...]]] = {
    "changes_in": [("parked", 3, 4), ("waiting", 0, 100)],
    "changes_of_record": [(key,) for key in KEYS[:4]],
    "changes_to_tell": [(["desk:"], 100), (["desk:", "shop:"], 100)],
    "decided_before": [("desk", 30, 100), ("desk", 90, 2)],
    "links_seen_since": [(0, "", 100), (20, KEYS[2], 2)],
    "erased": [("", 100), (KEYS[3], 2)],
    "intents_in": [(["ready", "sent"], 5), (["accepted"], 100)],
    "intents_of_changes": [(key,) for key in KEYS[:4]],
    "intents_of_records": [(KEYS[:3],), (KEYS,)],
    "intents_waiting_for": [(KEYS[0], 100), (KEYS[1], 1)],
    "pay_runs_of": [("desk:",), ("shop:",)],
    "open_hints": [(100,), (2,)],
    "open_drifts": [("", "", 100), (KEYS[2], "missing_in_books", 2)],
    "open_requests": [(100,)],
    "open_requests_for": [("repair", 100), ("approve", 1)],
    "open_runs": [("rollback", 100), ("redrive", 1)],
    "effects": [(None, None, None, 0, 999, 100), ("session-1", "desk:", KEYS[:4], 35, 90, 2)],
    "intents_of_run": [("session-1",), ("rollback-7",)],
    "accounts_known": [()],
    "strangers": [(["Customer", "Invoice"], "", "", 100), (["Invoice"], "Invoice", "1", 2)],
    "users_of": [(KEYS[:4],)],
    "parked_for": [(["fault", "queued"], 0, 100), (["fault"], 9, 1)],
    "ready_for": [(True, 100), (False, 100), (None, 3)],
    "ready_of": [
        (["Customer"], True, ["live", "retry"], [], 100),
        (["Customer"], False, ["live", "backfill"], INTENTS[:9], 100),
        (["Customer"], None, ["live", "retry", "backfill", "reconcile"], [], 5),
    ],
    "refused_notes": [(None, 0, 100), (KEYS[1], 5, 100)],
    "settlements_of": [("1",), ("2",)],
    "undecided_changes": [(0, 100), (6, 2)],
    "account_type": [(["1", "", "99"], ["", "ann", "bob"])],
    "backlog": [()],
    "document_named": [(["Customer", "Invoice", "Account"], ["ann", "bob", "nobody"])],
    "documents_created": [("2026-01-02", "2026-01-05")],
    "linked_documents": [("", ["Account"], 100), (KEYS[2], [], 2)],
    "living_documents": [("Invoice", "", 100), ("Customer", "3", 2)],
    "living_names": [("Account",), ("Customer",)],
    "merged_documents": [()],
    "name_taken": [(["Customer", "Invoice"], ["n1", "n2"], [KEYS[0], KEYS[1]])],
    "number_taken": [(["Invoice", "Invoice"], ["1001", "1002"], [KEYS[0], KEYS[1]])],
    "outcomes": [()],
    "own_documents": [("Invoice", "", 100), ("Customer", KEYS[1], 2)],
    "own_entities": [()],
    "planned_for_books": [()],
    "pointing_at": [(KEYS[0],), (KEYS[1],)],
    "records_of_kind": [("desk:order:", "", 100), ("desk:", KEYS[3], 2)],
    "resting_on": [(KEYS[:4],)],
    "waiting_for": [(KEYS[:4],)],
    "standing_for": [("Invoice", "1"), ("Customer", "2")],
    "taken_away": [(20, "c1", INTENTS[:3], [1, 2]), (0, "c2", [], [])],
    "transactions_ready": [(["Customer"],)],
}


def rows_by(chance: random.Random) -> Iterator[Row]:
    """A company in which anything may have happened."""
    pick = chance.choice
    keys = {position: pick(KEYS) for position in range(1, 26)}
    for position, key in keys.items():
        yield ChangeRow(
            company=COMPANY,
            position=position,
            record_key=key,
            side=pick(("source", "books")),
            state=pick(get_args(ChangeState)),
            code=pick(CODES),
            decided=pick((None, 10, 40, 80)),
            intents=dict.fromkeys(chance.sample(INTENTS, chance.randrange(3)), "ready"),
        )
    for place, identity in enumerate(INTENTS):
        yield IntentRow(
            company=COMPANY,
            intent_id=identity,
            change=chance.randint(1, 25),
            record_key=pick(KEYS),
            target=pick(("quickbooks", "desk")),
            entity=pick(ENTITIES),
            operation=pick(("create", "update", "void", "delete", "note", "write_back")),
            state=pick((*get_args(IntentState), "ready", "ready", "accepted")),
            lane=pick(("live", "retry", "backfill", "reconcile")),
            needs=tuple(chance.sample(KEYS, chance.randrange(3))),
            content_hash=pick(("c1", "c2")),
            planned=30 + place,
            doc_number=pick((None, "1001", "1002")),
            name_key=pick((None, "n1", "n2")),
            amount=pick((None, Decimal("1.10"), Decimal("2.05"))),
            currency=pick((None, "USD", "EUR")),
            settled=pick((None, 35, 60)),
            run=pick(("", "session-1", "rollback-7")),
            undoes=tuple(chance.sample(INTENTS, pick((0, 0, 1)))),
            undone_by=pick((None, None, "i00")),
            waits_for=tuple(chance.sample(INTENTS, pick((0, 0, 2)))),
        )
    for place, key in enumerate(KEYS):
        position = max((position for position, changed in keys.items() if changed == key), default=900)
        yield RecordRow(
            company=COMPANY,
            record_key=key,
            kind=pick(("invoice", "pay_run")),
            position=position,
            version="1",
            content_hash="h",
            removed=chance.random() < 0.3,
            told=pick((None, 12, 50)),
        )
        if chance.random() < 0.7:
            yield LinkRow(
                company=COMPANY,
                record_key=key,
                entity=pick(ENTITIES),
                document_id=str(place % 4),
                sync_token="0",
                content_hash="c",
                image=100 + place,
                latest=100 + place,
                status=pick((*get_args(DocumentStatus), "live", "live")),
                name_key=pick((None, "n1", "n2")),
                shared_with=pick((None, None, "other")),
            )
    yield from _beside(chance)


def _beside(chance: random.Random) -> Iterator[Row]:
    pick = chance.choice
    for entity in ENTITIES:
        for number in range(6):
            yield DocumentRow(
                company=COMPANY,
                entity=entity,
                document_id=str(number),
                position=number,
                sync_token="0",
                status=pick((*get_args(DocumentStatus), "live")),
                name=pick(NAMES),
                created=pick((None, "2026-01-01", "2026-01-03", "2026-01-05")),
                merged_into=pick((None, None, str(chance.randrange(6)))),
                account_type=pick((None, "Income")),
            )
    for key in chance.sample(KEYS, 6):
        yield ErasureRow(
            company=COMPANY, subject=key, position=3, erased_on="2026-01-03", is_person=pick((True, False))
        )
    for number in range(8):
        yield HintRow(
            company=COMPANY,
            connection=pick(("quickbooks", "desk")),
            kind="Invoice",
            source_id=str(number),
            operation="Update",
            received=chance.randint(1, 5),
            settled=pick((None, 9)),
        )
        yield RequestRow(
            company=COMPANY,
            position=number * 9,
            action=pick(("approve", "retry", "repair")),
            record_key=pick(KEYS),
            intent_id=None,
            author="Ann",
            taken=pick((None, 80)),
        )
        yield RunRow(
            company=COMPANY,
            run=f"rollback-{number}",
            kind=pick(("rollback", "redrive")),
            asked=number,
            author="Ann",
            reason="wrong",
            taken=pick((None, 80)),
        )
        yield DriftRow(
            company=COMPANY,
            about=KEYS[number],
            kind=pick(("missing_in_books", "changed_in_books")),
            entity="Invoice",
            digest="d",
            found=number,
            cleared=pick((None, 90)),
        )
        yield SettlementRow(
            company=COMPANY,
            invoice_id=pick(("1", "2")),
            payment_id=str(number),
            cash=Decimal(number),
            credited=Decimal(0),
            unapplied=Decimal(0),
            dated=pick((None, "2026-01-01", "2026-02-01")),
        )


def test_every_query_in_memory_is_asked() -> None:
    assert {*ASKED, "open_calls"} == {*ROWS, *RECORDS, *VALUES}


@pytest.mark.parametrize("seed", range(12))
async def test_both_stores_answer_alike(seed: int, database: Database, pool: Pool) -> None:
    rows = list(rows_by(random.Random(seed)))
    postgres, memory = PostgresStateStore(pool, database.names), MemoryStateStore()
    for store in (postgres, memory):
        await store.save(rows, Checkpoint(company=COMPANY), Checkpoint(company=COMPANY, position=1))
    for query, variants in ASKED.items():
        for arguments in variants:
            answers: list[list[Any]] = []
            for store in (memory, postgres):
                if query in KINDS:
                    found: list[Any] = [*await store.some(KINDS[query], query, COMPANY, *arguments)]
                elif query in VALUES:
                    found = [await store.value(query, COMPANY, *arguments)]
                else:
                    found = [tuple(one) for one in await store.records(query, COMPANY, *arguments)]
                answers.append(sorted(found, key=str) if query in UNORDERED else found)
            in_memory, in_postgres = answers
            assert in_memory == in_postgres, (query, arguments)
