"""Access tokens with a vendor that rotates, one that does not, and one that refuses."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from counterfoil.sources import SourceError, SourceTokens
from counterfoil.sources.oauth import AccessToken
from counterfoil.testing import MemoryKeeper
from support.sources import WatchedKeeper


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


async def test_another_process_renews_at_the_same_moment_and_the_vendor_is_asked_once() -> None:
    vendor, keeper = Vendor(HandClock(), ["r0"], rotates=True), MemoryKeeper()
    one, other = token(vendor, keeper), token(vendor, keeper)
    given = await asyncio.gather(one(), other())
    assert ([each.get_secret_value() for each in given], vendor.asked) == (["a1", "a1"], ["r0"])


async def test_the_configured_refresh_token_wins_once_it_changes_and_comes_back_to_what_it_left() -> None:
    vendor, keeper = Vendor(HandClock(), ["r0"], rotates=True), MemoryKeeper()
    await token(vendor, keeper)()
    vendor.known.add("new")
    assert (await token(vendor, keeper, "new")()).get_secret_value() == "a2"
    assert (await token(vendor, keeper, "new")()).get_secret_value() == "a2"
    assert (await token(vendor, keeper)()).get_secret_value() == "a1"
    assert vendor.asked == ["r0", "new"]


async def test_what_is_configured_is_tried_where_what_was_kept_died() -> None:
    vendor = Vendor(HandClock(), ["r0"], rotates=True)
    keeper = MemoryKeeper({"r0": SourceTokens(refresh_token=SecretStr("died"), generation=4)})
    assert (await token(vendor, keeper)()).get_secret_value() == "a2"
    assert (vendor.asked, keeper.held["r0"].generation, keeper.refusals) == (["died", "r0"], 5, [])


async def test_a_rejected_access_token_that_was_stored_is_not_taken_for_a_new_one() -> None:
    vendor, keeper = Vendor(HandClock(), ["r0"], rotates=True), MemoryKeeper()
    first = await token(vendor, keeper)()
    later = token(vendor, keeper)
    assert (await later()).get_secret_value() == "a1"
    later.forget(first)
    assert ((await later()).get_secret_value(), vendor.asked) == ("a2", ["r0", "r1"])


async def test_what_could_not_be_stored_is_stored_first_thing_and_never_used_before() -> None:
    vendor = Vendor(HandClock(), ["r0"], rotates=True)
    troubles = [OSError("disk full"), OSError("disk full")]

    async def fail(_tokens: SourceTokens) -> None:
        if troubles:
            raise troubles.pop()

    keeper = WatchedKeeper(before=fail)
    held = token(vendor, keeper)
    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            await held()
    assert ((await held()).get_secret_value(), vendor.asked, len(keeper.stored)) == ("a1", ["r0"], 1)


async def test_who_is_cancelled_while_renewing_leaves_nothing_unstored() -> None:
    vendor = Vendor(HandClock(), ["r0"], rotates=True)
    reached, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(_tokens: SourceTokens) -> None:
        reached.set()
        await may_go_on.wait()

    keeper = WatchedKeeper(before=wait)
    asking = asyncio.create_task(token(vendor, keeper)())
    await reached.wait()
    asking.cancel()
    await asyncio.sleep(0)
    assert not asking.done()
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    stored = [each.refresh_token.get_secret_value() for each in keeper.stored if each.refresh_token is not None]
    assert stored == ["r1"]


async def test_of_a_store_that_somebody_else_was_first_to_that_one_counts() -> None:
    vendor = Vendor(HandClock(), ["r0"], rotates=False)
    theirs = SourceTokens(access_token=SecretStr("theirs"), refresh_token=SecretStr("r0"), generation=1)

    async def be_first(_tokens: SourceTokens) -> None:
        keeper.held["r0"] = theirs

    keeper = WatchedKeeper(before=be_first)
    assert ((await token(vendor, keeper)()).get_secret_value(), keeper.stored) == ("theirs", [])


async def test_refused_credentials_are_told_and_not_asked_again_and_again() -> None:
    vendor, keeper = Vendor(HandClock(), [], rotates=True), MemoryKeeper()
    held = token(vendor, keeper)
    with pytest.raises(SourceError, match="invalid_grant"):
        await held()
    assert (vendor.asked, keeper.refusals) == (["r0"], [0])


async def test_without_a_way_to_another_the_end_is_told() -> None:
    held = AccessToken(
        None, HandClock(), "Acme", access_token=SecretStr("a0"), ended=("It has ended.", "Give another.")
    )
    first = await held()
    held.forget(first)
    with pytest.raises(SourceError, match=r"It has ended\. Give another\."):
        await held()


async def test_a_token_that_the_vendor_hands_out_again_after_refusing_it_is_taken() -> None:
    clock = HandClock()

    async def renew(_refresh_token: SecretStr | None) -> SourceTokens:
        return SourceTokens(access_token=SecretStr("same"))

    for keeper in (None, MemoryKeeper()):
        held = AccessToken(renew, clock, "Acme", refresh_token=SecretStr("r0"), keeper=keeper)
        held.forget(await held())
        assert (await held()).get_secret_value() == "same"
