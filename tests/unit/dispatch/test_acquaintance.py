"""Which books are the pinned ones: the same, the same under another name, or others."""

import pytest

from counterfoil.dispatch.books import BooksFacts


def facts() -> BooksFacts:
    return BooksFacts(
        realm_id="9130",
        name="Shelf & Sons",
        fingerprint="lasting:called",
        former_fingerprint="one part",
        home_currency="USD",
        multi_currency=False,
        custom_numbers=True,
        class_tracking=False,
        department_tracking=False,
        closed_until=None,
    )


@pytest.mark.parametrize(
    ("pinned", "known"),
    [
        ("lasting:called", "same"),
        ("lasting:called before", "renamed"),
        ("one part", "renamed"),
        ("another:called", "others"),
        ("another part", "others"),
        ("lasting", "others"),
        ("", "others"),
    ],
)
def test_books_are_known_by_what_lasts(pinned: str, known: str) -> None:
    assert facts().known_as(pinned) == known
