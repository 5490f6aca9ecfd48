"""Tokens against the emulator: renewal in the middle of a reading, and storing before using."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from counterfoil.sources import Seen, SourceError, SourceTokens
from support.gusto import employees, gusto
from support.sources import WatchedKeeper


async def test_a_token_that_ends_between_two_pages_is_renewed() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(150)})
        keeper = WatchedKeeper()

        source = company.source(keeper=keeper)
        found: list[Seen] = []
        async for page in source.changes("employee", None):
            found.extend(change for change in page.changes if isinstance(change, Seen))
            await company.control("/faults", {"kind": "expire_tokens"})

        assert (len(found), len(keeper.stored)) == (150, 1)


async def test_the_new_pair_is_stored_before_it_is_used() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        await company.control("/faults", {"kind": "expire_tokens"})
        alive: list[int] = []

        async def look(_tokens: SourceTokens) -> None:
            # Using the new access token would have revoked the old refresh token: both must still be alive.
            alive.append(company.emulator.tokens.live_refresh_tokens())

        await company.source(keeper=WatchedKeeper(before=look)).read("employee", "e0")

        assert (alive, company.emulator.tokens.live_refresh_tokens()) == ([2], 1)


async def test_a_pair_that_could_not_be_stored_is_not_used_and_the_old_one_still_serves() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        await company.control("/faults", {"kind": "expire_tokens"})

        async def fail(_tokens: SourceTokens) -> None:
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await company.source(keeper=WatchedKeeper(before=fail)).read("employee", "e0")

        assert len(await company.source().read("employee", "e0")) == 1


async def test_a_token_near_its_end_is_renewed_ahead() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        keeper = WatchedKeeper()

        source = company.source({"access_token": None}, keeper)
        await source.read("employee", "e0")
        await company.control("/clock", {"advance_seconds": 7200 - 299})
        await source.read("employee", "e0")

        assert len(keeper.stored) == 2
        ends = [tokens.expires_at for tokens in keeper.stored if tokens.expires_at is not None]
        assert ends[1] - ends[0] > timedelta(seconds=7200 - 299)


async def test_many_readers_renew_once() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        keeper = WatchedKeeper()

        source = company.source({"access_token": None}, keeper)
        await asyncio.gather(*(source.read("employee", "e0") for _ in range(20)))

        assert len(keeper.stored) == 1


async def test_the_stored_pair_wins_over_the_settings() -> None:
    async with gusto() as company:
        await company.control("/load", {"employees": employees(1)})
        ready = company.emulator.ready()
        pair = SourceTokens(
            access_token=SecretStr(ready["access_token"]),
            refresh_token=SecretStr(ready["refresh_token"]),
            expires_at=company.clock.now() + timedelta(hours=1),
            generation=1,
        )

        source = company.source({"access_token": "old", "refresh_token": "revoked"}, WatchedKeeper({"revoked": pair}))

        assert len(await source.read("employee", "e0")) == 1


async def test_a_revoked_refresh_token_asks_for_a_new_connection() -> None:
    async with gusto() as company:
        source = company.source({"access_token": None, "refresh_token": "given-4711"})

        with pytest.raises(SourceError, match=r"invalid_grant.*Connect the company") as refused:
            await source.read("employee", "e0")

        assert refused.value.retry_after is None
        assert "given-4711" not in str(refused.value)


async def test_a_fixed_token_that_ended_says_what_is_missing() -> None:
    async with gusto() as company:
        await company.control("/faults", {"kind": "expire_tokens"})
        source = company.source({"refresh_token": None, "client_id": None, "client_secret": None})

        with pytest.raises(SourceError, match="no refresh token"):
            await source.read("employee", "e0")
