"""Conflicts as they are parked: what is personal stays sealed, and the books' instants tell who wrote last."""

import pytest

from counterfoil.dispatch.outbox import Needless, Ready
from counterfoil.planning.outcome import MARKER
from counterfoil.postgres import Pool
from counterfoil.recovery.conflicts import versions_of
from counterfoil_schema.documents import Document
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events.receipts import MappingRecorded
from counterfoil_schema.exact_json import JsonObject
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database
from support.stories import accepted, books, observed, planned, sent

ORDER = "shop:order:1"
PARKING = '[connection]\nsource = "shop"\nzone = "UTC"\n'


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


async def linked(dispatcher: Dispatcher, document: JsonObject) -> int:
    """An order whose invoice stands in the books; the position of the change that made it."""
    change = await dispatcher.write(observed("1"))
    body = Document.of("Invoice", {"DocNumber": "1001", "PrivateNote": MARKER})
    await dispatcher.write(planned(change, ORDER, "i1", body=body))
    dispatcher.books.put("Invoice", document)
    await dispatcher.write(sent("r", (change, ORDER, "i1")), accepted(change, ORDER, "i1", "r", document))
    return change


async def test_a_conflict_about_something_personal_says_so_without_it(dispatcher: Dispatcher) -> None:
    """The reason of a parked change lies in the clear: in the log, in rows, and on the source's record."""
    ask = PARKING + '[fields.invoice.CustomerMemo]\nowner = "ask"\n'
    await dispatcher.write(MappingRecorded(connection="shop", digest="d", text=ask))
    first: JsonObject = {"Id": "5", "SyncToken": "0", "CustomerMemo": {"value": "Get well, Ann"}}
    change = await linked(dispatcher, first)
    await dispatcher.write(books("Invoice", "5", {**first, "SyncToken": "1", "CustomerMemo": {"value": "Dear Ann"}}))
    body = Document.of("Invoice", {"CustomerMemo": {"value": "Ann, thanks"}})
    await dispatcher.write(planned(change, ORDER, "i2", operation="update", body=body))
    parked = await dispatcher.outbox.prepare(await dispatcher.intent("i2"))
    assert isinstance(parked, done.IntentParked)
    assert (parked.code, parked.reason.split()[0]) == ("conflict", "CustomerMemo")
    assert "Ann" not in parked.reason + parked.fix
    assert f"deadletters show {ORDER} --personal" in parked.fix
    assert parked.outside == f"CustomerMemo of {ORDER} was changed on both sides."
    position = await dispatcher.write(parked)
    for personal, shown in ((False, None), (True, '{"value":"Dear Ann"}')):
        (version,) = await versions_of(dispatcher.store, dispatcher.log, COMPANY, position, personal=personal)
        assert (version.field, version.books) == ("CustomerMemo", shown)


@pytest.mark.parametrize(
    ("edited_at", "goes_out"),
    [
        ("2026-03-14T11:59:59Z", True),  # the source was seen to change at 12:00
        ("2026-03-14T04:00:01-08:00", False),
        ("2026-03-14T12:00:00Z", None),
        (None, None),
    ],
)
async def test_of_what_both_changed_the_last_writer_wins_or_a_person_is_asked(
    dispatcher: Dispatcher, edited_at: str | None, goes_out: bool | None
) -> None:
    rule = PARKING + '[fields.invoice.TxnDate]\nowner = "last_writer"\n'
    await dispatcher.write(MappingRecorded(connection="shop", digest="d", text=rule))
    first: JsonObject = {"Id": "5", "SyncToken": "0", "TxnDate": "2026-03-14"}
    change = await linked(dispatcher, first)
    edited: JsonObject = {
        **first,
        "SyncToken": "1",
        "TxnDate": "2026-03-31",
        "MetaData": {"LastUpdatedTime": edited_at},
    }
    await dispatcher.write(books("Invoice", "5", edited))
    # A payment that comes later is no edit of the date.
    paid: JsonObject = {**edited, "SyncToken": "2", "MetaData": {"LastUpdatedTime": "2026-03-15T12:00:00Z"}}
    await dispatcher.write(books("Invoice", "5", paid))
    body = Document.of("Invoice", {"TxnDate": "2026-04-01"})
    await dispatcher.write(planned(change, ORDER, "i2", operation="update", body=body))
    made = await dispatcher.outbox.prepare(await dispatcher.intent("i2"))
    match goes_out:
        case True:
            assert isinstance(made, Ready)
            assert (made.body["TxnDate"], made.item.kept) == ("2026-04-01", ())
        case False:
            assert isinstance(made, Needless)
            assert made.kept == ("TxnDate",)
        case _:
            assert isinstance(made, done.IntentParked)
            (version,) = made.conflicts
            shown = (version.field, version.base, version.source, version.books)
            assert shown == ("TxnDate", "2026-03-14", "2026-04-01", "2026-03-31")
