"""Clients for JavaScript drive the emulator with Intuit's own addresses in them; only the resolver sends them here."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil_schema.exact_json import dumps, loads
from support.npm import installed
from support.quickbooks_emulator import EmulatorProcess, emulator_process

HERE = Path(__file__).parent / "javascript"
JUDGE_SECONDS = 90

pytestmark = pytest.mark.slow
Judge = Callable[[EmulatorProcess, str], Any]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Runs one of the scripts beside the clients that they try."""
    node, folder = installed(tmp_path_factory, HERE)

    def run(emulator: EmulatorProcess, script: str) -> Any:
        environment = {
            **os.environ,
            "EMULATOR": dumps(emulator.ready).decode(),
            "EMULATOR_PORT": emulator["base_url"].rpartition(":")[2],
            "NODE_EXTRA_CA_CERTS": emulator["ca_file"],
            "NODE_OPTIONS": f"--require {folder / 'address.cjs'}",
        }
        told = _run([node, script], folder, environment, JUDGE_SECONDS)
        assert told.returncode == 0, told.stderr
        return loads(told.stdout)

    return run


def _run(command: list[str], folder: Path, environment: Mapping[str, str], seconds: int) -> Any:
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds
    )


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "9", "--sample", "craig", "--tls") as process:
        yield process


def test_intuit_s_own_client_signs_in_asks_and_leaves(judge: Judge, emulator: EmulatorProcess) -> None:
    assert judge(emulator, "intuit_oauth.cjs") == {
        "realm": emulator["realm_id"],
        "lifetimes": [3600, 8_640_000],
        "identified": True,
        "email": "owner@example.com",
        "company": "Craig's Design and Landscaping Services",
        "pdf": "%PDF-",
        "lost": ["610", "string"],
        "gone": "invalid_grant",
    }


def test_node_quickbooks_does_everything_it_can(judge: Judge, emulator: EmulatorProcess) -> None:
    seen = judge(emulator, "node_quickbooks.cjs")
    counts, reports = seen.pop("counts"), seen.pop("reports")
    assert seen == {
        "found": [True],
        "balances": [40, 100],
        "stale": "5010",
        "file": ["a.txt", 11, True],
        "batch": ["Customer", "QueryResponse", "Fault"],
        "pdf": "%PDF-",
        "sent": "EmailSent",
        "changed": ["Customer", "Invoice", "Payment"],
        "gone": "Deleted",
        "tax": "NON",
        "rate": "ExchangeRate",
        "revoked": 200,
    }
    # 35 kinds of records and 27 reports: what version 2.0.50 has methods for.
    assert (len(counts), len(reports)) == (35, 27)
    assert all(isinstance(count, int) for count in counts.values())
    assert all(columns > 1 for columns in reports.values())


def test_quickbooks_node_promise_reads_and_writes(judge: Judge, emulator: EmulatorProcess) -> None:
    seen = judge(emulator, "quickbooks_node_promise.cjs")
    fetched, counted = seen.pop("vendors")
    assert 0 < fetched <= counted
    assert seen == {"bill": [Decimal("12.34"), "string"], "changed": ["1", "seen"], "file": 5, "unknown": "4001"}


def test_quickbooks_api_pages_and_filters(judge: Judge, emulator: EmulatorProcess) -> None:
    seen = judge(emulator, "quickbooks_api.mjs")
    fetched, different = seen["pages"]
    assert fetched == different > 20
    assert set(seen["paid"]) == {0}
    assert seen["payments"] >= 5
    assert seen["company"] == "Craig's Design and Landscaping Services"
