"""The filter that spares a rebuild its questions for rows that never were."""

from counterfoil.recovery.touched import Touched
from counterfoil.state.fold import At


def rows(first: int, count: int) -> list[At]:
    return [("links", (f"shop:invoice:{number}",)) for number in range(first, first + count)]


def test_what_was_added_is_found_and_hardly_anything_else() -> None:
    touched = Touched(1 << 16)
    added, others = rows(0, 6_000), rows(6_000, 100_000)
    for at in added:
        touched.add(at)
    assert [at for at in added if at not in touched] == []
    # Nine are likely; a single bit to each row would give 1,140.
    assert len([at for at in others if at in touched]) < 60


def test_nothing_is_found_before_anything_was_added() -> None:
    assert [at for at in rows(0, 1_000) if at in Touched(1 << 10)] == []
