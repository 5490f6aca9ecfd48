"""At a terminal: what is doubtful, one after the other, as far as somebody wishes to go."""

import pytest
import typer

from counterfoil.cli.tasks.onboard_prompts import ask_about
from counterfoil.onboarding.facts import Facts
from counterfoil.onboarding.matching import Candidate, Proposal
from counterfoil.onboarding.sheet import Row


def doubtful(number: int) -> Proposal:
    ours = Facts(type="customer", key=f"shop:customer:{number}", name=f"Ann {number}")
    found = [Facts(type="customer", key=f"{number}{place}", name=f"Anne {number}") for place in (1, 2)]
    return Proposal(
        ours=ours,
        candidates=tuple(Candidate(theirs=one, score=85, why="names alike") for one in found),
        decision="ask",
    )


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed, in order; the first is whether to go through them at all."""
    typed: list[str] = []

    def confirm(_text: str, **_more: object) -> bool:
        return typed.pop(0) == "y"

    def prompt(_text: str, **_more: object) -> str:
        return typed.pop(0)

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr(typer, "prompt", prompt)
    return typed


def test_each_answer_becomes_a_decision(answers: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    answers += ["y", "2", "x", "3", "c", "s", "", "l"]
    said = ask_about([doubtful(number) for number in range(1, 7)], {})
    assert {key: (row.decision, row.books_id) for key, row in said.items()} == {
        "shop:customer:1": ("adopt", "12"),
        "shop:customer:2": ("create", ""),
        "shop:customer:3": ("skip", ""),
    }
    assert all(row.is_by_a_person for row in said.values()), "so that another review keeps them"
    shown = capsys.readouterr().out
    assert "1 of 6: customer shop:customer:1: Ann 1" in shown
    assert "2  Customer 12: Anne 1 (85: names alike)" in shown
    assert shown.count("Type a number, c, s, l, or nothing.") == 2


def test_nobody_is_asked_twice_or_against_their_will(answers: list[str]) -> None:
    kept = {"shop:customer:1": Row(line=0, decision="skip", record_key="shop:customer:1", books_id="")}
    assert ask_about([doubtful(1)], kept) == {}
    answers += ["n"]
    assert ask_about([doubtful(2)], {}) == {}
    assert answers == []
