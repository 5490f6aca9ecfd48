"""A new master key: everything goes under it row by row, and opens at every moment on the way."""

import base64
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.keys import token_keys
from counterfoil.log import KeyringError, MasterKey, PostgresKeyring
from counterfoil.postgres import Pool
from counterfoil.rotation import Rotated, rotate
from counterfoil.secrets import PostgresSourceTokens, PostgresTokenStore
from counterfoil.secrets.envelope import MasterKeys, Origin, SealError
from counterfoil.secrets.source_tokens import origin_of
from support.postgres import Database
from support.token_contract import token_set

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = base64.b64encode(bytes(range(1, 33))).decode()
SOURCES = {"gusto": b"of gusto", "hubspot": b"of hubspot"}
PEOPLE = [f"hubspot:contact:{number}" for number in range(5)]


class Killed(BaseException):
    """Stands for SIGKILL."""


def keyring(pool: Pool, database: Database, key: str) -> PostgresKeyring:
    entropy = SystemEntropy()
    return PostgresKeyring(
        pool, database.names, MasterKey(SecretStr(key), entropy), clock=SystemClock(), entropy=entropy
    )


def store(pool: Pool, database: Database, key: str) -> PostgresTokenStore:
    return PostgresTokenStore(pool, database.names, keys=token_keys(SecretStr(key)), entropy=SystemEntropy())


def source_store(pool: Pool, database: Database, key: str) -> PostgresSourceTokens:
    keys, entropy = token_keys(SecretStr(key)), SystemEntropy()
    return PostgresSourceTokens(pool, database.names, keys=keys, clock=SystemClock(), entropy=entropy)


def origin(connection: str) -> Origin:
    return origin_of(7, connection, SecretStr("as configured"))


async def turn(pool: Pool, database: Database, step: Callable[[str], None]) -> Rotated:
    secret, entropy = SecretStr(f"{NEW},{OLD}"), SystemEntropy()
    return await rotate(
        pool,
        database.names,
        master=MasterKey(secret, entropy),
        token_keys=token_keys(secret),
        entropy=entropy,
        step=step,
    )


async def all_opens(pool: Pool, database: Database, key: str) -> bool:
    ring = keyring(pool, database, key)
    found = [await ring.opening_key(7, f"person/{person}/1") for person in PEOPLE[1:]]
    assert await ring.opening_key(7, f"person/{PEOPLE[0]}/1") is None
    tokens = [await store(pool, database, key).get(company) for company in (7, 8)]
    assert tokens == [token_set(1), token_set(1, "other")]
    for connection, secret in SOURCES.items():
        assert await source_store(pool, database, key).get(7, origin(connection)) == (1, secret)
    return None not in found


async def test_a_rotation_killed_after_any_row_is_taken_up_again(pool: Pool, database: Database) -> None:
    ring = keyring(pool, database, OLD)
    for person in PEOPLE:
        await ring.sealing_key(7, f"person/{person}")
    assert await ring.destroy(7, PEOPLE[0]) == 1
    for company, name in ((7, "a"), (8, "other")):
        await store(pool, database, OLD).compare_and_set(company, 0, token_set(1, name))
    for connection, secret in SOURCES.items():
        assert await source_store(pool, database, OLD).put(7, origin(connection), 1, secret, None)
    rows = len(PEOPLE) - 1 + 2 + len(SOURCES)
    for _ in range(rows - 1):

        def kill(_: str) -> None:
            raise Killed

        with pytest.raises(Killed):
            await turn(pool, database, kill)
        assert await all_opens(pool, database, f"{NEW},{OLD}")
    rest = await turn(pool, database, lambda _: None)
    assert rest == Rotated(1, 0, 0)
    assert await all_opens(pool, database, NEW)
    assert await turn(pool, database, lambda _: None) == Rotated(0, 0, 0)
    with pytest.raises(SealError):
        await store(pool, database, OLD).get(7)
    with pytest.raises(SealError):
        await source_store(pool, database, OLD).get(7, origin("gusto"))
    with pytest.raises(KeyringError):
        await keyring(pool, database, OLD).opening_key(7, f"person/{PEOPLE[1]}/1")


async def test_tokens_that_the_first_release_sealed_still_open_and_go_under_the_new_key(
    pool: Pool, database: Database
) -> None:
    first_release = MasterKeys({"master": base64.b64decode(OLD)})
    entropy = SystemEntropy()
    await PostgresTokenStore(pool, database.names, keys=first_release, entropy=entropy).compare_and_set(
        7, 0, token_set(1)
    )
    assert await store(pool, database, OLD).get(7) == token_set(1)
    assert await turn(pool, database, lambda _: None) == Rotated(0, 1, 0)
    assert await store(pool, database, NEW).get(7) == token_set(1)
