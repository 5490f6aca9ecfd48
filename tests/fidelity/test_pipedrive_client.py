"""Pipedrive's own client for JavaScript (`pipedrive` of npm) drives the emulator."""

import asyncio
import os
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil_schema.exact_json import dumps, loads
from support.npm import installed
from support.pipedrive import Account, account

HERE = Path(__file__).parent / "pipedrive"
JUDGE_SECONDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the client."""
    node, folder = installed(tmp_path_factory, HERE)
    return [node, str(folder / "judge.cjs")]


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    async with account(volume=30, seed=7) as fresh:
        yield fresh


async def test_pipedrive_s_own_client_reads_and_writes(judge: list[str], held: Account) -> None:
    environment = {**os.environ, "EMULATOR": dumps(held.emulator.ready()).decode()}
    process = await asyncio.create_subprocess_exec(
        *judge, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, trouble = await asyncio.wait_for(process.communicate(), JUDGE_SECONDS)
    assert process.returncode == 0, trouble.decode()
    seen: Any = loads(told)
    identity = held.emulator.identity
    assert seen == {
        "listed": [30, 30],
        "name": "Zoë & Söhne",
        "email": "ada@example.com",
        "value": [Decimal("33.32"), Decimal("33.32")],  # 3 x 12.34 less a tenth
        "parts": [[True, 10, "First"]],
        "products": 2,
        "fields": [True, True],
        "won": ["won", "string", "Net 15"],
        "deleted": [True],
        "hook": ["deal", 1],
        "me": [identity.domain, str(identity.company_id)],
        "refusals": ["unauthorized access", False, False, "invalid_grant"],
    }
