"""Every token store keeps the same rules; the real one on a real Postgres, with nothing readable in it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from aiobotocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from counterfoil.clock import SystemEntropy
from counterfoil.errors import ConfigurationError
from counterfoil.postgres import Names, Pool
from counterfoil.secrets.aws import AwsTokenStore, open_aws_store
from counterfoil.secrets.azure import AzureTokenStore
from counterfoil.secrets.envelope import MasterKeys, SealError, seal, unseal
from counterfoil.secrets.postgres import PostgresRefreshLock, PostgresTokenStore
from counterfoil.secrets.tokens import RefreshLock, TokenStore, TokenStoreError
from counterfoil.testing.tokens import MemoryRefreshLock, MemoryTokenStore
from support.aws import CREDENTIALS, REGION, secrets_manager
from support.key_vault import Credential, key_vault, vault_client
from support.ports import free_port
from support.postgres import Database
from support.seeded import SeededEntropy
from support.token_contract import TokenStoreContract, token_set

if TYPE_CHECKING:
    from types_aiobotocore_secretsmanager.client import SecretsManagerClient

KEYS = MasterKeys({"2026": bytes(range(32))})


def postgres_store(pool: Pool, names: Names, keys: MasterKeys = KEYS) -> PostgresTokenStore:
    return PostgresTokenStore(pool, names, keys=keys, entropy=SystemEntropy())


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    with secrets_manager() as url:
        yield url


def plain_client(url: str) -> AbstractAsyncContextManager["SecretsManagerClient"]:
    """AWS's own client, to look behind the store."""
    return get_session().create_client("secretsmanager", region_name=REGION, endpoint_url=url)


@asynccontextmanager
async def aws_store(url: str, monkeypatch: pytest.MonkeyPatch, prefix: str) -> AsyncIterator[AwsTokenStore]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    async with open_aws_store(region=REGION, endpoint_url=url, prefix=prefix, entropy=SystemEntropy()) as store:
        yield store


@pytest.fixture(params=["memory", "postgres", "aws", "azure"])
async def store(
    request: pytest.FixtureRequest, pool: Pool, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TokenStore]:
    match request.param:
        case "memory":
            yield MemoryTokenStore()
        case "postgres":
            yield postgres_store(pool, database.names)
        case "aws":
            async with aws_store(request.getfixturevalue("aws_url"), monkeypatch, database.name) as aws:
                yield aws
        case _:
            lock = PostgresRefreshLock(pool, database.names, purpose="vault")
            async with key_vault(tmp_path) as vault, vault_client(vault, Credential()) as client:
                yield AzureTokenStore(client, prefix="counterfoil", lock=lock)


@pytest.fixture(params=["memory", "postgres"])
def lock(request: pytest.FixtureRequest, pool: Pool, database: Database) -> RefreshLock:
    return MemoryRefreshLock() if request.param == "memory" else PostgresRefreshLock(pool, database.names)


class TestEveryStore(TokenStoreContract):
    """The shipped contract, over each of them."""


async def test_aws_that_is_away_and_a_foreign_secret_are_told_without_what_stands_in_them(
    aws_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aws_store(aws_url, monkeypatch, "foreign") as store, AsyncExitStack() as stack:
        await store.compare_and_set(7, 0, token_set(1))
        client = await stack.enter_async_context(plain_client(aws_url))
        await client.put_secret_value(SecretId="foreign/7", SecretString='{"company": 9, "access_token": "FOREIGN"}')
        with pytest.raises(TokenStoreError, match="does not hold tokens of this company") as foreign:
            await store.get(7)
        assert "FOREIGN" not in str(foreign.value)
    async with aws_store(f"http://127.0.0.1:{free_port()}", monkeypatch, "away") as away:
        with pytest.raises(TokenStoreError, match="EndpointConnectionError") as gone:
            await away.compare_and_set(7, 0, token_set(1))
        assert "REFRESH" not in str(gone.value)


async def test_key_vault_is_asked_without_the_secret_first_and_its_troubles_are_told(
    pool: Pool, database: Database, tmp_path: Path
) -> None:
    credential = Credential()
    lock = PostgresRefreshLock(pool, database.names, purpose="vault")
    async with key_vault(tmp_path) as vault, vault_client(vault, credential) as client:
        store = AzureTokenStore(client, prefix="counterfoil", lock=lock)
        await store.compare_and_set(7, 0, token_set(1))
        assert vault.challenged == [0]
        assert {"https://vault.azure.net/.default"} == set(credential.scopes)
        vault.trouble = [403]
        with pytest.raises(TokenStoreError, match="HTTP 403"):
            await store.get(7)
        vault.secrets["counterfoil-8"] = vault.secrets["counterfoil-7"]
        with pytest.raises(TokenStoreError, match="counterfoil-8 does not hold tokens of this company"):
            await store.get(8)


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
    await postgres_store(pool, database.names).compare_and_set(7, 0, token_set(1))
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
    await store.compare_and_set(7, 0, token_set(1))
    await admin_pool.execute(tampering)
    with pytest.raises(SealError):
        await store.get(8 if "company" in tampering else 7)


async def test_a_new_master_key_seals_and_the_old_one_still_opens(pool: Pool, database: Database) -> None:
    old = MasterKeys.from_secret(SecretStr("2025:" + "AAAA" * 10 + "AAA="))
    both = MasterKeys.from_secret(SecretStr("2026:" + "AQEB" * 10 + "AQE=, 2025:" + "AAAA" * 10 + "AAA="))
    await postgres_store(pool, database.names, old).compare_and_set(7, 0, token_set(1))
    assert token_set(1) == await postgres_store(pool, database.names, both).get(7)
    await postgres_store(pool, database.names, both).compare_and_set(7, 1, token_set(2))
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
