"""Tokens: ahead of time, one at a time, durable before use, and never two dead ends."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from counterfoil.quickbooks.online.access import (
    AccessTokens,
    ReconnectNeededError,
    TokenUnavailableError,
    first_generation,
)
from counterfoil.quickbooks.online.oauth import ClientRefusedError, GrantRefusedError, TokenEndpointError, TokenError
from counterfoil.secrets.tokens import TokenSet, TokenStoreError
from counterfoil.testing.tokens import MemoryRefreshLock, MemoryTokenStore
from counterfoil.testing.virtual_time import LoopClock, run_virtually
from support.seeded import SeededEntropy

HOUR = 3600.0


def token_set(generation: int, issued: datetime, *, refresh: str = "RT1-first", seconds: float = HOUR) -> TokenSet:
    return TokenSet(
        access_token=SecretStr(f"access {generation}"),
        refresh_token=SecretStr(refresh),
        access_expires_at=issued + timedelta(seconds=seconds),
        refresh_expires_at=issued + timedelta(days=100),
        generation=generation,
    )


class Intuit:
    """Refreshes as Intuit does: a changed refresh token kills the one before."""

    def __init__(self) -> None:
        self.alive = "RT1-first"
        self.calls = 0
        self.trouble: list[TokenError] = []
        self.delay = 0.2

    async def refresh(self, refresh_token: SecretStr, *, generation: int) -> TokenSet:
        self.calls += 1
        await asyncio.sleep(self.delay / 2)
        if self.trouble:
            raise self.trouble.pop(0)
        if refresh_token.get_secret_value() != self.alive:
            raise GrantRefusedError("invalid_grant")
        self.alive = f"RT1-{self.calls}"
        await asyncio.sleep(self.delay / 2)
        return token_set(generation, LoopClock().now(), refresh=self.alive)


class ShakyStore(MemoryTokenStore):
    """Refuses to store a number of times."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.away = False

    async def get(self, company: int) -> TokenSet | None:
        if self.away:
            raise TokenStoreError("the vault is away.")
        return await super().get(company)

    async def compare_and_set(self, company: int, expected_generation: int, tokens: TokenSet) -> bool:
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        return await super().compare_and_set(company, expected_generation, tokens)


class World:
    """One connection, seen by any number of processes."""

    def __init__(self) -> None:
        self.intuit = Intuit()
        self.store = ShakyStore()
        self.lock = MemoryRefreshLock()
        self.steps: list[str] = []

    async def connected(self, seconds: float = HOUR) -> AccessTokens:
        await self.store.compare_and_set(7, 0, token_set(1, LoopClock().now(), seconds=seconds))
        return self.process()

    def process(self, on_step: Callable[[str], None] | None = None) -> AccessTokens:
        return AccessTokens(
            7,
            endpoint=self.intuit,
            store=self.store,
            lock=self.lock,
            clock=LoopClock(),
            entropy=SeededEntropy(4),
            on_step=on_step or self.steps.append,
        )

    async def stored(self) -> TokenSet:
        tokens = await self.store.get(7)
        assert tokens is not None
        return tokens


def test_a_token_is_refreshed_ten_minutes_ahead_and_stored_first() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected()
        assert (await tokens.token()).generation == 1
        await asyncio.sleep(HOUR - 600 - 120 - 1)
        assert (await tokens.token()).generation == 1
        await asyncio.sleep(121)
        fresh = await tokens.token()
        assert (fresh.generation, world.intuit.calls) == (2, 1)
        assert fresh == await world.stored()
        assert world.steps == ["token.locked", "token.answered", "token.saved"]

    run_virtually(main())


def test_refreshing_goes_on_hour_after_hour() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected()
        for hour in range(1, 6):
            assert (await tokens.token()).generation == hour
            await asyncio.sleep(HOUR)
        assert world.intuit.calls == 4

    run_virtually(main())


def test_many_callers_and_many_processes_refresh_once() -> None:
    async def main() -> None:
        world = World()
        processes = [await world.connected(seconds=60), world.process(), world.process()]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(process.token()) for process in processes for _ in range(20)]
        assert {2} == {task.result().generation for task in tasks}
        assert world.intuit.calls == 1

    run_virtually(main())


def test_a_rejected_token_is_replaced_once_for_all_who_used_it() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected()
        rejected = await tokens.token()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(tokens.token_after_rejection(rejected)) for _ in range(5)]
        assert {2} == {task.result().generation for task in tasks}
        assert world.intuit.calls == 1

    run_virtually(main())


def test_a_dead_grant_asks_for_a_person_until_new_tokens_are_stored() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected(seconds=60)
        world.intuit.alive = "RT1-revoked-elsewhere"
        for _ in range(3):
            with pytest.raises(ReconnectNeededError, match="company 7"):
                await tokens.token()
        assert (world.intuit.calls, tokens.reconnect_needed) == (1, True)
        consent = token_set(1, LoopClock().now(), refresh="RT1-new")
        stored = await world.stored()
        assert await world.store.compare_and_set(7, stored.generation, first_generation(consent, stored))
        assert (await tokens.token()).generation == 2
        assert not tokens.reconnect_needed

    run_virtually(main())


def test_a_new_consent_after_a_disconnection_is_seen_although_generations_begin_anew() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected(seconds=60)
        world.intuit.alive = "RT1-other"
        with pytest.raises(ReconnectNeededError):
            await tokens.token()
        await world.store.delete(7)
        with pytest.raises(ReconnectNeededError):
            await tokens.token()
        await world.store.compare_and_set(7, 0, token_set(1, LoopClock().now(), refresh="RT1-other"))
        assert (await tokens.token()).refresh_token.get_secret_value() == "RT1-other"

    run_virtually(main())


def test_a_worker_without_our_lock_that_rotated_first_is_believed() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected(seconds=60)

        async def intruder() -> None:
            await asyncio.sleep(0.05)
            world.intuit.alive = "RT1-intruder"
            await world.store.compare_and_set(7, 1, token_set(2, LoopClock().now(), refresh="RT1-intruder"))

        async with asyncio.TaskGroup() as group:
            group.create_task(intruder())
            fresh = await tokens.token()
        assert fresh.refresh_token.get_secret_value() == "RT1-intruder"
        assert fresh == await world.stored()

    run_virtually(main())


def test_trouble_ahead_of_expiry_is_waited_out_with_the_old_token() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected(seconds=300)
        world.intuit.trouble = [TokenEndpointError("HTTP 503") for _ in range(3)]
        for _ in range(20):
            assert (await tokens.token()).generation == 1
        assert world.intuit.calls == 1  # the others fell into the pause
        await asyncio.sleep(280)
        for _ in range(2):
            with pytest.raises(TokenUnavailableError) as unavailable:
                await tokens.token()
            assert 0 < unavailable.value.retry_after_seconds <= 375
            await asyncio.sleep(unavailable.value.retry_after_seconds)
        fresh = await tokens.token()
        assert (fresh.generation, world.intuit.calls) == (2, 4)

    run_virtually(main())


def test_a_new_token_that_cannot_be_stored_is_not_used_and_not_lost() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected(seconds=10)
        world.store.failures = 3
        with pytest.raises(TokenUnavailableError, match="could not be stored"):
            await tokens.token()
        assert (await world.stored()).generation == 1
        await asyncio.sleep(10)
        fresh = await tokens.token()
        # Stored at last, without asking Intuit again: the token before was dead by then.
        assert (fresh.generation, world.intuit.calls) == (2, 1)
        assert fresh == await world.stored()

    run_virtually(main())


def test_a_cancelled_caller_leaves_no_half_done_refresh() -> None:
    async def main() -> None:
        for moment in (0.01, 0.11, 0.19):
            world = World()
            tokens = await world.connected(seconds=60)
            caller = asyncio.create_task(tokens.token())
            await asyncio.sleep(moment)
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            stored = await world.stored()
            assert (2, world.intuit.alive) == (stored.generation, stored.refresh_token.get_secret_value())

    run_virtually(main())


def test_wrong_app_keys_are_said_so_and_not_tried_all_the_time() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected(seconds=20)
        world.intuit.trouble = [ClientRefusedError("wrong keys")]
        with pytest.raises(ClientRefusedError):
            await tokens.token()
        with pytest.raises(TokenUnavailableError):
            await tokens.token()
        assert world.intuit.calls == 1

    run_virtually(main())


def test_a_company_that_was_never_connected_needs_a_person() -> None:
    async def main() -> None:
        with pytest.raises(ReconnectNeededError):
            await World().process().token()

    run_virtually(main())


def test_no_token_shows_in_a_text() -> None:
    tokens = token_set(1, datetime.fromisoformat("2026-11-01T00:00:00+00:00"))
    assert "access 1" not in f"{tokens} {tokens!r}"
    assert "RT1" not in f"{tokens} {tokens!r}"


def test_a_vault_that_is_away_is_waited_out_with_the_token_in_hand() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected(seconds=900)
        await tokens.token()
        world.store.away = True
        await asyncio.sleep(300)
        assert (await tokens.token()).generation == 1
        await asyncio.sleep(600)
        with pytest.raises(TokenUnavailableError, match="the vault is away"):
            await tokens.token()
        world.store.away = False
        await asyncio.sleep(60)
        assert (await tokens.token()).generation == 2

    run_virtually(main())


def test_an_idle_connection_is_kept_alive_before_its_window_ends() -> None:
    async def main() -> None:
        world = World()
        tokens = await world.connected()
        await tokens.keep_alive(days=50)
        assert world.intuit.calls == 0
        await asyncio.sleep(51 * 86_400)
        await tokens.keep_alive(days=50)
        assert world.intuit.calls == 1
        assert (await world.stored()).refresh_expires_at - LoopClock().now() > timedelta(days=99)
        await tokens.keep_alive(days=50)
        assert world.intuit.calls == 1

    run_virtually(main())


def test_realm_and_hard_end_stay_with_the_connection_when_a_refresh_does_not_say_them() -> None:
    async def main() -> None:
        world = World()
        end = LoopClock().now() + timedelta(days=1826)
        first = replace(token_set(1, LoopClock().now(), seconds=60), realm_id="9130", hard_expires_at=end)
        await world.store.compare_and_set(7, 0, first)
        fresh = await world.process().token()
        assert (fresh.generation, fresh.realm_id, fresh.hard_expires_at) == (2, "9130", end)

    run_virtually(main())


class Killed(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def kill_at(step: str) -> Callable[[str], None]:
    def on_step(name: str) -> None:
        if name == step:
            raise Killed

    return on_step


@pytest.mark.parametrize(
    ("step", "intuit_forgives", "survives"),
    [
        ("token.locked", False, True),
        ("token.answered", False, False),  # Intuit's rules as documented: the old token is dead
        ("token.answered", True, True),
        ("token.saved", False, True),
    ],
)
def test_what_a_kill_at_each_moment_of_a_rotation_leads_to(step: str, intuit_forgives: bool, survives: bool) -> None:
    async def main() -> None:
        world = World()
        await world.connected(seconds=60)
        first = world.process(kill_at(step))
        with pytest.raises(Killed):
            await first.token()
        if intuit_forgives:
            world.intuit.alive = "RT1-first"
        calls = world.intuit.calls
        second = world.process()
        if survives:
            assert (await second.token()).refresh_token.get_secret_value() == world.intuit.alive
            return
        for _ in range(3):
            with pytest.raises(ReconnectNeededError):
                await second.token()
        assert world.intuit.calls == calls + 1  # tried once, not again and again
        assert (await world.stored()).generation == 1
        consent = token_set(1, LoopClock().now(), refresh=world.intuit.alive)
        assert await world.store.compare_and_set(7, 1, first_generation(consent, await world.stored()))
        assert (await second.token()).generation == 2
        assert not second.reconnect_needed

    run_virtually(main())
