"""The limiter against the emulator: calls over HTTP, through a line that delays both ways, into its sliding windows."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import aiohttp

from counterfoil.dispatch.limiter import Lane, RealmGate
from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from skipping import LoopClock, skipper

CHUNK_BYTES = 65_536
WORKERS = 20
MINUTE = 60.0
NO_LIMIT = 1_000_000
OK, THROTTLED = 200, 429


@dataclass(frozen=True, slots=True)
class Line:
    """How long a message takes one way: at least `delay`, now and then up to `jitter` more."""

    delay: float
    jitter: float

    def one_way(self, rng: random.Random) -> float:
        return self.delay + self.jitter * rng.random() ** 6


@asynccontextmanager
async def slow_line(host: str, port: int, line: Line, rng: random.Random) -> AsyncIterator[str]:
    """The address of a line to there."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(CHUNK_BYTES):
                await asyncio.sleep(line.one_way(rng))
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, port)
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, far_writer))
            group.create_task(pump(far_reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        address = server.sockets[0].getsockname()
        yield f"http://{address[0]}:{address[1]}"
    finally:
        server.close()


@dataclass(slots=True)
class Seen:
    """What came of it."""

    answered: int = 0
    rejected: int = 0
    peaks: tuple[int, int, int] = (0, 0, 0)


async def against_emulator(
    gate_of: Callable[[LoopClock], RealmGate], line: Line, *, by_the_second: bool, seconds: float, seed: int
) -> Seen:
    """Backlogged readers for that long; the emulator counts by ten a second, or by ten at once alone."""
    rng, clock, seen = random.Random(seed), LoopClock(), Seen()
    limits = LimitNumbers() if by_the_second else replace(LimitNumbers(), requests_per_second=NO_LIMIT)
    async with QuickBooksEmulator(EmulatorOptions(seed=seed, limits=limits), clock=clock) as emulator:
        host, _, port = emulator.base_url.partition("//")[2].partition(":")
        async with (
            slow_line(host, int(port), line, rng) as address,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        ):
            token = await _token(http, emulator)
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            url = f"{address}/v3/company/{emulator.realm_id}/preferences"
            gate = gate_of(clock)

            async def work() -> None:
                while True:
                    async with gate.slot(Lane.BACKFILL) as permit, http.get(url, headers=headers) as answer:
                        await answer.read()
                        permit.release()
                        seen.answered += answer.status == OK
                        seen.rejected += answer.status == THROTTLED

            skipper().enabled = True
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                    for _ in range(WORKERS):
                        group.create_task(work())
            skipper().enabled = False
        limiter = emulator.limiter
        seen.peaks = (limiter.minute.peak, limiter.second.peak, limiter.peak_in_flight)
    return seen


async def _token(http: aiohttp.ClientSession, emulator: QuickBooksEmulator) -> str:
    office = emulator.office
    async with http.post(
        f"{emulator.base_url}/oauth2/v1/tokens/bearer",
        data={"grant_type": "refresh_token", "refresh_token": office.refresh_token},
        auth=aiohttp.BasicAuth(office.client_id, office.client_secret),
        headers={"Accept": "application/json"},
    ) as answer:
        return str((await answer.json())["access_token"])
