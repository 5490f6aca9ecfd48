"""The framing and the chain, against bytes put together by hand."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.log import chain


def test_genesis_is_the_hash_of_a_fixed_text_and_the_company() -> None:
    assert hashlib.sha256(b"counterfoil log 1\0\0\0\0\0\0\1\2").digest() == chain.genesis(258)


def test_a_link_hashes_the_one_before_the_position_and_the_digest() -> None:
    by_hand = hashlib.sha256(b"p" * 32 + b"\0\0\0\0\0\0\0\5" + b"d" * 32).digest()
    assert by_hand == chain.link(b"p" * 32, 5, b"d" * 32)


def test_the_frame_is_fixed_for_ever() -> None:
    frame = (
        "63666531"  # cfe1
        "0000000000000007"  # company 7
        "000102030405060708090a0b0c0d0e0f"  # event id
        "0003"  # version 3
        "00000000000f4241"  # 1.000001 s after 1970
        "00000003"  # type: 3 bytes
        "00000002"  # record key: 2 bytes
        "00" + "0000000000000000"  # no cause
        "ffffffff"  # no trace
        "01" + "0000000000000009"  # epoch 9
        "00000000"  # delivery: there, and empty
        "00000002"  # body: 2 bytes
        + "612e62"  # a.b
        + "c3a9"  # é
        + "7b7d"  # {}
    )
    digest = chain.digest(7, bytes(range(16)), 3, 1_000_001, b"a.b", "é".encode(), None, None, 9, b"", b"{}")
    assert hashlib.sha256(bytes.fromhex(frame)).digest() == digest


texts = st.none() | st.sampled_from([b"", b"\0", b"a", b"ab", b"b"])
numbers = st.none() | st.integers(0, 2)
columns = st.tuples(
    st.integers(0, 1),
    st.sampled_from([b"a" * 16, b"b" * 16]),
    st.integers(1, 2),
    st.integers(0, 1),
    st.sampled_from([b"a", b"ab", b""]),
    texts,
    numbers,
    texts,
    numbers,
    texts,
    st.sampled_from([b"", b"a", b"ba"]),
)


@given(columns, columns)
def test_two_events_have_one_digest_only_if_they_are_equal(
    one: tuple[int, bytes, int, int, bytes, bytes | None, int | None, bytes | None, int | None, bytes | None, bytes],
    two: tuple[int, bytes, int, int, bytes, bytes | None, int | None, bytes | None, int | None, bytes | None, bytes],
) -> None:
    assert (one == two) == (chain.digest(*one) == chain.digest(*two))


def test_instants_are_counted_in_whole_microseconds() -> None:
    assert chain.microseconds(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert chain.microseconds(datetime(1970, 1, 1, 1, 0, 0, 1, tzinfo=UTC)) == 3_600_000_001
    east = timezone(timedelta(hours=2))
    assert chain.microseconds(datetime(1970, 1, 1, 2, tzinfo=east)) == 0
    assert chain.microseconds(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    # A float of this instant could not hold its last digit exactly.
    assert chain.microseconds(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == 253_402_300_799_999_999
    with pytest.raises(ValueError, match="aware"):
        chain.microseconds(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
