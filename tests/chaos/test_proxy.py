"""The proxy does to a connection what it is told, and nothing else."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from support.chaos.proxy import FATES, Fate, TcpProxy, Weather

CUT: list[Fate] = ["cut before", "cut after", "late", "half-open", "half-open before"]
ARRIVES = {"slow", "cut after", "late", "half-open"}


class Chosen(Weather):
    """One fate for every request, and short times."""

    def __init__(self, chosen: Fate | None) -> None:
        super().__init__(random.Random(1), late_seconds_max=0.06, silent_seconds_max=0.06, slow_seconds_max=0.06)
        self.chosen: Fate | None = chosen

    def fate(self) -> Fate | None:
        return self.chosen


class Echo:
    """A server that answers each line with the same in capitals, and remembers what arrived."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.news = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            self.arrived.append(line)
            self.news.set()
            writer.write(line.upper())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def through(chosen: Fate | None) -> AsyncIterator[tuple[Echo, TcpProxy, Weather]]:
    echo, weather = Echo(), Chosen(chosen)
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with TcpProxy(lambda: ("127.0.0.1", port), weather) as proxy:
        yield echo, proxy, weather
    server.close()


async def ask(proxy: TcpProxy, line: bytes) -> bytes:
    """The answer; empty where the connection broke."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(line)
        return await rest_of(reader)
    finally:
        writer.close()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty where the connection broke."""
    try:
        return await reader.readline()
    except ConnectionResetError:
        return b""


async def test_in_fair_weather_everything_passes() -> None:
    async with through(None) as (echo, proxy, _):
        assert await asyncio.gather(*(ask(proxy, b"%d a\n" % number) for number in range(20))) == [
            b"%d A\n" % number for number in range(20)
        ]
        assert len(echo.arrived) == 20
        assert proxy.counts.total() == 0


async def test_what_is_slow_arrives_and_is_answered() -> None:
    async with through("slow") as (echo, proxy, _):
        assert await ask(proxy, b"a\n") == b"A\n"
        assert echo.arrived == [b"a\n"]
        assert proxy.counts == {"slow": 1}


@pytest.mark.parametrize("chosen", CUT)
async def test_what_is_cut_is_not_answered_and_arrives_only_where_it_should(chosen: Fate) -> None:
    async with through(chosen) as (echo, proxy, weather):
        assert await ask(proxy, b"a\n") == b""
        if chosen in ARRIVES:
            await asyncio.wait_for(echo.news.wait(), 10)
        assert isinstance(weather, Chosen)
        weather.chosen = None
        assert await ask(proxy, b"b\n") == b"B\n"
        assert echo.arrived == ([b"a\n", b"b\n"] if chosen in ARRIVES else [b"b\n"])
        assert proxy.counts == {chosen: 1}


async def test_a_caught_request_arrives_and_its_answer_is_withheld_until_it_is_released() -> None:
    async with through(None) as (echo, proxy, _):
        caught = proxy.catch(b"mark")
        assert await ask(proxy, b"a\n") == b"A\n"
        held = asyncio.create_task(ask(proxy, b"mark\n"))
        await asyncio.wait_for(caught.at.wait(), 10)
        assert await ask(proxy, b"b\n") == b"B\n"
        assert not held.done()
        caught.release.set()
        assert await held == b"MARK\n"
        assert sorted(echo.arrived) == [b"a\n", b"b\n", b"mark\n"]


async def test_what_is_sent_into_silence_never_arrives() -> None:
    async with through(None) as (echo, proxy, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"a\n")
        assert await reader.readline() == b"A\n"
        proxy.silence()
        writer.write(b"b\n")
        late = asyncio.create_task(ask(proxy, b"c\n"))
        await asyncio.sleep(0.05)
        proxy.restore()
        assert await rest_of(reader) == b""
        assert await late == b""
        assert await ask(proxy, b"d\n") == b"D\n"
        assert echo.arrived == [b"a\n", b"d\n"]
        writer.close()


async def test_a_request_that_leads_nowhere_is_refused() -> None:
    async with TcpProxy(lambda: None, Chosen(None)) as proxy:
        assert await ask(proxy, b"a\n") == b""


def test_a_share_of_none_does_nothing_and_of_all_does_everything() -> None:
    calm, storm = Weather(random.Random(3)), Weather(random.Random(3), share=1.0)
    assert {calm.fate() for _ in range(100)} == {None}
    assert {storm.fate() for _ in range(500)} == set(FATES)
