"""What is said of an error to anybody: no text of another library, which may hold what was being written."""

from pathlib import Path

import pytest

from counterfoil.errors import ConfigurationError, in_words
from counterfoil_schema.exact_json import loads_object


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_our_own_words_and_the_system_s_are_said() -> None:
    ours = ConfigurationError("The mapping names no account.", remedy="Name one.")
    assert in_words(raised(ours)) == "The mapping names no account. Name one."
    assert in_words(raised(ConnectionRefusedError(111, "Connection refused"))) == "[Errno 111] Connection refused"


def test_of_others_the_type_and_the_place_are() -> None:
    said = in_words(raised(ValueError("invalid input for query argument $3: 'Ann Lee, 4711.08'")))
    assert said.startswith(f"ValueError at {Path(__file__).stem}, line ")
    assert "Ann Lee" not in said


def test_the_place_is_the_last_one_in_our_own_code() -> None:
    with pytest.raises(ValueError, match="Expecting") as caught:
        loads_object('{"name":')
    assert in_words(caught.value).startswith("JSONDecodeError at exact_json, line ")


def test_what_was_never_raised_and_says_nothing_is_told_by_its_type() -> None:
    assert in_words(TimeoutError()) == "TimeoutError"
