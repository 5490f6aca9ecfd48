"""Who else posts the same: by notes, numbers, sums; and a bookkeeper's own work is not taken for an app's."""

from datetime import date
from decimal import Decimal

from counterfoil.onboarding.facts import Facts
from counterfoil.onboarding.others import Posted, suspects
from counterfoil_schema.exact_json import JsonObject

OURS = [
    Facts(
        type="invoice",
        key=f"hubspot:deal:{512 + n}",
        numbers=(str(1001 + n),),
        amounts=frozenset({Decimal(10 + n)}),
        dated=date(2026, 11, 1 + n),
    )
    for n in range(6)
]


def posted(n: int, *, note: str = "", number: str = "", amount: int = 999, entity: str = "Invoice") -> Posted:
    facts = Facts(type="invoice", key=str(n), amounts=frozenset({Decimal(amount)}), dated=date(2026, 11, 1 + n))
    return Posted(
        entity=entity, document_id=str(n), created=date(2026, 11, 10 + n), number=number, note=note, facts=facts
    )


def test_an_app_that_names_itself_and_posts_the_same_sums() -> None:
    (one,) = suspects([posted(n, note=f"Created by Zapier, run {n}", amount=10 + n) for n in range(4)], OURS)
    assert (one.level, one.app, one.documents, one.like_ours, one.last) == (
        "certain",
        "zapier",
        4,
        4,
        date(2026, 11, 13),
    )
    assert one.evidence == (
        "their notes name zapier",
        "4 have the number, or sum and day, of a record of the source",
    )
    assert "Switch off in zapier" in one.what_to_do


def test_notes_that_hold_the_sources_ids() -> None:
    (one,) = suspects([posted(n, note=f"Deal {512 + n}") for n in range(3)], OURS)
    assert (one.level, one.app) == ("certain", "not named")
    assert "3 of their notes hold the id of a record of the source" in one.evidence
    assert 'their notes have one form, "Deal #"' in one.evidence


def test_numbers_of_one_form_and_the_same_sums() -> None:
    (one,) = suspects([posted(n, number=f"HS-{70 + n}", amount=10 + n) for n in range(3)], OURS)
    assert (one.level, one.evidence[0]) == ("likely", "their numbers have one form, HS-#")


def test_the_same_numbers_without_a_trace_may_be_typed_by_hand() -> None:
    (one,) = suspects([posted(n, number=str(1001 + n)) for n in range(3)], OURS)
    assert one.level == "possible"
    assert "Ask who enters" in one.what_to_do


def test_a_bookkeepers_own_invoices_raise_nothing() -> None:
    assert suspects([posted(n, number=str(2001 + n), note="thanks") for n in range(5)], OURS) == []
    assert suspects([posted(n, note="see the square table", entity="JournalEntry") for n in range(0)], OURS) == []


def test_markers_and_dates_are_read_from_the_document() -> None:
    from counterfoil.onboarding.others import posted_of

    document: JsonObject = {
        "Id": "9",
        "DocNumber": " HS-1 ",
        "PrivateNote": "by\nZapier",
        "MetaData": {"CreateTime": "2026-11-03T23:30:00-08:00"},
    }
    assert posted_of("Invoice", document, None) == Posted(
        entity="Invoice", document_id="9", created=date(2026, 11, 3), number="HS-1", note="by Zapier"
    )
