"""How long a company rests after its work failed."""

import asyncpg
import pytest

from counterfoil.log import LogUnavailableError
from counterfoil.runner import RETRY_SECONDS, RETRY_SECONDS_MAX, rest_after


def group(*errors: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("of a task group", [*errors])


def rests(trouble: ExceptionGroup[Exception], worked: list[float | None]) -> list[float]:
    """The rests after failures, each with the seconds that were worked before it."""
    found = [RETRY_SECONDS]
    for seconds in worked:
        found.append(rest_after(trouble, before=found[-1], worked=seconds))
    return found[1:]


GONE = [
    ConnectionResetError(104, "reset"),
    asyncpg.ConnectionDoesNotExistError("closed in the middle"),
    asyncpg.CannotConnectNowError("starting up"),
    LogUnavailableError("not confirmed"),
]


@pytest.mark.parametrize("error", GONE, ids=lambda error: type(error).__name__)
def test_a_postgres_that_dies_again_and_again_is_not_waited_for_longer_and_longer(error: Exception) -> None:
    assert rests(group(error), [3.0, 0.5, 4.0, 1.0, 2.0]) == [RETRY_SECONDS] * 5


def test_a_postgres_that_stays_away_is_asked_less_and_less_often() -> None:
    assert rests(group(GONE[0]), [None] * 6) == [4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_what_fails_each_time_rests_longer_and_longer_although_the_lease_was_held() -> None:
    assert rests(group(ValueError("a record"), GONE[0]), [5.0] * 6) == [4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_work_for_as_long_as_the_longest_rest_begins_the_count_anew() -> None:
    assert rests(group(ValueError("a record")), [5.0, 5.0, RETRY_SECONDS_MAX, 5.0]) == [4.0, 8.0, RETRY_SECONDS, 4.0]


def test_groups_within_groups_count_as_what_is_in_them() -> None:
    assert rest_after(group(group(GONE[1])), before=32.0, worked=1.0) == RETRY_SECONDS
    assert rest_after(group(group(KeyError("x"))), before=32.0, worked=1.0) == RETRY_SECONDS_MAX
