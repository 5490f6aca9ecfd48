"""Which entries of the books may stand for which records: every pair that there is, no pair that there is not."""

import random
import string
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.onboarding.facts import Facts, Type
from counterfoil.onboarding.matching import CERTAIN, DOUBTFUL, Proposal, near_score, propose
from counterfoil.onboarding.names import ALIKE_MIN, folded, index_of

words = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=9)
names = st.lists(words, min_size=2, max_size=3).map(" ".join)


def party(
    key: str, name: str, kind: Type = "customer", *, email: str = "", code: str = "", active: bool = True
) -> Facts:
    return Facts(type=kind, key=key, name=name, email=email, code=code, active=active)


def matched(ours: Sequence[Facts], theirs: Sequence[Facts]) -> dict[str, Proposal]:
    found = propose(ours, theirs, marker_of=lambda key: [f"cf-{key}"])
    return {one.ours.key: one for one in found}


def said(one: Proposal) -> tuple[str, str, int]:
    best = one.best
    return (one.decision, best.theirs.key if best else "", best.score if best else 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("Ann Smith", "ann  SMITH", ("adopt", "7", 97)),
        ("Ann Smith", "Smith, Ann", ("adopt", "7", 93)),
        ("Öztürk & Söhne", "Ozturk und Sohne", ("adopt", "7", 93)),
        ("Öztürk & Söhne", "Ozturk Sohne Nord", ("ask", "7", 74)),
        ("Öztürk & Söhne GmbH", "Ozturk and Sohne", ("adopt", "7", 93)),
        ("Acme Inc.", "ACME, LLC", ("adopt", "7", 93)),
        ("Straße Müller", "Strasse Muller", ("adopt", "7", 93)),
        ("Jonathan Meyer", "Jonathon Meyer", ("ask", "7", 83)),
        ("Bosubumelo Bumuravofi", "Bxsubumelo Bumuravofi", ("ask", "7", 85)),
        ("Acme", "Acme Holdings West", ("create", "", 0)),
        ("Ann Smith", "Bob Jones", ("create", "", 0)),
    ],
)
def test_names(ours: str, theirs: str, expected: tuple[str, str, int]) -> None:
    (one,) = matched([party("s:c:1", ours)], [party("7", theirs)]).values()
    assert expected == said(one)


def test_an_e_mail_tells_only_together_with_a_name_that_is_like() -> None:
    theirs = [party("7", "Ann B. Smith", email="ANN@x.example"), party("8", "Front desk", email="info@x.example")]
    ours = [party("s:c:1", "Ann Smith-Jones", email="ann@x.example"), party("s:c:2", "Zed", email="info@x.example")]
    found = matched(ours, theirs)
    assert {key: said(one) for key, one in found.items()} == {
        "s:c:1": ("adopt", "7", 98),
        "s:c:2": ("ask", "8", 85),
    }


def test_two_that_want_the_same_and_one_that_could_have_two_are_asked_about() -> None:
    twins = matched([party("s:c:1", "Ann Smith"), party("s:c:2", "ANN SMITH")], [party("7", "Ann Smith")])
    assert [said(one) for one in twins.values()] == [("ask", "7", 97)] * 2
    choice = matched([party("s:c:1", "Acme Inc")], [party("7", "Acme LLC"), party("12", "Acme GmbH")])
    assert [said(one) for one in choice.values()] == [("ask", "7", 93)]
    assert [each.theirs.key for each in choice["s:c:1"].candidates] == ["7", "12"]


def test_what_is_inactive_is_never_proposed_but_shown() -> None:
    (one,) = matched([party("s:c:1", "Ann Smith")], [party("7", "Ann Smith", active=False)]).values()
    assert said(one) == ("ask", "7", 97)


def test_types_do_not_mix() -> None:
    (one,) = matched([party("s:c:1", "Acme")], [party("7", "Acme", "vendor")]).values()
    assert said(one) == ("create", "", 0)


def test_an_employee_by_the_id_that_the_source_holds_and_an_item_by_its_sku() -> None:
    ours = [party("s:e:1", "Ann Smith", "employee", code="12"), party("s:p:1", "Lamp", "product", code="l-1")]
    theirs = [party("12", "A. S.", "employee"), party("5", "Desk light", "product", code="L-1")]
    assert [said(one) for one in matched(ours, theirs).values()] == [("adopt", "12", 100), ("adopt", "5", 98)]


def bill(key: str, number: str, amount: str, day: int, party_key: str = "", note: str = "") -> Facts:
    return Facts(
        type="invoice",
        key=key,
        numbers=(number,) if number else (),
        amounts=frozenset({Decimal(amount)}),
        currency="USD",
        dated=date(2026, 11, day),
        party=party_key,
        note=note,
    )


def test_open_invoices_by_number_marker_or_by_whose_they_are_and_what_they_come_to() -> None:
    ours = [
        party("s:c:1", "Ann Smith"),
        bill("s:o:1", "1001", "10.00", 1, "s:c:1"),
        bill("s:o:2", "1002", "20.00", 2, "s:c:1"),
        bill("s:o:3", "1003", "30.00", 3, "s:c:1"),
        bill("s:o:4", "1004", "40.00", 4, "s:c:1"),
        bill("s:o:5", "1005", "50.00", 5, "s:c:1"),
        bill("s:o:6", "1006", "60.00", 6, "s:c:2"),
    ]
    theirs = [
        party("7", "Ann Smith"),
        bill("91", "1001", "10.00", 9, "7"),
        bill("92", "1002", "21.00", 2, "7"),
        bill("93", "A-3", "30.00", 3, "7"),
        bill("94", "A-4", "40.00", 10, "7"),
        bill("95", "A-5", "55.00", 5, "7", note="by us cf-s:o:5"),
        bill("96", "A-6", "60.00", 6, "8"),
    ]
    found = matched(ours, theirs)
    assert {key: said(one) for key, one in found.items() if key.startswith("s:o")} == {
        "s:o:1": ("adopt", "91", 98),
        "s:o:2": ("ask", "92", 75),
        "s:o:3": ("ask", "93", 90),
        "s:o:4": ("ask", "94", 80),
        "s:o:5": ("adopt", "95", 100),
        "s:o:6": ("create", "", 0),
    }


def test_an_invoice_in_another_currency_is_another() -> None:
    (one,) = matched([bill("s:o:1", "1001", "10.00", 1)], [bill("9", "1001", "10.00", 1)]).values()
    assert said(one) == ("adopt", "9", 98)
    euros = Facts(type="invoice", key="9", numbers=("1001",), amounts=frozenset({Decimal(10)}), currency="EUR")
    (one,) = matched([bill("s:o:1", "1001", "10.00", 1)], [euros]).values()
    assert said(one) == ("ask", "9", 75)


def edited(name: str, chance: random.Random) -> str:
    """The name with a letter less, more or other."""
    place = chance.randrange(len(name))
    letter = chance.choice(string.ascii_lowercase)
    match chance.randrange(3):
        case 0:
            return name[:place] + name[place + 1 :]
        case 1:
            return name[:place] + letter + name[place:]
        case _:
            return name[:place] + letter + name[place + 1 :]


def distance(left: str, right: str) -> float:
    """Likeness by hand: twice the longest common subsequence over both lengths, of 100."""
    row = [0] * (len(right) + 1)
    for one in left:
        before = 0
        for place, other in enumerate(right, start=1):
            kept = row[place]
            row[place] = before + 1 if one == other else max(row[place], row[place - 1])
            before = kept
    return 200 * row[-1] / (len(left) + len(right))


@settings(max_examples=120, deadline=None)
@given(st.lists(names, min_size=1, max_size=60, unique=True), st.randoms(use_true_random=False))
def test_blocking_loses_no_name_with_one_letter_other(found: list[str], chance: random.Random) -> None:
    theirs = [folded(one) for one in found]
    index = index_of(theirs)
    wanted = chance.randrange(len(theirs))
    looked_for = folded(edited(found[wanted], chance))
    by_hand = [max(distance(looked_for.said, one.said), distance(looked_for.ordered, one.ordered)) for one in theirs]
    expected = {place for place, likeness in enumerate(by_hand) if likeness >= ALIKE_MIN}
    near = dict(index.near(looked_for))
    assert near.keys() <= expected
    assert by_hand[wanted] < ALIKE_MIN or wanted in near
    for place, likeness in near.items():
        assert likeness == pytest.approx(by_hand[place])


@settings(max_examples=80, deadline=None)
@given(st.lists(names, max_size=25), st.lists(names, max_size=25), st.randoms(use_true_random=False))
def test_whatever_stands_there_decisions_fit(left: list[str], right: list[str], chance: random.Random) -> None:
    ours = [party(f"s:c:{place}", one) for place, one in enumerate(left)]
    theirs = [party(str(place), one) for place, one in enumerate([*right, *left[: len(left) // 2]], start=1)]
    found = matched(ours, theirs)
    assert list(found) == [one.key for one in ours]
    adopted = [one.best.theirs.key for one in found.values() if one.decision == "adopt" and one.best is not None]
    assert len(adopted) == len(set(adopted))
    for one in found.values():
        scores = [each.score for each in one.candidates]
        assert scores == sorted(scores, reverse=True)
        assert all(DOUBTFUL <= score <= 100 for score in scores)
        assert (one.decision == "create") == (not scores)
        assert one.decision != "adopt" or [score >= CERTAIN for score in scores].count(True) == 1
    shuffled = chance.sample(theirs, len(theirs))
    assert {key: said(one) for key, one in matched(ours, shuffled).items()} == {
        key: said(one) for key, one in found.items()
    }


def test_names_that_are_alike_are_never_certain() -> None:
    assert [near_score(likeness) for likeness in (80.0, 99.9, 100.0)] == [72, 89, 90]
    assert near_score(100.0) < CERTAIN
