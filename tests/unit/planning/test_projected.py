"""Kinds of record that only their source knows: its own projection, within the rules of all documents."""

from decimal import Decimal
from typing import Any

import pytest

from counterfoil.dispatch.projecting import projections_of
from counterfoil.dispatch.view import ViewNeedsError
from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park, Skip, Unchanged
from counterfoil.sources import SourceState, Wanted
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Custom, Record
from support.planning import View, link_of, mapping, only, request
from support.sources import context_of
from third_party.meters.meters import Meters

KEY = "meters:takings:2026-03-01"
FACTS: JsonObject = {"id": "2026-03-01", "day": "2026-03-01", "amount": Decimal("1265793.0395000001")}
METERS = Meters(context_of("meters", {"file": "takings.json"}))
PROJECT = projections_of({"meters": METERS})["meters"]


def takings(**more: object) -> Custom:
    facts: Any = {**FACTS, **more}
    return Custom.of(facts)


def test_a_record_of_an_own_kind_becomes_what_its_projection_says() -> None:
    intent = only(plan(request(takings(), KEY), mapping(), View(), PROJECT))
    lines = intent.body["Line"]
    assert isinstance(lines, list)
    assert (intent.entity, intent.operation, intent.amount) == ("JournalEntry", "create", FACTS["amount"])
    assert [line["Amount"] for line in lines if isinstance(line, dict)] == [FACTS["amount"]] * 2
    assert intent.person == KEY


def test_the_same_again_is_unchanged_and_another_amount_an_update() -> None:
    first = only(plan(request(takings(), KEY), mapping(), View(), PROJECT))
    view = View(links={KEY: link_of(first, KEY)})
    assert isinstance(plan(request(takings(), KEY), mapping(), view, PROJECT), Unchanged)
    assert only(plan(request(takings(amount=7), KEY), mapping(), view, PROJECT)).operation == "update"


def test_what_a_projection_refuses_is_passed_over_or_parked_with_its_fix() -> None:
    nothing = plan(request(takings(amount=0), KEY), mapping(), View(), PROJECT)
    negative = plan(request(takings(amount=-1), KEY), mapping(), View(), PROJECT)
    assert isinstance(nothing, Skip)
    assert isinstance(negative, Park)
    assert (negative.code, negative.fix) == ("negative", "Look at the meter.")


def test_a_projection_that_falls_parks_its_record_and_shows_nothing_of_it() -> None:
    fallen = plan(request(takings(amount="secret"), KEY), mapping(), View(), PROJECT)
    assert isinstance(fallen, Park)
    assert (fallen.code, "secret" in fallen.reason) == ("projection_failed", False)


def test_without_a_projection_the_record_waits_where_a_person_sees_it() -> None:
    parked = plan(request(takings(), KEY), mapping(), View())
    assert isinstance(parked, Park)
    assert parked.code == "no_projection"


class Asking(Meters):
    """Wants a document that nobody keeps, or state that is not loaded yet."""

    def project(self, record_key: str, record: Record, state: SourceState) -> Wanted:
        assert state.home_currency() == "USD"
        if isinstance(record, Custom) and record.read().get("asks"):
            raise ViewNeedsError("record", record_key)
        return Wanted(entity="Spaceship", body={})


def test_a_document_that_nobody_keeps_is_refused_and_a_question_goes_on() -> None:
    project = projections_of({"meters": Asking(context_of("meters", {"file": "x"}))})["meters"]
    parked = plan(request(takings(), KEY), mapping(), View(), project)
    assert isinstance(parked, Park)
    assert parked.code == "unknown_entity"
    with pytest.raises(ViewNeedsError):
        plan(request(takings(asks=True), KEY), mapping(), View(), project)
