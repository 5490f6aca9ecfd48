"""A TCP proxy between two real processes that delays, cuts and swallows what passes through it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Self

Address = str | tuple[str, int]
"""A socket's path, or host and port."""

Fate = Literal["slow", "cut before", "cut after", "late", "half-open", "half-open before"]
FATES: Final[tuple[Fate, ...]] = ("slow", "cut before", "cut after", "late", "half-open", "half-open before")
CHUNK_BYTES: Final = 1 << 20
ANSWER_SECONDS_MAX: Final = 1.0


@dataclass(slots=True)
class Weather:
    """What becomes of each request; seconds.

    Attributes:
        share: of the requests to which something happens.
        slow_seconds_max: a delay; late_seconds_max: how long after its client has gone a request may still arrive;
            silent_seconds_max: how long a connection that carries nothing any more stays open.
    """

    dice: random.Random
    share: float = 0.0
    slow_seconds_max: float = 0.6
    late_seconds_max: float = 1.0
    silent_seconds_max: float = 6.0

    def fate(self) -> Fate | None:
        """Of one request."""
        return self.dice.choice(FATES) if self.dice.random() < self.share else None

    def seconds(self, most: float) -> float:
        """A duration."""
        return self.dice.uniform(0.05, most)


@dataclass(slots=True)
class Caught:
    """A request that has reached the other side and whose answer is withheld until `release` is set."""

    at: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


class _ClosedError(Exception):
    """The connection is over."""


class TcpProxy:
    """Listens on 127.0.0.1 for the length of an `async with` block.

    Args:
        upstream: where a new connection leads now; None if nowhere.
        weather: of the requests.

    Attributes:
        counts: what was done to how many requests.
        port: where it listens.
    """

    def __init__(self, upstream: Callable[[], Address | None], weather: Weather) -> None:
        self._upstream = upstream
        self._weather = weather
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._mark = b""
        self._caught: Caught | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.counts: Counter[str] = Counter()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._flowing.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Break every connection there is."""
        for writer in list(self._writers):
            writer.transport.abort()

    def silence(self) -> None:
        """Let nothing pass either way and close nothing: as if a cable were out."""
        self._flowing.clear()

    def restore(self) -> None:
        """Break what was silent, and let new connections pass again."""
        self.cut_all()
        self._flowing.set()

    def catch(self, mark: bytes) -> Caught:
        """Let the next request that holds these bytes pass and withhold its answer."""
        self._mark, self._caught = mark, Caught()
        return self._caught

    def drop_catch(self) -> None:
        """Catch nothing more."""
        caught, self._caught = self._caught, None
        if caught is not None:
            caught.release.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            address = None if writer.transport.is_closing() else self._upstream()
            if address is None:
                raise ConnectionRefusedError("nobody is there")
            if isinstance(address, str):
                up = await asyncio.open_unix_connection(address)
            else:
                up = await asyncio.open_connection(*address)
            await self._relay(reader, writer, *up)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        self._writers.add(up_writer)
        link = _Link(writer, up_writer)
        answers = asyncio.create_task(self._answers(up_reader, link))
        requests = asyncio.create_task(self._requests(reader, link))
        try:
            await asyncio.wait({answers, requests}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (answers, requests):
                one.cancel()
            await asyncio.gather(answers, requests, return_exceptions=True)
            up_writer.close()
            self._writers.discard(up_writer)

    async def _answers(self, up_reader: asyncio.StreamReader, link: "_Link") -> None:
        while data := await up_reader.read(CHUNK_BYTES):
            link.answered.set()
            await link.open.wait()
            await self._flowing.wait()
            if link.deaf:
                continue
            link.writer.write(data)
            await link.writer.drain()

    async def _requests(self, reader: asyncio.StreamReader, link: "_Link") -> None:
        try:
            while data := await reader.read(CHUNK_BYTES):
                await self._flowing.wait()
                await self._pass(data, link)
        except _ClosedError:
            link.writer.transport.abort()
            link.up_writer.transport.abort()

    async def _pass(self, data: bytes, link: "_Link") -> None:
        if self._caught is not None and self._mark in data:
            await self._hold(data, link)
            return
        fate = self._weather.fate()
        if fate is None:
            await link.send(data)
            return
        self.counts[fate] += 1
        match fate:
            case "slow":
                await asyncio.sleep(self._weather.seconds(self._weather.slow_seconds_max))
                await link.send(data)
                return
            case "cut before":
                pass
            case "cut after":
                await self._lose_answer(data, link)
            case "late":
                link.writer.transport.abort()
                await asyncio.sleep(self._weather.seconds(self._weather.late_seconds_max))
                await self._lose_answer(data, link)
            case "half-open":
                await self._lose_answer(data, link)
                await asyncio.sleep(self._weather.seconds(self._weather.silent_seconds_max))
            case "half-open before":
                await asyncio.sleep(self._weather.seconds(self._weather.silent_seconds_max))
        raise _ClosedError

    async def _hold(self, data: bytes, link: "_Link") -> None:
        caught, self._caught = self._caught, None
        assert caught is not None
        self.counts["held"] += 1
        link.open.clear()
        caught.at.set()
        await link.send(data)
        await caught.release.wait()
        link.open.set()

    async def _lose_answer(self, data: bytes, link: "_Link") -> None:
        """Pass the request on, and wait until it was answered without passing that on."""
        link.deaf = True
        link.answered.clear()
        await link.send(data)
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await link.answered.wait()


@dataclass(slots=True)
class _Link:
    """The two halves of one connection. `deaf`: what comes back is thrown away; `open`: may pass now."""

    writer: asyncio.StreamWriter
    up_writer: asyncio.StreamWriter
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    deaf: bool = False

    def __post_init__(self) -> None:
        self.open.set()

    async def send(self, data: bytes) -> None:
        self.up_writer.write(data)
        await self.up_writer.drain()
