"""What strangers may send to a running `counterfoil serve`: it is refused within bounds, and the work goes on."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from support.cli import Shop, Started, make_shop, started_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

BODY_BYTES_MAX = 50_000
ANSWER_SECONDS = 1
BOUND_SECONDS = 60.0
SENT_BYTES_MAX = 64 * 1024 * 1024
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    made = make_shop(tmp_path / "shop", emulator, database)
    bounds = f"[webhooks]\nbody_bytes_max = {BODY_BYTES_MAX}\nanswer_seconds = {ANSWER_SECONDS}\n"
    made.write("counterfoil.toml", (made.folder / "counterfoil.toml").read_text(encoding="utf-8") + bounds)
    return made


@pytest.fixture
def serving(shop: Shop) -> Iterator[tuple[Started, str]]:
    with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as started:
        yield started, started.ready()["url"]


@asynccontextmanager
async def opened(url: str, *headers: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which the head of a delivery has been sent."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    lines = ["POST /webhooks/quickbooks HTTP/1.1", f"Host: {place.netloc}", "intuit-signature: AAAA", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def status_of(reader: asyncio.StreamReader) -> int:
    """The status of the answer; 0 if the connection was closed without one."""
    try:
        line = await reader.readline()
    except ConnectionError:
        return 0
    return int(line.split()[1]) if line else 0


async def lives(url: str) -> bool:
    """Whether the engine answers."""
    answer = await asyncio.to_thread(requests.get, f"{url}/health", timeout=30)
    return answer.json()["live"] is True


async def test_a_body_without_end_is_cut_off(serving: tuple[Started, str], shop: Shop) -> None:
    started, url = serving
    before = shop.run("log", "verify", "--json").json()["events"]

    async with asyncio.timeout(BOUND_SECONDS), opened(url, "Transfer-Encoding: chunked") as (reader, writer):
        answered = asyncio.create_task(status_of(reader))
        sent = 0
        while not answered.done() and sent < SENT_BYTES_MAX:
            try:
                writer.write(CHUNK)
                await writer.drain()
            except ConnectionError:
                break
            sent += len(CHUNK)
        status = await answered

    assert status in {0, 413}
    assert sent < SENT_BYTES_MAX
    assert await lives(url)
    assert shop.run("log", "verify", "--json").json()["events"] >= before
    assert started.stop() == 0


async def test_a_body_that_trickles_is_given_up(serving: tuple[Started, str]) -> None:
    started, url = serving

    async with asyncio.timeout(BOUND_SECONDS), opened(url, "Transfer-Encoding: chunked") as (reader, writer):
        answered = asyncio.create_task(status_of(reader))
        while not answered.done():
            try:
                writer.write(b"1\r\nx\r\n")
                await writer.drain()
            except ConnectionError:
                break
            await asyncio.wait([answered], timeout=0.1)
        assert await answered == 408

    assert await lives(url)
    assert started.stop() == 0


async def test_what_says_that_it_is_too_long_is_refused_before_it_comes(serving: tuple[Started, str]) -> None:
    started, url = serving

    async with asyncio.timeout(BOUND_SECONDS), opened(url, "Content-Length: 99999999999") as (reader, writer):
        writer.write(b"[]")
        assert await status_of(reader) in {408, 413}

    assert started.stop() == 0


def test_deliveries_that_nobody_signed_are_told_why_and_leave_nothing(
    serving: tuple[Started, str], shop: Shop, emulator: EmulatorProcess
) -> None:
    started, url = serving
    event = {
        "type": "qbo.invoice.created.v1",
        "intuitaccountid": emulator["realm_id"],
        "intuitentityid": "7",
        "id": "e",
    }
    body = json.dumps([event]).encode()
    good = base64.b64encode(hmac.digest(emulator["verifier_token"].encode(), body, hashlib.sha256)).decode()

    def deliver(signature: str | None, content: bytes = body) -> requests.Response:
        headers = {} if signature is None else {"intuit-signature": signature}
        return requests.post(f"{url}/webhooks/quickbooks", data=content, headers=headers, timeout=30)

    for signature in (None, "", "AAAA", good[:-4] + "AAA=", good + good):
        refused = deliver(signature)
        assert refused.status_code == 401, signature
        assert refused.json() == {
            "error": "The delivery's signature does not match its body.",
            "remedy": "Check the verifier token of the app in Intuit's portal against the configuration.",
        }
    assert deliver(good, body + b" ").status_code == 401
    assert deliver(good).status_code == 200

    lines = shop.run("log", "tail", "--lines", "1000", "--json").out.splitlines()
    recorded = [json.loads(line) for line in lines]
    assert sum(one["event_type"] == "webhook.received" for one in recorded) == 1
    assert started.stop() == 0
