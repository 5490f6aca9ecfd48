"""Folds of the first day: a link without a write, plans that are made afresh, and what a person said in between."""

from counterfoil.state.rows import ChangeRow, CompanyRow, DocumentRow, IntentRow, LinkRow, ReviewRow, Row
from counterfoil.testing.memory_state import MemoryStateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events import decisions as done
from counterfoil_schema.events import receipts as seen
from counterfoil_schema.events.base import Event
from support.stories import Written, accepted, observed, planned, sent

COMPANY = 4
KEY = "shop:order:a"


def adopted(entity: str = "Customer", document_id: str = "7") -> done.RecordAdopted:
    document = Document.of(entity, {"Id": document_id, "SyncToken": "3"})
    return done.RecordAdopted(
        record_key=KEY, entity=entity, document_id=document_id, sync_token="3", document=document, author="Ann"
    )


def said(verdict: str) -> done.RecordReviewed:
    return done.RecordReviewed.model_validate({"record_key": KEY, "verdict": verdict, "author": "Ann"})


async def folded(*events: Event) -> dict[tuple[str, tuple[str, ...]], Row]:
    store = MemoryStateStore()
    page = await store.fold(COMPANY, [Written(number, event) for number, event in enumerate(events, start=1)])
    assert page.error == ""
    return dict(store.rows(COMPANY))


def change(rows: dict[tuple[str, tuple[str, ...]], Row], position: int = 1) -> ChangeRow:
    found = rows["changes", (str(position),)]
    assert isinstance(found, ChangeRow)
    return found


def link(rows: dict[tuple[str, tuple[str, ...]], Row]) -> LinkRow:
    found = rows["links", (KEY,)]
    assert isinstance(found, LinkRow)
    return found


async def test_an_adoption_links_and_withdraws_what_was_planned() -> None:
    rows = await folded(observed("a"), planned(1, KEY, "i1"), adopted())
    made = link(rows)
    assert (made.document_id, made.sync_token, made.adopted, made.content_hash) == ("7", "3", True, "")
    assert (made.image, made.latest) == (3, 3)
    owner = rows["documents", ("Customer", "7")]
    assert isinstance(owner, DocumentRow)
    assert owner.record_key == KEY
    intent = rows["intents", ("i1",)]
    assert isinstance(intent, IntentRow)
    assert (intent.state, intent.code) == ("withdrawn", "onboarding")
    assert (change(rows).state, change(rows).code, change(rows).decided) == ("waiting", "decision", None)


async def test_an_adoption_before_anything_was_observed_waits_for_its_record() -> None:
    rows = await folded(adopted(), observed("a"))
    assert link(rows).document_id == "7"
    assert change(rows, 2).state == "waiting"


async def test_what_was_sent_is_left_to_its_end() -> None:
    rows = await folded(observed("a"), planned(1, KEY, "i1"), sent("r", (1, KEY, "i1")), said("skip"))
    assert (change(rows).state, change(rows).code) == ("waiting", "in flight")
    rows = await folded(
        observed("a"), planned(1, KEY, "i1"), sent("r", (1, KEY, "i1")), accepted(1, KEY, "i1"), said("skip")
    )
    assert change(rows).state == "applied"


async def test_found_equal_an_entry_of_a_list_is_as_if_we_had_written_it_and_a_transaction_never() -> None:
    equal = done.ChangeUnchanged(change=1, record_key=KEY, proof="p", reason="Equal.")
    entry = link(await folded(observed("a"), adopted(), equal))
    assert (entry.adopted, entry.content_hash) == (False, "p")
    transaction = link(await folded(observed("a"), adopted("Invoice"), equal))
    assert (transaction.adopted, transaction.content_hash) == (True, "")


async def test_what_is_left_out_or_doubtful_is_decided_afresh_and_taken_in_again() -> None:
    plan = planned(1, KEY, "i1")
    for verdict in ("skip", "ask"):
        rows = await folded(observed("a"), plan, said(verdict))
        assert (change(rows).state, change(rows).code) == ("waiting", "decision")
        skipped = done.ChangeSkipped(change=1, record_key=KEY, code="left-out", reason="Left out.")
        rows = await folded(observed("a"), plan, said(verdict), skipped, said("create"))
        assert (change(rows).state, change(rows).code) == ("waiting", "decision")
    rows = await folded(observed("a"), plan, said("create"))
    assert (change(rows).state, change(rows).code) == ("waiting", "queued"), "its plan goes on"


async def test_adopted_after_all_it_is_no_longer_left_out() -> None:
    rows = await folded(observed("a"), said("skip"), adopted())
    review = rows["reviews", (KEY,)]
    assert isinstance(review, ReviewRow)
    assert (review.verdict, review.position) == ("adopt", 3)


def released(document_id: str = "7") -> done.RecordReleased:
    return done.RecordReleased(record_key=KEY, entity="Customer", document_id=document_id, adopted=3, author="Ann")


async def test_taken_back_nothing_stands_for_the_record_and_it_waits_for_a_persons_word() -> None:
    update = planned(1, KEY, "i1", entity="Customer", operation="update", review=True)
    rows = await folded(observed("a"), adopted(), update, released())
    entry = link(rows)
    assert (entry.status, entry.adopted, entry.name_key) == ("released", False, None)
    document, review, intent = rows["documents", ("Customer", "7")], rows["reviews", (KEY,)], rows["intents", ("i1",)]
    assert isinstance(document, DocumentRow)
    assert isinstance(review, ReviewRow)
    assert isinstance(intent, IntentRow)
    assert (document.record_key, review.verdict, intent.state) == (None, "ask", "withdrawn")
    assert (change(rows).state, change(rows).code) == ("waiting", "decision")


async def test_taken_back_it_can_be_adopted_again_or_made_anew() -> None:
    again = link(await folded(observed("a"), adopted(), released(), adopted(document_id="8")))
    assert (again.document_id, again.status, again.incarnation) == ("8", "live", 2)
    plan = planned(1, KEY, "i1")
    rows = await folded(observed("a"), adopted(), released(), said("create"), plan, sent("r", (1, KEY, "i1")))
    assert link(rows).status == "released"
    rows = await folded(
        *(observed("a"), adopted(), released(), said("create"), plan, sent("r", (1, KEY, "i1"))),
        accepted(1, KEY, "i1", document={"Id": "9", "SyncToken": "0"}),
    )
    assert (link(rows).document_id, link(rows).status, link(rows).incarnation) == ("9", "live", 2)


async def test_a_merge_does_not_bring_back_what_was_taken_back() -> None:
    merged = seen.BooksMerged(
        entity="Customer",
        gone_id="7",
        document_id="8",
        sync_token="1",
        document=Document.of("Customer", {"Id": "8", "SyncToken": "1"}),
        evidence="webhook",
        records=(KEY,),
    )
    entry = link(await folded(observed("a"), adopted(), released(), merged))
    assert (entry.document_id, entry.status) == ("7", "released")


async def test_what_does_not_stand_for_the_record_cannot_be_taken_back() -> None:
    store = MemoryStateStore()
    page = await store.fold(COMPANY, [Written(1, observed("a")), Written(2, adopted()), Written(3, released("8"))])
    assert "Customer 8 does not stand for the record" in page.error


async def test_an_approval_is_kept_with_its_place() -> None:
    rows = await folded(
        seen.CompanyRegistered(name="Shop", zone="UTC", home_currency="USD"),
        seen.CompanyApproved(author="Ann", previewed=1),
    )
    company = rows["companies", ()]
    assert isinstance(company, CompanyRow)
    assert (company.name, company.approved) == ("Shop", 2)
