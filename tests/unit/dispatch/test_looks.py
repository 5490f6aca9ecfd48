"""How often evidence is looked for: at once, and then ever less often."""

from counterfoil.dispatch.looks import Looks
from counterfoil.state.rows import IntentRow


def uncertain(intent_id: str, sent: int = 1) -> IntentRow:
    return IntentRow(
        company=1,
        intent_id=intent_id,
        change=1,
        record_key="shop:order:1",
        target="quickbooks",
        entity="Customer",
        operation="create",
        state="uncertain",
        lane="live",
        needs=(),
        content_hash="",
        planned=1,
        sent=sent,
    )


def test_the_waits_double_up_to_a_bound() -> None:
    looks, row = Looks(), uncertain("a")
    seconds = [second / 2 for second in range(80) if looks.due([row], second / 2)]
    assert seconds == [0.0, 2.0, 6.0, 14.0, 22.0, 30.0, 38.0]


def test_another_attempt_begins_anew_and_what_is_settled_is_forgotten() -> None:
    looks = Looks()
    assert len(looks.due([uncertain("a"), uncertain("b")], 0.0)) == 2
    assert looks.due([uncertain("a", sent=2), uncertain("b")], 0.5) == [uncertain("a", sent=2)]
    assert looks.due([], 1.0) == []
    assert looks.due([uncertain("b")], 1.5) == [uncertain("b")]
