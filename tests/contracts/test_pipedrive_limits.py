"""Pipedrive's token budget and burst limit, and the tokens of OAuth apps."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from counterfoil.clock import SystemClock
from counterfoil.emulating import ShiftedClock
from counterfoil.sources.port import Seen, SourceError, WriteBack
from counterfoil_adapters.pipedrive.budget import BudgetSpentError, TokenBudget
from support.hubspot import HastyClock
from support.pipedrive import Account, account, deal, flat, organization, pages
from support.sources import WatchedKeeper


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account() as fresh:
        yield fresh


async def test_each_kind_of_call_costs_what_pipedrive_says() -> None:
    async with account(limits=True) as held:
        await held.load(deals=[deal(1)])
        costs = {
            ("GET", "/api/v2/deals/1"): 1,
            ("GET", "/api/v2/deals"): 10,
            ("GET", "/api/v2/deals/products?deal_ids=1"): 10,
            ("GET", "/api/v2/dealFields"): 10,
            ("GET", "/api/v2/stages"): 5,
            ("GET", "/v1/users/me"): 2,
            ("PATCH", "/api/v2/deals/1"): 5,
            ("DELETE", "/api/v2/deals/1"): 3,
        }
        found = {}
        for method, path in costs:
            before = held.emulator.limits.spent
            status, _ = await held.api(method, path, {} if method == "PATCH" else None)
            assert status == 200, path
            found[method, path] = held.emulator.limits.spent - before
    assert found == costs


async def test_the_adapter_knows_what_is_left() -> None:
    async with account(limits=True, daily=1_000, burst=1_000) as held:
        await held.load(organizations=[organization(1)])
        source = held.source()
        assert source.budget().left is None
        await pages(source, "organization")
        left = source.budget()
    assert (left.limit, left.left, left.spent_here) == (1_000, 990, 10)
    assert timedelta() < left.resets_at - held.clock.now() <= timedelta(days=1)


async def test_polls_stop_before_write_back_lacks_tokens() -> None:
    async with account(limits=True, daily=100, burst=1_000) as held:
        await held.load(deals=[deal(1)], organizations=[organization(number) for number in range(1, 30)])
        source = held.source(page_rows=2, reserve_tokens=50)
        with pytest.raises(BudgetSpentError) as told:
            await pages(source, "organization")
        assert "of 100 left" in told.value.message
        assert told.value.retry_after is not None
        assert 0 < told.value.retry_after <= 3_600
        spent = held.emulator.limits.spent
        request = WriteBack(kind="deal", source_id="1", values={"qbo_number": "7"}, request_id="r-1")
        assert (await source.write_back(request)).outcome == "accepted"
    assert spent <= 80
    assert held.emulator.limits.refused == 0


async def test_a_spent_budget_is_not_knocked_at_again() -> None:
    async with account(limits=True, daily=15, burst=1_000) as held:
        await held.load(organizations=[organization(number) for number in range(1, 9)])
        with pytest.raises(SourceError) as told:
            await pages(held.source(page_rows=2, reserve_tokens=0), "organization")
        assert told.value.retry_after is not None
        assert told.value.retry_after > 60
        # Of another adapter, which does not know yet: one refused call, and no wait for the day to end.
        calls = held.calls()
        held.emulator.limits.spent = 15
        with pytest.raises(SourceError) as told:
            await pages(held.source(reserve_tokens=0), "organization")
        assert held.calls() == calls + 1
        assert told.value.retry_after is not None
        assert told.value.retry_after > 60
        assert held.clock.waits == []


@dataclass
class SharedClock(HastyClock):
    """Waiting lets the emulator's time pass."""

    shared: ShiftedClock | None = None

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.shared is not None:
            self.shared.advance(seconds)


async def test_a_burst_is_waited_out_as_the_answer_says() -> None:
    async with account(limits=True, burst=4) as held:
        await held.load(organizations=[organization(number) for number in range(1, 8)])
        held.clock = SharedClock(shared=held.emulator.clock)
        found = flat(await pages(held.source(page_rows=1), "organization"))
    assert len(found) == 7
    assert held.emulator.limits.refused >= 1
    assert all(1 <= wait < 4 for wait in held.clock.waits)


async def test_the_pace_keeps_below_the_burst_limit() -> None:
    async with account(limits=True, burst=20) as held:
        await held.load(organizations=[organization(number) for number in range(1, 16)])
        assert len(flat(await pages(held.source(page_rows=1, calls_per_2_seconds=20), "organization"))) == 15
    assert held.emulator.limits.refused == 0


def test_a_budget_fills_up_at_midnight_and_is_probed_before() -> None:
    clock = ShiftedClock(SystemClock())
    clock.set(datetime(2026, 11, 2, 9, tzinfo=UTC))
    budget = TokenBudget(clock, daily=20, reserve=0)
    budget.spend(20, urgent=False)
    with pytest.raises(BudgetSpentError):
        budget.spend(1, urgent=True)
    clock.advance(3_601)
    budget.spend(1, urgent=True)  # once an hour: the server's midnight may not be ours
    with pytest.raises(BudgetSpentError):
        budget.spend(1, urgent=True)
    clock.advance(86_400)
    assert budget.state().left == 20
    budget.spend(10, urgent=False)
    assert (budget.state().left, budget.state().spent_here) == (10, 10)


async def test_refresh_tokens_roll_on_and_are_kept(held: Account) -> None:
    await held.load(organizations=[organization(1)])
    keeper = WatchedKeeper()
    first = held.emulator.tokens.refresh_token
    for expected in (1, 2):
        source = held.oauth(tokens=keeper, refresh_token=first)
        assert [c.source_id for c in flat(await pages(source, "organization")) if isinstance(c, Seen)] == ["1"]
        assert len(keeper.stored) == expected
        kept = keeper.held[first]
        assert kept.refresh_token is not None
        assert kept.refresh_token.get_secret_value() == held.emulator.tokens.refresh_token != first
        held.emulator.clock.advance(3_700)  # the access token ends; a new process holds the first refresh token only
        keeper.held[first] = replace(kept, access_token=None, expires_at=None)


async def test_the_company_s_address_comes_with_the_token(held: Account) -> None:
    await held.load(organizations=[organization(1)])
    source = held.oauth(base_url="http://127.0.0.1:9", oauth_url=held.emulator.base_url)
    assert len(flat(await pages(source, "organization"))) == 1


async def test_tokens_go_to_no_stranger_s_address(held: Account) -> None:
    held.emulator.base_url, elsewhere = "http://192.0.2.1", held.emulator.base_url
    source = held.oauth(base_url=elsewhere, oauth_url=elsewhere)
    with pytest.raises(SourceError) as told:
        await pages(source, "organization")
    assert "no address of Pipedrive's" in told.value.message
    held.emulator.base_url = "https://other.pipedrive.com"
    with pytest.raises(SourceError) as told:
        await pages(held.oauth(base_url=elsewhere, oauth_url=elsewhere, company_domain="acme"), "organization")
    assert "other.pipedrive.com" in told.value.message


async def test_an_access_token_that_ends_early_is_renewed_once(held: Account) -> None:
    await held.load(organizations=[organization(number) for number in range(1, 5)])
    source = held.oauth()
    await pages(source, "organization")
    held.emulator.tokens.ends = 0.0
    assert len(flat(await pages(source, "organization"))) == 4
    assert held.clock.waits == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"refresh_token": "spent"}, "invalid_grant"), ({"client_secret": "wrong"}, "invalid_client")],
)
async def test_refused_credentials_are_told_in_pipedrive_s_words(
    held: Account, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(SourceError) as told:
        await pages(held.oauth(**settings), "organization")
    assert says in told.value.message
    assert told.value.retry_after is None
    assert "wrong" not in str(told.value)


@pytest.mark.parametrize(
    ("missing", "kind", "named"),
    [
        ({"contacts:full"}, "organization", "contacts:read"),
        ({"products:full"}, "product", "products:read"),
        ({"deals:full", "deal-fields:full"}, "deal", "deals:read"),
    ],
)
async def test_a_missing_scope_is_named(missing: set[str], kind: str, named: str) -> None:
    scopes = frozenset({"deals:full", "contacts:full", "products:full", "deal-fields:full"}) - missing
    async with account(scopes=scopes) as held:
        with pytest.raises(SourceError) as told:
            await pages(held.oauth(), kind)
    assert "Scope and URL mismatch" in told.value.message
    assert named in told.value.remedy


async def test_a_scope_that_reads_only_is_named_by_write_back() -> None:
    async with account(scopes=frozenset({"deals:read", "deal-fields:full"})) as held:
        await held.load(deals=[deal(1)])
        request = WriteBack(kind="deal", source_id="1", values={"qbo_number": "7"}, request_id="r-1")
        result = await held.oauth().write_back(request)
    assert (result.outcome, "deals:full" in result.fix) == ("rejected", True)
