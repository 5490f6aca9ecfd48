"""What every store of projections must do, as a test class; it brings no store, the subclass does.

class TestMyStore(StateStoreContract):
    @asynccontextmanager
    async def open_store(self):
        yield MyStore()
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from counterfoil.state.projection import Checkpoint
from counterfoil.state.rows import (
    ROW_TYPES,
    CallRow,
    ChangeRow,
    CompanyRow,
    DocumentRow,
    DriftRow,
    ErasureRow,
    HintRow,
    IntentRow,
    Key,
    LinkRow,
    MappingRow,
    PaymentRow,
    RecordRow,
    RecoveredRow,
    RequestRow,
    ReviewRow,
    Row,
    RunRow,
    SettlementRow,
    SourceRow,
    key_of,
)
from counterfoil.state.store import FoldOvertakenError
from counterfoil.testing.checks import equal, refused

COMPANY = 7
AWKWARD = "O\u2019Brien “& Søn” \\ \t 🧾"
FIRST, THIRD = "0", "3"


class RowStore(Protocol):
    """What folding needs of a store."""

    async def load(self, company: int, table: str, keys: Iterable[Key]) -> Mapping[Key, Row]: ...

    async def checkpoint(self, company: int) -> Checkpoint: ...

    async def save(
        self, rows: Iterable[Row], before: Checkpoint, after: Checkpoint, moved_at: datetime | None = None
    ) -> None: ...


def example_rows(company: int = COMPANY) -> list[Row]:
    """Two rows of every table, one as bare as can be and one with every field set."""
    makers = (_receipt_rows, _outbox_rows, _books_rows, _work_rows, _operator_rows)
    return [row for make in makers for row in make(company)]


def _receipt_rows(at: int) -> list[Row]:
    return [
        CompanyRow(
            company=at,
            name=AWKWARD,
            zone="America/New_York",
            home_currency="EUR",
            realm_id="9130",
            environment="sandbox",
            fingerprint="f0",
            multi_currency=True,
            custom_numbers=False,
            preferences_hash="aa",
            approved=12,
        ),
        MappingRow(company=at, connection="shop", position=2, digest="d"),
        MappingRow(company=at, connection="crm", position=2**53 + 1, digest=""),
        RecordRow(company=at, record_key="shop:order:1", kind="invoice", position=3, version="", content_hash="h"),
        RecordRow(
            company=at,
            record_key=f"shop:order:{AWKWARD}",
            kind="invoice",
            position=3,
            version="7",
            content_hash="",
            removed=True,
        ),
        ChangeRow(company=at, position=3, record_key="shop:order:1", side="source", state="waiting", code="decision"),
        ChangeRow(
            company=at,
            position=2**53 + 1,
            record_key="quickbooks:Invoice:5",
            side="books",
            state="parked",
            code="conflict",
            reason=AWKWARD,
            fix="Do this.",
            decided=9,
            intents={"b": "withdrawn", "a": "parked"},
        ),
    ]


def _outbox_rows(at: int) -> list[Row]:
    return [
        IntentRow(
            company=at,
            intent_id="i1",
            change=3,
            record_key="shop:order:1",
            target="quickbooks",
            entity="Invoice",
            operation="create",
            state="ready",
            lane="live",
            needs=(),
            content_hash="c",
            planned=4,
        ),
        IntentRow(
            company=at,
            intent_id="i2",
            change=3,
            record_key="shop:order:1",
            target="quickbooks",
            entity="Invoice",
            operation="update",
            state="reconnect",
            lane="backfill",
            needs=("shop:customer:1", "shop:product:a,b{}"),
            content_hash="c",
            planned=4,
            doc_number="1001",
            name_key="k",
            amount=Decimal("1265793.0395000001"),
            currency="USD",
            generation=2,
            attempts=3,
            request_id="r",
            sent=5,
            settled=6,
            code="6240",
            reason=AWKWARD,
            fix="Rename it.",
            run="session-3",
            undoes=("i1", "i0"),
            undone_by="i9",
            waits_for=("i7",),
        ),
    ]


def _books_rows(at: int) -> list[Row]:
    return [
        LinkRow(
            company=at,
            record_key="shop:order:1",
            entity="Invoice",
            document_id="5",
            sync_token=None,
            content_hash="c",
            image=6,
            latest=6,
        ),
        LinkRow(
            company=at,
            record_key="shop:order:2",
            entity="Invoice",
            document_id="6",
            sync_token=FIRST,
            content_hash="c",
            image=6,
            latest=8,
            sent=5,
            incarnation=2,
            status="voided",
            doc_number="1002",
            name_key="k",
            lines={"2": "1", "1": "2"},
            adopted=True,
            undone="rollback-8",
            renew=True,
            kept={"TxnDate": 5, "Line[1]": 3},
        ),
        DocumentRow(
            company=at, entity="Item", document_id="5", position=6, sync_token=None, status="live", name=AWKWARD
        ),
        DocumentRow(
            company=at,
            entity="Invoice",
            document_id="5",
            position=6,
            sync_token=THIRD,
            status="deleted",
            content_hash="h",
            record_key="shop:order:1",
        ),
    ]


def _work_rows(at: int) -> list[Row]:
    return [
        PaymentRow(company=at, payment_id="9", position=8, status="deleted"),
        PaymentRow(
            company=at, payment_id="10", position=8, status="live", invoices=("6", "5"), unapplied=Decimal("0.01")
        ),
        SettlementRow(
            company=at,
            invoice_id="5",
            payment_id="10",
            cash=Decimal("99999999999999999.99"),
            credited=Decimal("-0.01"),
            unapplied=Decimal(0),
        ),
        SettlementRow(
            company=at,
            invoice_id="6",
            payment_id="10",
            cash=Decimal(0),
            credited=Decimal(1),
            unapplied=Decimal(2),
            dated="2026-02-28",
        ),
        CallRow(
            company=at, request_id="r", target="quickbooks", sent=5, attempts=1, body_hash="b", open_items=("i2", "i1")
        ),
        CallRow(company=at, request_id="s", target="shop", sent=5, attempts=2, body_hash="", open_items=()),
        HintRow(company=at, connection="quickbooks", kind="Invoice", source_id="5", operation="Update", received=7),
        HintRow(
            company=at,
            connection="shop",
            kind="order",
            source_id=AWKWARD,
            operation="",
            received=7,
            settled=8,
        ),
        RequestRow(company=at, position=9, action="retry", record_key="shop:order:1", intent_id=None, author="Ann"),
        RequestRow(
            company=at, position=11, action="skip", record_key="x:y:z", intent_id="i1", author=AWKWARD, taken=12
        ),
        ReviewRow(company=at, record_key="shop:order:1", verdict="skip", position=13),
        ReviewRow(company=at, record_key=f"shop:order:{AWKWARD}", verdict="create", position=2**53 + 1),
        SourceRow(company=at, connection="shop", refused=13, digest=AWKWARD),
        SourceRow(company=at, connection="crm", refused=None, digest=""),
    ]


def _operator_rows(at: int) -> list[Row]:
    return [
        RunRow(company=at, run="rollback-8", kind="rollback", asked=8, author="Ann", reason=AWKWARD),
        RunRow(
            company=at,
            run="rollback-9",
            kind="rollback",
            asked=9,
            author="Ann",
            reason="",
            taken=11,
            later="park",
            planned=2,
            refused=1,
        ),
        DriftRow(
            company=at,
            about=f"shop:order:{AWKWARD}",
            kind="changed_in_books",
            entity="Invoice",
            digest=AWKWARD,
            found=2**53 + 1,
            document_id="12",
            amount=Decimal("-0.01"),
            currency="USD",
            cleared=2**53 + 2,
        ),
        DriftRow(company=at, about="shop:order:1", kind="missing_in_log", entity="Invoice", digest="d", found=13),
        ErasureRow(company=at, subject="shop:customer:1", position=14, erased_on="2026-02-28", is_person=True),
        RecoveredRow(company=at, entity="Invoice", sign="cf-1", documents=("12", AWKWARD), observed=2**53 + 1),
        ErasureRow(company=at, subject=AWKWARD, position=2**53 + 1, erased_on="2026-02-28", is_person=False),
    ]


class StateStoreContract:
    """Loading by key, saving with the checkpoint, and every kind of row as it was."""

    def open_store(self) -> AbstractAsyncContextManager[RowStore]:
        """An empty store."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to open its store")

    async def test_an_unknown_company_stands_at_the_beginning(self) -> None:
        async with self.open_store() as store:
            equal(Checkpoint(company=COMPANY), await store.checkpoint(COMPANY))

    async def test_every_kind_of_row_comes_back_as_it_was(self) -> None:
        rows = example_rows()
        equal({kind.table for kind in ROW_TYPES}, {row.table for row in rows}, "tables with an example")
        async with self.open_store() as store:
            await store.save(rows, Checkpoint(company=COMPANY), Checkpoint(company=COMPANY, position=12))
            for table in {row.table for row in rows}:
                wanted = {key_of(row): row for row in rows if row.table == table}
                equal(wanted, dict(await store.load(COMPANY, table, wanted)), table)

    async def test_only_rows_that_exist_are_loaded(self) -> None:
        async with self.open_store() as store:
            row = MappingRow(company=COMPANY, connection="shop", position=2, digest="d")
            await store.save([row], Checkpoint(company=COMPANY), Checkpoint(company=COMPANY, position=2))
            equal({("shop",): row}, dict(await store.load(COMPANY, "mappings", [("shop",), ("crm",)])))
            equal({}, dict(await store.load(COMPANY, "mappings", [])))

    async def test_a_row_is_replaced_whole(self) -> None:
        before = example_rows()
        bare = LinkRow(
            company=COMPANY,
            record_key="shop:order:2",
            entity="Invoice",
            document_id="77",
            sync_token=None,
            content_hash="",
            image=13,
            latest=13,
        )
        async with self.open_store() as store:
            at = Checkpoint(company=COMPANY, position=12)
            await store.save(before, Checkpoint(company=COMPANY), at)
            await store.save([bare], at, Checkpoint(company=COMPANY, position=13))
            equal({("shop:order:2",): bare}, dict(await store.load(COMPANY, "links", [("shop:order:2",)])))

    async def test_companies_are_apart(self) -> None:
        async with self.open_store() as store:
            one, other = (MappingRow(company=n, connection="shop", position=n, digest="d") for n in (1, 2))
            await store.save([one], Checkpoint(company=1), Checkpoint(company=1, position=5))
            equal({}, dict(await store.load(2, "mappings", [("shop",)])))
            await store.save([other], Checkpoint(company=2), Checkpoint(company=2, position=6))
            equal({("shop",): one}, dict(await store.load(1, "mappings", [("shop",)])))
            equal([5, 6], [(await store.checkpoint(number)).position for number in (1, 2)])

    async def test_the_checkpoint_says_where_and_why_a_fold_stopped(self) -> None:
        now = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
        async with self.open_store() as store:
            stopped = Checkpoint(company=COMPANY, position=4, state="stopped", error="it was poisoned")
            await store.save([], Checkpoint(company=COMPANY), stopped, now)
            found = await store.checkpoint(COMPANY)
            equal((4, "stopped", "it was poisoned", now), (found.position, found.state, found.error, found.moved_at))

    async def test_whoever_was_overtaken_writes_nothing(self) -> None:
        async with self.open_store() as store:
            start, mine = Checkpoint(company=COMPANY), Checkpoint(company=COMPANY, position=3)
            await store.save([], start, mine)
            late = MappingRow(company=COMPANY, connection="late", position=2, digest="d")
            await refused(FoldOvertakenError, store.save([late], start, Checkpoint(company=COMPANY, position=9)))
            equal({}, dict(await store.load(COMPANY, "mappings", [("late",)])))
            equal(3, (await store.checkpoint(COMPANY)).position)

    async def test_whoever_goes_on_where_nothing_is_begins_anew(self) -> None:
        """After the projection was emptied, a fold that was further along must not leave out what went before."""
        async with self.open_store() as store:
            was = Checkpoint(company=COMPANY, position=3)
            await refused(FoldOvertakenError, store.save([], was, Checkpoint(company=COMPANY, position=4)))
            equal(0, (await store.checkpoint(COMPANY)).position)
