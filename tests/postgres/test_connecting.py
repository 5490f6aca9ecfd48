"""`counterfoil connect quickbooks`, `disconnect quickbooks`, `keys rotate`: processes, a database, the emulator."""

import base64
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg
import pytest
import requests

from support.cli import Shop, Started, make_shop, started_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

GIVE_UP_SECONDS = 60.0


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


@pytest.fixture
def unconnected(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    """A shop whose configuration names neither a realm nor a token."""
    shop = make_shop(tmp_path / "shop", emulator, database)
    for name in ("realm_id", "refresh_token"):
        shop.replace("counterfoil.toml", f'{name} = "{emulator[name]}"\n', "")
    return shop


@contextmanager
def connecting(shop: Shop, *arguments: str) -> Iterator[Started]:
    """The command while it waits for consent, with a folder of its own for what it says."""
    folder = shop.folder / "connecting"
    folder.mkdir()
    command = ["connect", "quickbooks", "--no-browser", "--json", "--port", "0", "--wait", "60"]
    config = ["--config", str(shop.folder / "counterfoil.toml")]
    with started_cli(*command, *config, *arguments, cwd=folder, environment=shop.environment) as started:
        yield started


@pytest.fixture
def consenting(unconnected: Shop) -> Iterator[Started]:
    with connecting(unconnected) as started:
        yield started


def answer_of(consent_url: str) -> str:
    """Where the consent page sends the browser back to."""
    sent = requests.get(consent_url, allow_redirects=False, timeout=10)
    assert sent.status_code == 302, sent.text
    return sent.headers["Location"]


def with_parameter(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    fields = {key: values[0] for key, values in parse_qs(parts.query).items()} | {name: value}
    return urlunsplit(parts._replace(query="&".join(f"{key}={value}" for key, value in fields.items())))


def ended(started: Started) -> int:
    return started.process.wait(timeout=GIVE_UP_SECONDS)


def test_a_consent_connects_and_work_begins(unconnected: Shop, consenting: Started, emulator: EmulatorProcess) -> None:
    answer = answer_of(consenting.ready()["consent_url"])
    forged = requests.get(with_parameter(answer, "state", "forged"), timeout=10)
    assert (forged.status_code, "asked for here" in forged.text) == (400, True)
    assert consenting.process.poll() is None
    shown = requests.get(answer, timeout=10)
    assert (shown.status_code, "is connected" in shown.text) == (200, True)
    assert ended(consenting) == 0
    last = consenting.out.read_text().splitlines()[-1]
    assert f'"realm_id":"{emulator["realm_id"]}"' in last
    synced = unconnected.run("sync", "--json")
    assert synced.code == 0, synced.said
    status = unconnected.run("status", "--json").json()["companies"][0]
    assert status["connection"] == "connected"
    assert status["hard_expires_at"] is not None


def test_refused_consent_is_said_and_changes_nothing(unconnected: Shop, consenting: Started) -> None:
    answer = answer_of(consenting.ready()["consent_url"])
    state = parse_qs(urlsplit(answer).query)["state"][0]
    back = urlunsplit(urlsplit(answer)._replace(query=f"error=access_denied&state={state}"))
    assert requests.get(back, timeout=10).status_code == 400
    assert ended(consenting) == 2
    assert "did not give consent for company 1" in consenting.err.read_text()
    assert unconnected.run("status", "--json").json()["companies"][0]["token_stored_at"] is None


def test_other_books_than_before_are_refused(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> None:
    shop = make_shop(tmp_path / "shop", emulator, database)
    with connecting(shop) as started:
        answer = answer_of(started.ready()["consent_url"])
        shown = requests.get(with_parameter(answer, "realmId", "4620816365000000000"), timeout=10)
        assert shown.status_code == 400
        assert ended(started) == 2
        said = started.err.read_text()
    assert f"belongs to QuickBooks realm {emulator['realm_id']}" in said
    assert "consent was given for realm 4620816365000000000. Nothing was changed." in said


def test_a_disconnection_keeps_what_is_queued_and_a_connection_sends_it(tmp_path: Path, database: Database) -> None:
    """One `serve` runs through all of it, in a process of its own, and goes on by itself."""
    with emulator_process("--limits", "off") as emulator:
        shop = make_shop(tmp_path / "shop", emulator, database)
        shop.replace("counterfoil.toml", 'name = "Shop"\n', 'name = "Shop"\npoll_seconds = 1\n')
        assert shop.run("sync").code == 0
        with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as serving:
            serving.ready()
            done = shop.run("disconnect", "quickbooks", "--json")
            assert (done.code, done.json()["was_connected"]) == (0, True), done.said
            again = shop.run("disconnect", "quickbooks", "--json")
            assert (again.code, again.json()["was_connected"]) == (0, False), again.said
            customers = (shop.folder / "exports/customers.csv").read_text()
            shop.write("exports/customers.csv", f"{customers}zoe,Zoe's Zoo,\n")
            _until(lambda: _waiting(shop, "reconnection") > 0, shop, serving)
            assert "Zoe" not in str(emulator.control("/state?entity=Customer"))
            with connecting(shop) as started:
                consent_url = started.ready()["consent_url"]
                assert secrets_in_arguments(emulator, serving, started) == []
                requests.get(answer_of(consent_url), timeout=10)
                assert ended(started) == 0
            _until(lambda: "Zoe's Zoo" in str(emulator.control("/state?entity=Customer")), shop, serving)


def secrets_in_arguments(emulator: EmulatorProcess, *commands: Started) -> list[str]:
    """Which secrets the arguments of these processes show to everybody on the machine."""
    shown = [Path(f"/proc/{one.process.pid}/cmdline").read_bytes().decode() for one in commands]
    assert all("counterfoil" in text for text in shown)
    return [
        name
        for name in ("client_secret", "refresh_token", "verifier_token")
        if any(emulator[name] in text for text in shown)
    ]


def _waiting(shop: Shop, why: str) -> int:
    reasons = shop.run("status", "--json").json()["companies"][0]["reasons"]
    return int(reasons.get("waiting", {}).get(why, 0))


def _until(is_so: Callable[[], bool], shop: Shop, serving: Started) -> None:
    end = time.monotonic() + GIVE_UP_SECONDS
    while not is_so():
        assert time.monotonic() < end, shop.run("status").said + serving.err.read_text()
        time.sleep(0.5)


@pytest.fixture
def own_emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


async def test_all_keys_go_under_a_new_master_key(
    tmp_path: Path, own_emulator: EmulatorProcess, database: Database, admin_pool: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    shop = make_shop(tmp_path / "shop", own_emulator, database)
    assert shop.run("sync").code == 0
    key_file = shop.folder / ".counterfoil/master.key"
    old = key_file.read_text().strip()
    keys: int = await admin_pool.fetchval("SELECT count(*) FROM counterfoil_state.sealing_keys")
    rotated = shop.run("keys", "rotate", "--json")
    assert rotated.code == 0, rotated.said
    told = rotated.json()
    assert (told["sealing_keys"], told["tokens"]) == (keys, 1)
    new = key_file.read_text().strip()
    assert (len(base64.b64decode(new)), new != old) == (32, True)
    (kept,) = [Path(path) for path in told["kept"]]
    assert (kept.read_text().strip(), stat.S_IMODE(kept.stat().st_mode)) == (old, 0o600)
    names = await admin_pool.fetch(
        "SELECT wrapped_by FROM counterfoil_state.sealing_keys UNION SELECT master_key FROM counterfoil_state.tokens"
    )
    assert len(names) == 1
    assert shop.run("log", "verify").code == 0
    await admin_pool.execute(
        "INSERT INTO counterfoil_log.leases (company, holder, epoch, expires_at)"
        " VALUES (1, 'another process', 1, clock_timestamp() + interval '1 hour')"
        " ON CONFLICT (company) DO UPDATE SET expires_at = excluded.expires_at"
    )
    waits = shop.run("keys", "rotate")
    assert (waits.code, "restart them, then run this command again" in waits.out) == (1, True)
    assert key_file.read_text().split()[1:] == [new]
    assert shop.run("keys", "rotate").code == 0
    assert new not in key_file.read_text()
    await admin_pool.execute("DELETE FROM counterfoil_log.leases")
    assert shop.run("sync").code == 0
