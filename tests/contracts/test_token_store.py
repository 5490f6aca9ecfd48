"""Every token store keeps the same rules; the real one on a real Postgres, with nothing readable in it."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from counterfoil.clock import SystemEntropy
from counterfoil.errors import ConfigurationError
from counterfoil.postgres import Names, Pool
from counterfoil.secrets.envelope import MasterKeys, SealError, seal, unseal
from counterfoil.secrets.postgres import PostgresRefreshLock, PostgresTokenStore
from counterfoil.secrets.tokens import RefreshLock, TokenSet, TokenStore
from counterfoil.testing.tokens import MemoryRefreshLock, MemoryTokenStore
from support.postgres import Database
from support.seeded import SeededEntropy

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
KEYS = MasterKeys({"2026": bytes(range(32))})


def tokens(generation: int, name: str = "a") -> TokenSet:
    return TokenSet(
        SecretStr(f"ACCESS-{name}-{generation}"),
        SecretStr(f"REFRESH-{name}-{generation}"),
        AT + timedelta(hours=generation),
        AT + timedelta(days=100, microseconds=generation),
        generation,
    )


def postgres_store(pool: Pool, names: Names, keys: MasterKeys = KEYS) -> PostgresTokenStore:
    return PostgresTokenStore(pool, names, keys=keys, entropy=SystemEntropy())


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, pool: Pool, database: Database) -> TokenStore:
    return MemoryTokenStore() if request.param == "memory" else postgres_store(pool, database.names)


@pytest.fixture(params=["memory", "postgres"])
def lock(request: pytest.FixtureRequest, pool: Pool, database: Database) -> RefreshLock:
    return MemoryRefreshLock() if request.param == "memory" else PostgresRefreshLock(pool, database.names)


async def test_what_was_stored_comes_back(store: TokenStore) -> None:
    assert await store.get(7) is None
    assert await store.compare_and_set(7, 0, tokens(1))
    assert tokens(1) == await store.get(7)
    assert await store.compare_and_set(7, 1, tokens(2))
    assert tokens(2) == await store.get(7)
    assert await store.get(8) is None


async def test_only_the_expected_generation_is_replaced(store: TokenStore) -> None:
    assert not await store.compare_and_set(7, 3, tokens(4))
    assert await store.compare_and_set(7, 0, tokens(1))
    assert not await store.compare_and_set(7, 0, tokens(1, "other"))
    assert not await store.compare_and_set(7, 2, tokens(3))
    assert tokens(1) == await store.get(7)
    with pytest.raises(ValueError, match="does not follow"):
        await store.compare_and_set(7, 1, tokens(3))


async def test_of_many_at_once_one_wins(store: TokenStore) -> None:
    for expected in range(3):
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(store.compare_and_set(7, expected, tokens(expected + 1, str(n)))) for n in range(8)
            ]
        winners = [n for n, task in enumerate(tasks) if task.result()]
        assert len(winners) == 1
        assert tokens(expected + 1, str(winners[0])) == await store.get(7)


async def test_what_was_deleted_is_gone_and_begins_anew(store: TokenStore) -> None:
    await store.compare_and_set(7, 0, tokens(1))
    await store.delete(7)
    await store.delete(7)
    assert await store.get(7) is None
    assert await store.compare_and_set(7, 0, tokens(1))


async def test_one_holder_at_a_time_and_others_undisturbed(lock: RefreshLock) -> None:
    holders = 0
    most = 0

    async def work(company: int) -> None:
        nonlocal holders, most
        async with lock.hold(company):
            holders += company == 7
            most = max(most, holders)
            await asyncio.sleep(0.01)
            holders -= company == 7

    async with asyncio.TaskGroup() as group:
        for company in (7, 7, 8, 7, 7, 9):
            group.create_task(work(company))
    assert most == 1


async def test_a_cancelled_holder_leaves_no_lock(lock: RefreshLock) -> None:
    for _ in range(3):
        entered = asyncio.Event()

        async def work(entered: asyncio.Event) -> None:
            async with lock.hold(7):
                entered.set()
                await asyncio.sleep(60)

        holder = asyncio.create_task(work(entered))
        await entered.wait()
        waiter = asyncio.create_task(work(asyncio.Event()))
        await asyncio.sleep(0.05)
        for task in (waiter, holder):
            task.cancel()
        await asyncio.gather(holder, waiter, return_exceptions=True)
    async with asyncio.timeout(10), lock.hold(7):
        pass


async def test_two_processes_share_the_lock_and_a_dead_one_frees_it(pool: Pool, database: Database) -> None:
    other = await asyncpg.connect(database.engine_dsn.get_secret_value())
    await other.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", "counterfoil_state.tokens:7")
    lock = PostgresRefreshLock(pool, database.names)

    async def work() -> None:
        async with lock.hold(7):
            pass

    waiting = asyncio.create_task(work())
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    other.terminate()
    async with asyncio.timeout(10):
        await waiting


async def test_nothing_readable_lies_in_the_database(pool: Pool, admin_pool: Pool, database: Database) -> None:
    await postgres_store(pool, database.names).compare_and_set(7, 0, tokens(1))
    row = await admin_pool.fetchrow("SELECT * FROM counterfoil_state.tokens")
    assert row is not None
    everything = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    assert b"ACCESS" not in everything
    assert b"REFRESH" not in everything


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE counterfoil_state.tokens SET company = 8",
        "UPDATE counterfoil_state.tokens SET generation = 9",
        "UPDATE counterfoil_state.tokens SET master_key = 'other'",
        "UPDATE counterfoil_state.tokens SET master_key = 'unknown'",
        "UPDATE counterfoil_state.tokens SET format_version = 2",
        "UPDATE counterfoil_state.tokens SET ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)",
        "UPDATE counterfoil_state.tokens SET wrapped_key = substr(wrapped_key, 1, 5)",
        "UPDATE counterfoil_state.tokens SET ciphertext = ''",
    ],
)
async def test_a_row_that_was_tampered_with_does_not_open(
    tampering: str, pool: Pool, admin_pool: Pool, database: Database
) -> None:
    keys = MasterKeys({"2026": bytes(32), "other": bytes(range(32))})
    store = postgres_store(pool, database.names, keys)
    await store.compare_and_set(7, 0, tokens(1))
    await admin_pool.execute(tampering)
    with pytest.raises(SealError):
        await store.get(8 if "company" in tampering else 7)


async def test_a_new_master_key_seals_and_the_old_one_still_opens(pool: Pool, database: Database) -> None:
    old = MasterKeys.from_secret(SecretStr("2025:" + "AAAA" * 10 + "AAA="))
    both = MasterKeys.from_secret(SecretStr("2026:" + "AQEB" * 10 + "AQE=, 2025:" + "AAAA" * 10 + "AAA="))
    await postgres_store(pool, database.names, old).compare_and_set(7, 0, tokens(1))
    assert tokens(1) == await postgres_store(pool, database.names, both).get(7)
    await postgres_store(pool, database.names, both).compare_and_set(7, 1, tokens(2))
    with pytest.raises(SealError, match="2026"):
        await postgres_store(pool, database.names, old).get(7)


@pytest.mark.parametrize("text", ["", "x", "x:", "x:AAAA", "x:%%%%", ":" + "AAAA" * 10 + "AAA=", "a:b:c"])
def test_master_keys_of_another_form_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        MasterKeys.from_secret(SecretStr(text))
    assert "AAAA" not in str(refused.value)


@given(st.binary(), st.integers(1, 2**62), st.integers(1, 2**62), st.integers())
def test_a_seal_opens_for_its_company_and_generation_only(
    secret: bytes, company: int, generation: int, seed: int
) -> None:
    sealed = seal(secret, company=company, generation=generation, keys=KEYS, entropy=SeededEntropy(seed))
    assert secret == unseal(sealed, company=company, generation=generation, keys=KEYS)
    for other_company, other_generation in ((company + 1, generation), (company, generation + 1)):
        with pytest.raises(SealError):
            unseal(sealed, company=other_company, generation=other_generation, keys=KEYS)
