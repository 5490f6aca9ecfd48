"""Refresh tokens of sources outlive the process: stored before use, one renewal at a time, the configured one wins."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.engine import Engine
from counterfoil.postgres import Pool
from counterfoil.secrets import MasterKeys, PostgresRefreshLock, PostgresSourceTokens, SealError
from counterfoil.secrets.envelope import Origin
from counterfoil.secrets.source_tokens import origin_of
from counterfoil.settings import load_settings
from counterfoil.sources import SourceError, SourceTokens
from counterfoil.token_keeping import SourceTokenKeeper
from support.cli import Shop, make_shop
from support.gusto import Company, employees, gusto
from support.pipedrive import Account, account, organization
from support.postgres import Database
from support.processes import Script, running_script
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.secrecy import dump, events_of, process_arguments, written

KEYS = MasterKeys({"2026": bytes(range(32))})
MAPPINGS = {
    "pipedrive": '[connection]\nsource = "pipedrive"\nzone = "UTC"\n[customer]\nfrom = ["organization"]\n',
    "gusto": '[connection]\nsource = "gusto"\nzone = "UTC"\n',
}
READER = """
import asyncio, json, os, signal, sys
from pathlib import Path
from counterfoil.engine import Engine
from counterfoil.settings import load_settings
from counterfoil.sources import Seen, SourceError

given = json.loads(sys.argv[1])
os.environ.update(given["environment"])

def step(name):
    if name == given["kill"]:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with Engine(load_settings(Path(given["config"])), step=step) as engine:
        adapter = engine.connected(1).sources[given["source"]]
        print(json.dumps({"ready": 1}), flush=True)
        for line in iter(lambda: sys.stdin.readline().strip(), ""):
            try:
                pages = [page async for page in adapter.changes(given["kind"], None)]
                print(json.dumps({"seen": sum(len(page.changes) for page in pages)}), flush=True)
            except SourceError as trouble:
                print(json.dumps({"trouble": str(trouble)}), flush=True)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def books() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


@pytest.fixture
async def held() -> AsyncIterator[Account]:
    """Pipedrive, whose refresh tokens are each good once, with an organization in it."""
    async with account() as opened:
        await opened.load(organizations=[organization(1)])
        yield opened


@pytest.fixture
async def payer() -> AsyncIterator[Company]:
    """Gusto, whose old refresh token dies when its successor's access token is used."""
    async with gusto() as opened:
        await opened.control("/load", {"employees": employees(1)})
        yield opened


def oauth_of(held: Account, refresh_token: str | None = None) -> dict[str, str]:
    tokens = held.emulator.tokens
    return {
        "base_url": held.emulator.base_url,
        "oauth_url": held.emulator.base_url,
        "client_id": tokens.client_id,
        "client_secret": tokens.client_secret,
        "refresh_token": refresh_token or tokens.refresh_token,
    }


def gusto_of(payer: Company) -> dict[str, str]:
    names = ("base_url", "company_uuid", "refresh_token", "client_id", "client_secret")
    ready = payer.emulator.ready()
    return {name: str(ready[name]) for name in names}


def configured(folder: Path, books: EmulatorProcess, database: Database, source: str, options: dict[str, str]) -> Shop:
    """A configuration with this source instead of the shop's files."""
    shop = make_shop(folder, books, database)
    before, _, _ = (folder / "counterfoil.toml").read_text(encoding="utf-8").partition("[company.1.source.shop]")
    lines = [f'{name} = "{value}"' for name, value in options.items()]
    head = f'[company.1.source.{source}]\nmapping = "{source}.toml"\n'
    shop.write("counterfoil.toml", before + head + "\n".join(lines) + "\n")
    shop.write(f"{source}.toml", MAPPINGS[source])
    return shop


async def ran(shop: Shop, *arguments: str) -> Any:
    return await asyncio.to_thread(shop.run, *arguments)


async def source_status(shop: Shop) -> Any:
    return (await ran(shop, "status", "--json")).json()["companies"][0]["sources"]


def order(shop: Shop, source: str, kind: str, kill: str = "") -> str:
    config = str(shop.folder / "counterfoil.toml")
    given = {"config": config, "environment": shop.environment, "source": source, "kind": kind, "kill": kill}
    return json.dumps(given)


async def read(shop: Shop, source: str, kind: str, *, kill: str = "", times: int = 1) -> list[dict[str, Any]]:
    """What a process of its own reads from the source; it may be killed on the way."""
    given = order(shop, source, kind, kill)

    def work() -> list[dict[str, Any]]:
        with running_script(READER, [given]) as script:
            script.line()
            answers: list[dict[str, Any]] = []
            for _ in range(times):
                say(script)
                if kill:
                    assert script.process.wait(timeout=60) == -9
                    return answers
                answers.append(dict(script.line()))
            assert script.finish() == 0
            return answers

    return await asyncio.to_thread(work)


def say(script: Script) -> None:
    assert script.process.stdin is not None
    script.process.stdin.write("go\n")
    script.process.stdin.flush()


async def test_a_new_process_goes_on_with_the_token_that_the_last_one_was_given(
    tmp_path: Path, books: EmulatorProcess, database: Database, held: Account
) -> None:
    first = held.emulator.tokens.refresh_token
    shop = configured(tmp_path / "shop", books, database, "pipedrive", oauth_of(held))
    (before,) = await source_status(shop)
    assert (before["connection"], before["state"], before["generation"]) == ("pipedrive", "configured", 0)
    for generation in (1, 2):
        synced = await ran(shop, "sync")
        assert (synced.code, held.emulator.tokens.refresh_token != first) == (0, True), synced.said
        (told,) = await source_status(shop)
        assert (told["state"], told["generation"], told["refused_at"]) == ("kept", generation, None)
        held.emulator.tokens.ends = 0.0  # the access token ends: only the refresh token of the last renewal helps
    shown = await ran(shop, "status")
    assert "pipedrive: tokens are 0 minutes old, and kept sealed across restarts." in shown.out
    rotated = await ran(shop, "keys", "rotate", "--json")
    assert (rotated.code, rotated.json()["source_tokens"]) == (0, 1), rotated.said
    assert (await ran(shop, "sync")).code == 0
    (told,) = await source_status(shop)
    assert told["generation"] == 3


@pytest.mark.parametrize("step", ["source_token.locked", "source_token.saved"])
async def test_a_kill_before_the_vendor_was_asked_or_after_the_store_costs_nothing(
    tmp_path: Path, books: EmulatorProcess, database: Database, held: Account, step: str
) -> None:
    shop = configured(tmp_path / "shop", books, database, "pipedrive", oauth_of(held))
    await read(shop, "pipedrive", "organization", kill=step)
    assert await read(shop, "pipedrive", "organization") == [{"seen": 1}]


async def test_a_kill_between_answer_and_store_at_a_vendor_that_waits_for_use_costs_nothing(
    tmp_path: Path, books: EmulatorProcess, database: Database, payer: Company
) -> None:
    shop = configured(tmp_path / "shop", books, database, "gusto", gusto_of(payer))
    await read(shop, "gusto", "employee", kill="source_token.answered")
    assert payer.emulator.tokens.live_refresh_tokens() == 2
    assert await read(shop, "gusto", "employee") == [{"seen": 1}]


async def test_a_kill_between_answer_and_store_at_a_strict_vendor_is_told_and_a_new_connection_wins(
    tmp_path: Path, books: EmulatorProcess, database: Database, held: Account
) -> None:
    """The one loss that cannot be helped from our side: Pipedrive took the old token back, and nobody has the new."""
    first = held.emulator.tokens.refresh_token
    shop = configured(tmp_path / "shop", books, database, "pipedrive", oauth_of(held))
    await read(shop, "pipedrive", "organization", kill="source_token.answered")
    (answer,) = await read(shop, "pipedrive", "organization")
    assert "invalid_grant" in answer["trouble"]
    assert "Connect the company again" in answer["trouble"]
    (told,) = await source_status(shop)
    assert told["state"] == "refused"
    shown = await ran(shop, "status")
    assert "pipedrive: refuses its tokens since" in shown.out
    doctor = (await ran(shop, "doctor", "--json")).json()["companies"][0]["points"][0]
    assert (doctor["verdict"], "Connect pipedrive again" in doctor["remedy"]) == ("failed", True), doctor
    shop.replace("counterfoil.toml", first, held.emulator.tokens.refresh_token)  # a person connects again
    (told,) = await source_status(shop)
    assert told["state"] == "configured"
    assert await read(shop, "pipedrive", "organization") == [{"seen": 1}]
    (told,) = await source_status(shop)
    assert (told["state"], told["generation"]) == ("kept", 1)


async def test_of_two_processes_one_renews(
    tmp_path: Path, books: EmulatorProcess, database: Database, held: Account
) -> None:
    """Every renewal kills the token before it: were it asked for twice with one token, the second would be refused."""
    shop = configured(tmp_path / "shop", books, database, "pipedrive", oauth_of(held))
    given = order(shop, "pipedrive", "organization")

    def work() -> list[Any]:
        answers: list[Any] = []
        with running_script(READER, [given]) as one, running_script(READER, [given]) as other:
            for script in (one, other):
                script.line()
            for _ in range(3):
                held.emulator.tokens.ends = 0.0
                for script in (one, other):
                    say(script)
                answers += [script.line() for script in (one, other)]
            assert [script.finish() for script in (one, other)] == [0, 0]
        return answers

    assert await asyncio.to_thread(work) == [{"seen": 1}] * 6
    (told,) = await source_status(shop)
    assert told["generation"] == 3


def keeper(pool: Pool, database: Database, connection: str = "crm", keys: MasterKeys = KEYS) -> SourceTokenKeeper:
    clock, entropy = SystemClock(), SystemEntropy()
    return SourceTokenKeeper(
        7,
        connection,
        store=PostgresSourceTokens(pool, database.names, keys=keys, clock=clock, entropy=entropy),
        lock=PostgresRefreshLock(pool, database.names, purpose="source_tokens"),
        step=lambda _: None,
    )


def tokens(generation: int, name: str = "r") -> SourceTokens:
    return SourceTokens(
        access_token=SecretStr(f"ACCESS-{name}{generation}"),
        refresh_token=SecretStr(f"REFRESH-{name}{generation}"),
        expires_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        granted={"api_domain": "https://ünïcode.example"},
        generation=generation,
    )


GIVEN = SecretStr("CONFIGURED")


async def test_two_processes_that_write_without_knowing_of_each_other_do_not_overwrite(
    pool: Pool, database: Database
) -> None:
    one, other = keeper(pool, database), keeper(pool, database)
    assert await one.load(GIVEN) is None
    stored = await asyncio.gather(*(each.store(GIVEN, tokens(1, name)) for each, name in ((one, "a"), (other, "b"))))
    assert sorted(stored) == [False, True]
    first = await other.load(GIVEN)
    assert first == tokens(1, "a" if stored[0] else "b")
    assert await one.store(GIVEN, tokens(2, "a"))
    assert not await other.store(GIVEN, tokens(2, "b"))
    assert not await other.store(GIVEN, tokens(4, "b"))
    assert await other.load(GIVEN) == tokens(2, "a")


async def test_connections_and_configured_tokens_have_nothing_of_each_other(pool: Pool, database: Database) -> None:
    crm, hr = keeper(pool, database), keeper(pool, database, "hr")
    assert await crm.store(GIVEN, tokens(1, "crm"))
    assert await hr.load(GIVEN) is None
    another = SecretStr("ANOTHER")
    assert await crm.load(another) is None
    assert await crm.store(another, tokens(1, "new"))
    assert [await crm.load(each) for each in (GIVEN, another)] == [tokens(1, "crm"), tokens(1, "new")]


async def test_what_came_of_a_former_token_is_gone_after_a_month(
    pool: Pool, admin_pool: Pool, database: Database
) -> None:
    kept = keeper(pool, database)
    await kept.store(SecretStr("FORMER"), tokens(1))
    await kept.store(SecretStr("LATELY"), tokens(1))
    await admin_pool.execute(
        "UPDATE counterfoil_state.source_tokens SET stored_at = stored_at - interval '31 days' WHERE origin = $1",
        origin_of(7, "crm", SecretStr("FORMER")).digest,
    )
    await kept.store(GIVEN, tokens(1))
    found = [await kept.load(SecretStr(each)) is not None for each in ("FORMER", "LATELY", "CONFIGURED")]
    assert found == [False, True, True]


MOVED = origin_of(7, "crm", SecretStr("ELSE"))


@pytest.mark.parametrize(
    ("tampering", "company", "origin"),
    [
        ("company = 8", 8, None),
        ("connection = 'hr'", 7, Origin("hr", origin_of(7, "crm", GIVEN).digest)),
        (f"origin = '\\x{MOVED.digest.hex()}'", 7, MOVED),
        ("generation = 9", 7, None),
        ("master_key = 'other'", 7, None),
        ("format_version = 2", 7, None),
        ("ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)", 7, None),
        ("wrapped_key = substr(wrapped_key, 1, 5)", 7, None),
    ],
)
async def test_a_row_that_was_moved_or_altered_does_not_open(
    tampering: str, company: int, origin: Origin | None, pool: Pool, admin_pool: Pool, database: Database
) -> None:
    keys = MasterKeys({"2026": bytes(32), "other": bytes(range(32))})
    clock, entropy = SystemClock(), SystemEntropy()
    store = PostgresSourceTokens(pool, database.names, keys=keys, clock=clock, entropy=entropy)
    own = origin_of(7, "crm", GIVEN)
    assert await store.put(7, own, 1, b"secret", None)
    assert await store.get(7, own) == (1, b"secret")
    await admin_pool.execute(f"UPDATE counterfoil_state.source_tokens SET {tampering}")
    with pytest.raises(SealError, match=f"of company {company}"):
        await store.get(company, origin or own)


async def test_a_row_that_does_not_open_is_told_as_the_source_s_trouble(
    pool: Pool, admin_pool: Pool, database: Database
) -> None:
    kept = keeper(pool, database)
    await kept.store(GIVEN, tokens(1))
    await admin_pool.execute("UPDATE counterfoil_state.source_tokens SET ciphertext = ''")
    with pytest.raises(SourceError, match=r"crm of company 7 do not open.*new refresh_token") as told:
        await kept.load(GIVEN)
    assert told.value.retry_after is None


async def test_postgres_that_is_away_is_told_and_tried_again(pool: Pool, database: Database) -> None:
    kept = keeper(pool, database)
    pool.terminate()
    for work in (kept.load(GIVEN), kept.store(GIVEN, tokens(1)), kept.refused(GIVEN, tokens(1))):
        with pytest.raises(SourceError, match="The tokens of crm c") as told:
            await work
        assert told.value.retry_after is not None
        assert "REFRESH" not in str(told.value)


async def test_no_token_of_a_source_shows_anywhere(
    tmp_path: Path,
    books: EmulatorProcess,
    database: Database,
    admin_pool: Pool,
    held: Account,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """First use, a renewal with rotation, a refusal: logs, spans, rows, events, errors, health, arguments."""
    caplog.set_level(logging.DEBUG)
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    given = oauth_of(held)
    hidden = {"client_secret": "env:CLIENT", "refresh_token": "env:REFRESH"}
    shop = configured(tmp_path / "shop", books, database, "pipedrive", {**given, **hidden})
    environment = {**shop.environment, "CLIENT": given["client_secret"], "REFRESH": given["refresh_token"]}
    settings = load_settings(shop.folder / "counterfoil.toml", environment)
    secrets = {"client secret": given["client_secret"], "configured": given["refresh_token"]}
    texts: dict[str, str] = {}

    def note(when: str) -> None:
        secrets[f"refresh token {when}"] = held.emulator.tokens.refresh_token
        secrets[f"access token {when}"] = held.emulator.tokens.access_token

    async with Engine(settings, tracer_provider=tracers) as engine:
        engine.start()
        source = engine.connected(1).sources["pipedrive"]
        for turn in ("first", "second"):
            held.emulator.tokens.ends = 0.0
            assert [page async for page in source.changes("organization", None)]
            note(turn)
            texts[f"database {turn}"] = await dump(admin_pool)
        held.emulator.tokens.renew()  # somebody else has used the token: ours is refused from now on
        with pytest.raises(SourceError, match="invalid_grant") as refused:
            assert [page async for page in source.changes("organization", None)]
        note("at the end")
        texts |= {
            "database at the end": await dump(admin_pool),
            "events": await events_of(engine, 1),
            "health": json.dumps(await engine.health()),
            "arguments": process_arguments(),
            "error": str(refused.value) + repr(refused.value),
            "settings": repr(engine.settings),
        }
    texts |= {"spans": "\n".join(span.to_json() for span in exporter.get_finished_spans()), "log": caplog.text}
    assert len(set(secrets.values())) == len(secrets)
    assert len(texts["events"]) > 100
    assert len(texts["spans"]) > 100
    pair = f"{given['client_id']}:{given['client_secret']}"
    secrets["header of the token endpoint"] = base64.b64encode(pair.encode()).decode()
    forms = [(name, form) for name, secret in secrets.items() for form in written(secret)]
    shown = [(name, place) for name, form in forms for place, text in texts.items() if form in text]
    assert shown == []
