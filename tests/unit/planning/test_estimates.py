"""What was offered to a customer: an estimate, pending or accepted, that posts nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park, Skip
from counterfoil_schema.records import Estimate
from support.planning import COMPANY, WIDGET, View, line, lines_of, link_of, mapping, only, request

KEY = "hubspot:quote:31"
RULES = '[estimate]\nfrom = ["quote"]\n'


def offer(**values: object) -> Estimate:
    return Estimate.model_validate(
        {
            "customer": COMPANY,
            "number": "20261001-1",
            "status": "APPROVED",
            "offered": True,
            "happened_at": datetime(2026, 10, 2, 3, 0, tzinfo=UTC),
            "expires": date(2026, 12, 31),
            "currency": "USD",
            "stated_total": Decimal("39.98"),
            "memo": "Autumn",
            "lines": [line(unit_price=Decimal("19.99"), quantity=Decimal(2))],
            **values,
        }
    )


def test_an_offer_becomes_this_document() -> None:
    intent = only(plan(request(offer(), KEY), mapping(RULES), View()))
    body = dict(intent.body)
    assert [part["Amount"] for part in lines_of(intent.body)] == [Decimal("39.98")]
    del body["Line"]
    assert body == {
        "CustomerRef": {"$record": COMPANY},
        "TxnDate": "2026-10-01",  # eleven at night in New York
        "DocNumber": "20261001-1",
        "ExpirationDate": "2026-12-31",
        "TxnStatus": "Pending",
        "PrivateNote": "From hubspot quote 31 {marker}",
    }
    assert (intent.entity, intent.amount, intent.needs) == ("Estimate", Decimal("39.98"), (COMPANY, WIDGET))


def test_what_is_accepted_says_so_and_the_mapping_may_wait_for_it() -> None:
    accepted = only(plan(request(offer(accepted=True), KEY), mapping(RULES), View()))
    assert accepted.body["TxnStatus"] == "Accepted"
    waiting = plan(request(offer(), KEY), mapping(RULES + 'when = "accepted"\n'), View())
    assert isinstance(waiting, Skip)
    assert waiting.reason == "quote 31 (hubspot) is not accepted (status APPROVED)."
    drafted = plan(request(offer(offered=False, status="DRAFT"), KEY), mapping(RULES), View())
    assert isinstance(drafted, Skip)


def test_an_offer_taken_back_after_it_was_posted_is_seen() -> None:
    view = View()
    view.links[KEY] = link_of(only(plan(request(offer(), KEY), mapping(RULES), View())), KEY)
    parked = plan(request(offer(offered=False, status="DRAFT"), KEY), mapping(RULES), view)
    assert isinstance(parked, Park)
    assert parked.code == "withdrawn"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"stated_total": Decimal("39.97")}, "total_mismatch"),
        ({"lines": []}, "no_lines"),
        ({"lines": [line(unit_price=Decimal(-5))], "stated_total": None}, "negative_total"),
        ({"customer": None}, "no_customer"),
        ({"happened_at": None}, "wrong_date"),
    ],
)
def test_doubtful_offers_park(values: dict[str, object], code: str) -> None:
    parked = plan(request(offer(**values), KEY), mapping(RULES), View())
    assert isinstance(parked, Park)
    assert parked.code == code
