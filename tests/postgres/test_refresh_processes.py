"""Many processes with one connection: one of them refreshes, under a lock that Postgres keeps."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from counterfoil.clock import SystemEntropy
from counterfoil.postgres import Pool
from counterfoil.secrets.envelope import MasterKeys
from counterfoil.secrets.postgres import PostgresTokenStore
from counterfoil.secrets.tokens import TokenSet
from support.postgres import Database
from support.processes import running_script
from support.quickbooks_emulator import EmulatorProcess, emulator_process

PROCESSES = 4
ROUNDS = 3
SCRIPT = """
import asyncio, json, sys
from datetime import UTC, datetime
from pydantic import SecretStr
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.postgres import Names, create_pool
from counterfoil.quickbooks.online.access import AccessTokens
from counterfoil.quickbooks.online.oauth import ClientCredentials, TokenEndpoint
from counterfoil.quickbooks.online.transport import open_session
from counterfoil.secrets.envelope import MasterKeys
from counterfoil.secrets.postgres import PostgresRefreshLock, PostgresTokenStore

async def main():
    given = json.loads(sys.argv[1])
    clock, entropy = SystemClock(), SystemEntropy()
    pool = await create_pool(SecretStr(given["dsn"]), Names(), application_name="refreshing")
    async with open_session() as http:
        credentials = ClientCredentials(given["client_id"], SecretStr(given["client_secret"]))
        access = AccessTokens(
            7,
            endpoint=TokenEndpoint(http, credentials, clock=clock, grant_url=given["token_url"]),
            store=PostgresTokenStore(pool, Names(), keys=MasterKeys({"2026": bytes(range(32))}), entropy=entropy),
            lock=PostgresRefreshLock(pool, Names()),
            clock=clock,
            entropy=entropy,
        )
        print(json.dumps({"ready": 1}), flush=True)
        rejected = None
        for line in iter(lambda: sys.stdin.readline().strip(), ""):
            tokens = await (access.token() if rejected is None else access.token_after_rejection(rejected))
            rejected = tokens
            print(json.dumps({"generation": tokens.generation}), flush=True)
    await pool.close()

asyncio.run(main())
"""


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


async def test_of_many_processes_one_refreshes(database: Database, pool: Pool, emulator: EmulatorProcess) -> None:
    """In each round all of them find their token expired or rejected, while Intuit changes the refresh token."""
    store = PostgresTokenStore(
        pool, database.names, keys=MasterKeys({"2026": bytes(range(32))}), entropy=SystemEntropy()
    )
    past = datetime.now(UTC) - timedelta(hours=1)
    first = TokenSet(SecretStr("expired"), SecretStr(emulator["refresh_token"]), past, past + timedelta(days=100), 1)
    await store.compare_and_set(7, 0, first)
    given = {
        "dsn": database.engine_dsn.get_secret_value(),
        "client_id": emulator["client_id"],
        "client_secret": emulator["client_secret"],
        "token_url": f"{emulator['base_url']}/oauth2/v1/tokens/bearer",
    }
    with ExitStack() as stack:
        scripts = [stack.enter_context(running_script(SCRIPT, [json.dumps(given)])) for _ in range(PROCESSES)]
        for script in scripts:
            script.line()
        for round_number in range(1, ROUNDS + 1):
            emulator.control("/oauth", {"rotate": True})
            for script in scripts:
                assert script.process.stdin is not None
                script.process.stdin.write("go\n")
                script.process.stdin.flush()
            assert {script.line()["generation"] for script in scripts} == {round_number + 1}
        assert [script.finish() for script in scripts] == [0] * PROCESSES
    stored = await store.get(7)
    assert stored is not None
    assert (stored.generation, emulator.control("/stats")["token_refreshes"]) == (ROUNDS + 1, ROUNDS)
