"""What a refusal of QuickBooks says to the operator, and what of it may leave for a source."""

from counterfoil.dispatch.books import Refused
from counterfoil.quickbooks.online.answers import Faulty, parse_answer
from counterfoil.quickbooks.online.outcomes import Rejected
from counterfoil.quickbooks.online.verdicts import verdict


def refused(code: str, detail: str) -> Refused:
    body = (
        b'{"Fault":{"Error":[{"Message":"No","Detail":"' + detail.encode() + b'","code":"' + code.encode() + b'"}],'
        b'"type":"ValidationFault"},"time":"2026-11-01T00:00:00Z"}'
    )
    answer = parse_answer(body, "application/json", 400)
    assert isinstance(answer, Faulty)
    outcome = verdict(Rejected(fault=answer.fault, raw=body, intuit_tid=None, http_status=400))
    assert isinstance(outcome, Refused)
    return outcome


def test_the_operator_reads_quickbooks_own_words_and_a_source_does_not() -> None:
    outcome = refused("6000", "Business Validation Error: Bob Miller is to be paid first.")
    assert "Bob Miller" in outcome.reason
    assert outcome.outside == "QuickBooks refused the document by one of its business rules. (6000)"


def test_who_else_was_at_work_is_nobody_s_to_read() -> None:
    outcome = refused("5010", "Stale Object Error : You and Bob Miller were working on this at the same time.")
    assert "Bob" not in outcome.reason + outcome.outside
    assert outcome.outside == "Somebody changed the record in between. (5010)"
