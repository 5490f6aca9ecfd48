"""The client against the emulator as a process: the whole way from token to books, and through its faults."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.faults import FaultKind
from counterfoil.quickbooks.online.oauth import ClientCredentials
from counterfoil.quickbooks.online.operations import Operation
from counterfoil.quickbooks.online.outcomes import (
    Accepted,
    BatchAnswered,
    ChangeSet,
    Found,
    NotFound,
    QueryPage,
    ReadFailed,
    ReadOutcome,
    Rejected,
    Uncertain,
    WriteOutcome,
)
from counterfoil.quickbooks.online.query import select
from counterfoil_schema.exact_json import JsonObject
from support.quickbooks_double import COMPANY, Connected, connected_client
from support.quickbooks_emulator import EmulatorProcess, emulator_process


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--seed", "5") as process:
        yield process


@pytest.fixture
async def quickbooks(emulator: EmulatorProcess) -> AsyncIterator[Connected]:
    """A client that holds nothing but the refresh token."""
    async with connected_client(
        emulator["base_url"],
        grant_url=emulator["token_url"],
        realm_id=emulator["realm_id"],
        credentials=ClientCredentials(emulator["client_id"], SecretStr(emulator["client_secret"])),
        refresh_token=SecretStr(emulator["refresh_token"]),
        refreshed=False,
    ) as connected:
        yield connected


async def write(
    quickbooks: Connected,
    entity: str,
    record: object,
    *,
    request_id: str,
    operation: Operation = "create",
    patience: float = 20.0,
) -> WriteOutcome:
    deadline = quickbooks.clock.monotonic() + patience
    return await quickbooks.client.write(
        entity,
        json.dumps(record).encode(),
        request_id=request_id,
        operation=operation,
        lane=Lane.LIVE,
        deadline=deadline,
    )


async def accepted(
    quickbooks: Connected, entity: str, record: object, *, request_id: str, operation: Operation = "create"
) -> JsonObject:
    outcome = await write(quickbooks, entity, record, request_id=request_id, operation=operation)
    assert isinstance(outcome, Accepted), outcome
    return outcome.document


async def control(emulator: EmulatorProcess, path: str, body: object = None) -> JsonObject:
    return await asyncio.to_thread(emulator.control, path, body)


async def effects(emulator: EmulatorProcess) -> int:
    """How often the books really changed, by the emulator's own journal."""
    total = (await control(emulator, "/journal"))["total"]
    assert isinstance(total, int)
    return total


def journal_entry(number: str, amount: str = "10.00") -> dict[str, object]:
    def line(side: str, account: str) -> dict[str, object]:
        detail = {"PostingType": side, "AccountRef": {"value": account}}
        return {"Amount": float(amount), "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}

    return {"DocNumber": number, "TxnDate": "2026-11-15", "Line": [line("Debit", "1"), line("Credit", "35")]}


async def test_a_record_is_made_read_changed_found_and_deleted(
    emulator: EmulatorProcess, quickbooks: Connected
) -> None:
    name = "O'Brien \\ Söhne"
    made = await accepted(quickbooks, "Customer", {"DisplayName": name}, request_id="c1")
    read = await quickbooks.client.read("Customer", str(made["Id"]), Lane.LIVE)
    assert isinstance(read, Found)
    assert made == read.document
    gone = await accepted(
        quickbooks,
        "Customer",
        {"Id": made["Id"], "SyncToken": made["SyncToken"], "sparse": True, "Active": False},
        request_id="c2",
        operation="update",
    )
    assert (gone["Active"], gone["SyncToken"]) == (False, "1")
    by_name = select("Customer").where("DisplayName", "=", name)
    hidden = await quickbooks.client.query(by_name, Lane.LIVE)
    assert isinstance(hidden, QueryPage)
    assert hidden.rows == ()
    shown = await quickbooks.client.query(by_name.with_inactive(), Lane.LIVE)
    assert isinstance(shown, QueryPage)
    assert [made["Id"]] == [row["Id"] for row in shown.rows]

    entry = await accepted(quickbooks, "JournalEntry", journal_entry("PR-1"), request_id="j1")
    key = {"Id": entry["Id"], "SyncToken": entry["SyncToken"]}
    stub = await accepted(quickbooks, "JournalEntry", key, request_id="j2", operation="delete")
    assert stub["status"] == "Deleted"
    assert isinstance(await quickbooks.client.read("JournalEntry", str(entry["Id"]), Lane.LIVE), NotFound)
    stored = await quickbooks.store.get(COMPANY)
    assert stored is not None
    assert stored.generation == 2


async def test_faults_come_out_as_what_they_are(quickbooks: Connected) -> None:
    made = await accepted(quickbooks, "Customer", {"DisplayName": "Ann Lee"}, request_id="c1")
    expectations: list[tuple[str, object, Operation, str, FaultKind]] = [
        ("Customer", {"DisplayName": "Ann Lee"}, "create", "6240", FaultKind.ADOPT),
        (
            "Customer",
            {"Id": made["Id"], "SyncToken": "7", "sparse": True, "Active": False},
            "update",
            "5010",
            FaultKind.REFETCH,
        ),
        ("JournalEntry", journal_entry("x" * 22), "create", "2050", FaultKind.PARK),
    ]
    for number, (entity, record, operation, code, kind) in enumerate(expectations):
        outcome = await write(quickbooks, entity, record, request_id=f"f{number}", operation=operation)
        assert isinstance(outcome, Rejected)
        assert (code, kind) == (outcome.fault.code, outcome.fault.kind)
        assert outcome.intuit_tid


async def test_a_lost_answer_is_settled_by_the_same_request_again(
    emulator: EmulatorProcess, quickbooks: Connected
) -> None:
    await quickbooks.client.company_info()
    await control(emulator, "/faults", {"kind": "lost_answer"})
    lost = await write(quickbooks, "JournalEntry", journal_entry("PR-1"), request_id="j1")
    assert isinstance(lost, Uncertain)
    again = await write(quickbooks, "JournalEntry", journal_entry("PR-1"), request_id="j1")
    assert isinstance(again, Accepted)
    assert await effects(emulator) == 1


@pytest.mark.parametrize("kind", ["server_error", "html_error"])
async def test_a_broken_answer_is_uncertain_and_settled_likewise(
    emulator: EmulatorProcess, quickbooks: Connected, kind: str
) -> None:
    await quickbooks.client.company_info()
    await control(emulator, "/faults", {"kind": kind})
    assert isinstance(await write(quickbooks, "Customer", {"DisplayName": "Bo"}, request_id="c1"), Uncertain)
    assert isinstance(await write(quickbooks, "Customer", {"DisplayName": "Bo"}, request_id="c1"), Accepted)
    assert await effects(emulator) == 1


async def test_expired_tokens_are_no_event(emulator: EmulatorProcess, quickbooks: Connected) -> None:
    await accepted(quickbooks, "Customer", {"DisplayName": "One"}, request_id="c1")
    await control(emulator, "/oauth", {"expire_access": True})
    await accepted(quickbooks, "Customer", {"DisplayName": "Two"}, request_id="c2")
    await control(emulator, "/clock", {"advance_seconds": 25 * 3600})
    await accepted(quickbooks, "Customer", {"DisplayName": "Three"}, request_id="c3")
    stored = await quickbooks.store.get(COMPANY)
    assert stored is not None
    # A day on, Intuit hands out another refresh token.
    assert stored.refresh_token.get_secret_value() != emulator["refresh_token"]
    assert await effects(emulator) == 3


async def test_a_throttled_call_rests_the_realm(emulator: EmulatorProcess, quickbooks: Connected) -> None:
    await quickbooks.client.company_info()
    await control(emulator, "/faults", {"kind": "throttle"})
    outcome = await write(quickbooks, "Customer", {"DisplayName": "Bo"}, request_id="c1")
    assert isinstance(outcome, Rejected)
    assert outcome.fault.kind is FaultKind.THROTTLED
    assert quickbooks.gate.snapshot().paused_until is not None


async def test_a_batch_with_good_and_bad_items(emulator: EmulatorProcess, quickbooks: Connected) -> None:
    unbalanced = journal_entry("PR-2")
    unbalanced["Line"] = [unbalanced["Line"][0]] if isinstance(unbalanced["Line"], list) else []
    items = [
        {"bId": f"b{number}", "operation": "create", "JournalEntry": entry}
        for number, entry in enumerate([journal_entry("PR-1"), unbalanced, journal_entry("PR-3")])
    ]
    body = json.dumps({"BatchItemRequest": items}).encode()
    for _ in range(2):
        outcome = await quickbooks.client.batch(
            body, request_id="batch-1", lane=Lane.BACKFILL, deadline=quickbooks.clock.monotonic() + 20
        )
        assert isinstance(outcome, BatchAnswered)
        kinds = [type(outcome.items[f"b{number}"]) for number in range(3)]
        assert kinds == [Accepted, Rejected, Accepted]
    assert await effects(emulator) == 2


async def test_all_rows_come_page_by_page(emulator: EmulatorProcess, quickbooks: Connected) -> None:
    names = [f"Customer {number:03}" for number in range(55)]
    for name in names:
        await control(emulator, "/books/Customer", {"body": {"DisplayName": name}})
    found = [
        row["DisplayName"] async for row in quickbooks.client.query_all(select("Customer"), Lane.LIVE, page_rows=20)
    ]
    assert sorted(names) == sorted(str(name) for name in found)
    assert await quickbooks.client.count(select("Customer"), Lane.LIVE) == 55


async def test_changes_since_an_instant(emulator: EmulatorProcess, quickbooks: Connected) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    entry = await accepted(quickbooks, "JournalEntry", journal_entry("PR-1"), request_id="j1")
    await accepted(quickbooks, "Customer", {"DisplayName": "Ann"}, request_id="c1")
    key = {"Id": entry["Id"], "SyncToken": entry["SyncToken"]}
    await accepted(quickbooks, "JournalEntry", key, request_id="j2", operation="delete")
    changes = await quickbooks.client.cdc(["Customer", "JournalEntry"], since, Lane.RECONCILE)
    assert isinstance(changes, ChangeSet)
    assert [row["DisplayName"] for row in changes.rows["Customer"]] == ["Ann"]
    assert [("JournalEntry", entry["Id"])] == [(stub.entity, stub.entity_id) for stub in changes.deleted]
    assert changes.time is not None


async def test_company_and_preferences(quickbooks: Connected) -> None:
    company = await quickbooks.client.company_info()
    preferences = await quickbooks.client.preferences()
    assert isinstance(company, Found)
    assert isinstance(preferences, Found)
    assert "SalesFormsPrefs" in preferences.document


async def test_another_app_s_share_shows_as_429_and_lowers_the_ceiling(
    emulator: EmulatorProcess, quickbooks: Connected
) -> None:
    await quickbooks.client.company_info()
    await control(emulator, "/limits", {"requests_per_minute": 5})
    outcomes: list[ReadOutcome] = []
    while not outcomes or not isinstance(outcomes[-1], ReadFailed):
        outcomes.append(await quickbooks.client.company_info())
    assert len(outcomes) <= 6
    snapshot = quickbooks.gate.snapshot()
    assert snapshot.throttled == 1
    assert snapshot.ceiling < 1


async def test_the_real_limits_are_never_touched(emulator: EmulatorProcess, quickbooks: Connected) -> None:
    """Thirty callers at once, for some seconds, at Intuit's own ten a second."""

    async def call(number: int) -> None:
        await accepted(quickbooks, "Customer", {"DisplayName": f"Customer {number}"}, request_id=f"c{number}")

    async with asyncio.TaskGroup() as group:
        for number in range(60):
            group.create_task(call(number))
    stats = await control(emulator, "/stats")
    assert stats["throttled"] == 0
    assert await effects(emulator) == 60
