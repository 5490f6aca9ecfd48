"""Access tokens with a vendor that rotates, one that does not, and one that refuses."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from counterfoil.sources import SourceError, SourceTokens
from counterfoil.sources.oauth import AccessToken
from support.sources import MemoryKeeper


class HandClock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Vendor:
    """Issues numbered tokens for the refresh tokens that it knows."""

    def __init__(self, clock: HandClock, known: Sequence[str], *, rotates: bool) -> None:
        self.clock = clock
        self.known = set(known)
        self.rotates = rotates
        self.asked: list[str] = []

    async def renew(self, refresh_token: SecretStr | None) -> SourceTokens:
        given = refresh_token.get_secret_value() if refresh_token is not None else ""
        self.asked.append(given)
        if given not in self.known:
            raise SourceError("Acme refuses our credentials: invalid_grant.")
        number = len(self.asked)
        if self.rotates:
            self.known = {f"r{number}"}
        return SourceTokens(
            access_token=SecretStr(f"a{number}"),
            refresh_token=SecretStr(f"r{number}") if self.rotates else None,
            expires_at=self.clock.now() + timedelta(hours=1),
        )


def token(vendor: Vendor, keeper: MemoryKeeper | None = None, refresh: str = "r0") -> AccessToken:
    return AccessToken(vendor.renew, vendor.clock, "Acme", refresh_token=SecretStr(refresh), keeper=keeper)


async def test_a_refresh_token_that_is_not_rotated_goes_on() -> None:
    vendor = Vendor(HandClock(), ["r0"], rotates=False)
    held = token(vendor)
    first = await held()
    held.forget(SecretStr("another"))
    assert (await held()).get_secret_value() == first.get_secret_value() == "a1"
    held.forget(first)
    assert (await held()).get_secret_value() == "a2"
    vendor.clock.at += timedelta(minutes=56)
    assert ((await held()).get_secret_value(), vendor.asked) == ("a3", ["r0", "r0", "r0"])


async def test_what_was_kept_opens_the_next_run() -> None:
    vendor, keeper = Vendor(HandClock(), ["r0"], rotates=True), MemoryKeeper()
    await token(vendor, keeper)()
    vendor.clock.at += timedelta(hours=2)
    assert ((await token(vendor, keeper)()).get_secret_value(), vendor.asked) == ("a2", ["r0", "r1"])


async def test_another_process_renewed_meanwhile() -> None:
    vendor, keeper = Vendor(HandClock(), ["r0"], rotates=True), MemoryKeeper()
    mine, theirs = token(vendor, keeper), token(vendor, keeper)
    first = await mine()
    await theirs()
    vendor.clock.at += timedelta(hours=2)
    await theirs()
    mine.forget(first)
    assert (await mine()).get_secret_value() == "a2"


async def test_a_connection_made_anew_wins_over_what_was_kept_and_died() -> None:
    vendor = Vendor(HandClock(), ["new"], rotates=True)
    keeper = MemoryKeeper(held=SourceTokens(refresh_token=SecretStr("old")))
    assert (await token(vendor, keeper, "new")()).get_secret_value() == "a2"
    assert vendor.asked == ["old", "new"]


async def test_refused_credentials_are_told_and_not_asked_again_and_again() -> None:
    vendor = Vendor(HandClock(), [], rotates=True)
    held = token(vendor)
    with pytest.raises(SourceError, match="invalid_grant"):
        await held()
    assert vendor.asked == ["r0"]


async def test_without_a_way_to_another_the_end_is_told() -> None:
    held = AccessToken(
        None, HandClock(), "Acme", access_token=SecretStr("a0"), ended=("It has ended.", "Give another.")
    )
    first = await held()
    held.forget(first)
    with pytest.raises(SourceError, match=r"It has ended\. Give another\."):
        await held()
