"""Events become the steps of a chain, in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from counterfoil.explain.chain import Happened, steps_of
from counterfoil_schema.events.base import registry
from counterfoil_schema.exact_json import JsonObject, JsonValue

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def happened(position: int, event_type: str, body: JsonObject, cause: int | None = None) -> Happened:
    return Happened(
        position=position,
        at=BEGAN + timedelta(seconds=position),
        event_type=event_type,
        record_key="hubspot:deal:512",
        cause=cause,
        trace=f"00-{position:032x}-0000000000000001-01",
        body=body,
    )


def observed(position: int) -> Happened:
    return happened(
        position,
        "source.observed",
        {
            "connection": "hubspot",
            "source_kind": "deal",
            "source_id": "512",
            "version": "7",
            "how": "webhook",
            "content_hash": "abc",
            "record": {"kind": "invoice", "won": True},
        },
    )


def planned(position: int, intent_id: str, **more: str) -> Happened:
    body: JsonObject = {
        "change": 1,
        "intent_id": intent_id,
        "target": "quickbooks",
        "entity": "Invoice",
        "operation": "create",
        "body": {"entity": "Invoice", "clear": '{"DocNumber":"D-512"}'},
        "needs": ["hubspot:company:7"],
        "doc_number": "D-512",
        "amount": "120.00",
        "currency": "USD",
        "review": False,
        "inputs": {"record": "r", "mapping": "m", "planner": "1", "preferences": "p"},
        **more,
    }
    return happened(position, "intent.planned", body, cause=1)


def sent(position: int, *intent_ids: str, target: str = "quickbooks") -> Happened:
    items: list[JsonObject] = [
        {
            "intent_id": one,
            "batch_id": f"b{number}",
            "entity": "Invoice",
            "operation": "create",
            "body": {"entity": "Invoice", "clear": "{}"},
        }
        for number, one in enumerate(intent_ids)
    ]
    body: JsonObject = {"request_id": "q1", "target": target, "attempt": 1, "body_hash": "h", "items": [*items]}
    return happened(position, "call.sent", body)


def accepted(position: int, intent_id: str) -> Happened:
    body: JsonObject = {
        "intent_id": intent_id,
        "request_id": "q1",
        "entity": "Invoice",
        "document_id": "145",
        "sync_token": "0",
        "how": "answered",
        "intuit_tid": "1-abc",
        "document": {"entity": "Invoice", "clear": '{"DocNumber":"D-512","TotalAmt":120.00,"Balance":120.00}'},
        "lines": [{"line_key": "a", "line_id": "1"}, {"line_key": "b", "line_id": "2"}],
    }
    return happened(position, "intent.accepted", body, cause=1)


def test_a_chain_from_source_to_link_in_the_order_of_the_log() -> None:
    steps = steps_of([accepted(9, "i1"), sent(8, "i1"), observed(1), planned(4, "i1")], {"i1"})

    assert [(step.position, step.stage) for step in steps] == [
        (1, "source"),
        (4, "decision"),
        (8, "call"),
        (9, "answer"),
        (9, "link"),
    ]
    assert steps[0].title == "hubspot showed deal 512, after a webhook."
    assert steps[1].title == "Planned: create Invoice number D-512, 120.00 USD."
    assert steps[1].cause == 1
    assert steps[1].details["inputs"] == {"record": "r", "mapping": "m", "planner": "1", "preferences": "p"}
    assert steps[2].title == "Sent to quickbooks: create Invoice, attempt 1, as item b0 of a batch of 1."
    assert steps[3].title == "Accepted: Invoice 145, SyncToken 0, number D-512, total 120.00, open 120.00."
    assert steps[3].details["intuit_tid"] == "1-abc"
    assert steps[4].details["lines"] == {"a": "1", "b": "2"}


def test_of_a_batch_only_the_part_of_the_chain_is_told() -> None:
    steps = steps_of([sent(8, "other", "i1", "another")], {"i1"})

    assert [step.title for step in steps] == [
        "Sent to quickbooks: create Invoice, attempt 1, as item b1 of a batch of 3."
    ]
    assert "other" not in repr(steps)


def test_an_event_that_two_ways_lead_to_counts_once() -> None:
    assert len(steps_of([observed(1), observed(1)], ())) == 1


def test_a_write_back_is_called_one_throughout() -> None:
    body: JsonObject = {"entity": "deal", "clear": '{"invoice_status":"paid"}'}
    plan = planned(4, "w1", operation="write_back", target="hubspot")
    plan.body["body"] = body
    steps = steps_of([plan, sent(5, "w1", target="hubspot")], {"w1"})

    assert [step.stage for step in steps] == ["write-back", "write-back"]
    assert steps[0].title == "Planned to write back to hubspot: invoice_status = paid."


def test_an_edit_in_the_same_reading_is_told_with_what_goes_back() -> None:
    edit = "Edited in QuickBooks (TxnDate); the edit is kept."
    (step,) = steps_of([planned(4, "i1", operation="write_back", target="hubspot", remark=edit)], {"i1"})
    assert step.title.endswith(f". {edit}")


def test_a_value_that_is_a_sentence_ends_once() -> None:
    told: JsonObject = {"entity": "deal", "clear": '{"qbo_problem":"It has no lines. Add some."}'}
    event = planned(4, "i1", operation="note", target="hubspot")
    (step,) = steps_of([replace(event, body={**event.body, "body": told})], {"i1"})
    assert step.title == "Planned to write back to hubspot: qbo_problem = It has no lines. Add some."


def test_hold_ups_say_what_to_do() -> None:
    parked = happened(
        5,
        "intent.parked",
        {"intent_id": "i1", "code": "duplicate-name", "reason": "Two of one name.", "fix": "Rename."},
    )
    [step] = steps_of([parked], {"i1"})

    assert step.stage == "hold-up"
    assert step.title == "Parked (duplicate-name): Two of one name."
    assert step.details["fix"] == "Rename."


def test_every_event_about_a_record_has_words_of_its_own() -> None:
    """Events that concern a company as a whole stand in no record's timeline."""
    of_companies = {
        "company.registered",
        "realm.pinned",
        "mapping.recorded",
        "webhook.received",
        "source.refused",
        "source.answered",
        "hints.settled",
        "directory.observed",
        "preferences.observed",
        "coverage.checked",
        "books.reconciled",
        "company.approved",
        "restore.begun",
        "recovery.begun",
        "recovery.found",
        "recovery.ended",
    }
    from counterfoil.explain import chain
    from counterfoil_schema.events import decisions, receipts, recoveries, redrives, rollbacks

    modules = {one.__name__ for one in (decisions, receipts, recoveries, redrives, rollbacks)}
    ours = {name for name, kind in registry.types().items() if kind.__module__ in modules}
    assert ours - of_companies - {"call.sent"} == set(chain._TELLERS)


def test_what_to_know_before_an_approval_stands_beside_the_plan() -> None:
    (step,) = steps_of([planned(2, "i1", remark="It differs from the ledger: 2.00.")], {"i1"})
    assert step.title == "Planned: create Invoice number D-512, 120.00 USD. It differs from the ledger: 2.00."


def test_what_was_left_to_the_books_and_who_said_so_is_told() -> None:
    call = sent(3, "i1")
    (item,) = call.body["items"] if isinstance(call.body["items"], list) else []
    assert isinstance(item, dict)
    left: JsonObject = {**call.body, "items": [{**item, "kept": ["TxnDate", "Line[1]"]}]}
    answers: JsonValue = [{"field": "TxnDate", "keep": "books"}]
    said = happened(4, "conflict.answered", {"author": "Ann", "answers": answers, "reason": "by phone", "parked": 2})
    told = [step.title for step in steps_of([planned(2, "i1"), replace(call, body=left), said], frozenset({"i1"}))]
    assert any(title.endswith("Left as the books have it: TxnDate, Line[1].") for title in told)
    assert "Ann chose what counts of what both sides changed (TxnDate: books)." in told
