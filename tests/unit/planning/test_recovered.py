"""Whose lines those of a forgotten document are: worked out by hand for each case."""

from typing import Any

import pytest

from counterfoil.planning.recovered import recovered_lines, regained_lines


def line(item: str, amount: int, identity: str = "") -> dict[str, Any]:
    body = {"DetailType": "SalesItemLineDetail", "Amount": amount, "SalesItemLineDetail": {"ItemRef": {"value": item}}}
    return {**body, "Id": identity} if identity else body


def links(found: Any) -> dict[str, str] | None:
    return None if found is None else {one.line_key: one.line_id for one in found}


WANTED: dict[str, Any] = {"Line": [line("7", 10), line("8", 20)]}
KEYS = ("a", "b")


@pytest.mark.parametrize(
    ("token", "lines", "expected"),
    [
        ("0", [line("7", 10, "1"), line("8", 20, "2")], {"a": "1", "b": "2"}),
        ("3", [line("7", 10, "1"), line("8", 20, "2")], {"a": "1", "b": "2"}),
        ("3", [line("7", 10, "1")], {"a": "1"}),
        # The source changed a price since: in what nobody touched, the line is ours all the same.
        ("0", [line("7", 10, "1"), line("8", 25, "2")], {"a": "1", "b": "2"}),
        ("3", [line("7", 10, "1"), line("8", 25, "2")], None),
        # A line that the source has no more is ours, and goes; or nobody knows whose it is.
        ("0", [line("7", 10, "1"), line("8", 20, "2"), line("9", 5, "3")], {"a": "1", "b": "2", "gone:3": "3"}),
        ("1", [line("7", 10, "1"), line("8", 20, "2"), line("9", 5, "3")], None),
    ],
)
def test_lines_of_a_document_that_the_log_does_not_know(
    token: str, lines: list[dict[str, Any]], expected: dict[str, str] | None
) -> None:
    document: dict[str, Any] = {
        "Id": "5",
        "SyncToken": token,
        "Line": [*lines, {"DetailType": "SubTotalLineDetail", "Amount": 1}],
    }
    assert links(recovered_lines(KEYS, WANTED, document)) == expected


def test_without_lines_of_ours_there_is_nothing_to_tell() -> None:
    assert recovered_lines((), {"DisplayName": "Ann"}, {"Id": "5", "SyncToken": "4", "DisplayName": "Ann"}) == ()


IMAGE: dict[str, Any] = {"Line": [line("7", 10, "1"), line("5", 1, "9")]}
"""One line of ours, and one of a bookkeeper's that the log knows."""


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ([], {"a": "1"}),
        ([line("8", 20, "2")], {"a": "1", "b": "2"}),
        # A line of somebody's, beside or instead of ours.
        ([line("8", 20, "2"), line("4", 3, "3")], None),
        ([line("8", 21, "2")], None),
    ],
)
def test_lines_that_forgotten_updates_added(added: list[dict[str, Any]], expected: dict[str, str] | None) -> None:
    latest: dict[str, Any] = {"Line": [*IMAGE["Line"], *added]}
    assert regained_lines(KEYS, WANTED, {"a": "1"}, IMAGE, latest) == expected
