"""Where the journeys go: always to the emulator, and to Intuit's sandbox when credentials are in the environment.

    COUNTERFOIL_SANDBOX_CLIENT_ID, COUNTERFOIL_SANDBOX_CLIENT_SECRET   the app's Development keys
    COUNTERFOIL_SANDBOX_REALM_ID                                        a sandbox company
    COUNTERFOIL_SANDBOX_TOKEN_FILE                                      holds its refresh token, and is kept up to date

The address is that of the sandbox, whatever else is set: Intuit answers 403 for a realm that is none, and a realm that
its sandbox does not show gets no journey. What held there is written to COUNTERFOIL_SANDBOX_REPORT, if that is set.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from counterfoil.doctor.sandbox import SandboxRun
from counterfoil.quickbooks.online.oauth import GRANT_URL, ClientCredentials
from support.quickbooks_double import Connected, connected_client
from support.quickbooks_emulator import emulator_process
from support.sandbox import require_sandbox

PREFIX = "COUNTERFOIL_SANDBOX_"
SANDBOX_URL = "https://sandbox-quickbooks.api.intuit.com"
PAUSE_SECONDS = 1.5
NAMES = ("CLIENT_ID", "CLIENT_SECRET", "REALM_ID", "TOKEN_FILE")
JOURNEYS = pytest.StashKey[Counter[str]]()


def given() -> dict[str, str]:
    return {name: os.environ[PREFIX + name] for name in NAMES if os.environ.get(PREFIX + name)}


@pytest.fixture(scope="session", params=["emulator", "sandbox"])
def place(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Address, grant address, realm, keys and refresh token."""
    if request.param == "emulator":
        with emulator_process("--sample", "craig", "--seed", "11", "--limits", "off") as emulator:
            yield {
                "base_url": emulator["base_url"],
                "grant_url": emulator["token_url"],
                "realm_id": emulator["realm_id"],
                "client_id": emulator["client_id"],
                "client_secret": emulator["client_secret"],
                "refresh_token": emulator["refresh_token"],
                "token_file": "",
            }
        return
    found = given()
    missing = [PREFIX + name for name in NAMES if name not in found]
    if missing:
        pytest.skip(f"no sandbox: {', '.join(missing)} not set")
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("the sandbox has one refresh token, which two processes would take from each other")
    yield {
        "base_url": SANDBOX_URL,
        "grant_url": GRANT_URL,
        "realm_id": found["REALM_ID"],
        "client_id": found["CLIENT_ID"],
        "client_secret": found["CLIENT_SECRET"],
        "refresh_token": Path(found["TOKEN_FILE"]).read_text(encoding="utf-8").strip(),
        "token_file": found["TOKEN_FILE"],
    }


@pytest.fixture
async def quickbooks(place: dict[str, str]) -> AsyncIterator[Connected]:
    """A client of the place; a refresh token that came anew is kept before anything else happens with it."""
    if place["token_file"]:
        # Each client counts its own calls only; Intuit counts those of the one before it too.
        await asyncio.sleep(PAUSE_SECONDS)
    async with connected_client(
        place["base_url"],
        grant_url=place["grant_url"],
        realm_id=place["realm_id"],
        credentials=ClientCredentials(place["client_id"], SecretStr(place["client_secret"])),
        refresh_token=SecretStr(place["refresh_token"]),
        refreshed=False,
        timeout_seconds=60.0,
    ) as connected:
        tokens = await connected.tokens.token()
        place["refresh_token"] = tokens.refresh_token.get_secret_value()
        if place["token_file"]:
            keep(Path(place["token_file"]), place["refresh_token"])
        await require_sandbox(connected)
        yield connected


def keep(path: Path, text: str) -> None:
    """Whole or not at all, for the owner's eyes."""
    beside = path.with_name(path.name + ".new")
    beside.touch(mode=0o600)
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count what became of each journey in the sandbox; what goes wrong before or after it counts as well."""
    report = yield
    if "sandbox" in item.name.rpartition("[")[2] and (report.when == "call" or report.failed):
        item.config.stash.setdefault(JOURNEYS, Counter())[report.outcome] += 1
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave a report for `counterfoil doctor`."""
    path, journeys = os.environ.get(f"{PREFIX}REPORT"), session.config.stash.get(JOURNEYS, Counter())
    if path and journeys and len(given()) == len(NAMES):
        run = SandboxRun(
            finished_at=datetime.now(UTC),
            realm_id=given()["REALM_ID"],
            passed=journeys["passed"],
            failed=journeys["failed"],
        )
        keep(Path(path), run.model_dump_json())
