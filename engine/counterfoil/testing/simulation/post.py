"""Between whoever sends webhooks and the engine: deliveries that get lost, come twice, late, or in another order."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from counterfoil.testing.simulation.desk import NAME, SIGNATURE, Desk
from counterfoil.testing.simulation.network import Network, NetworkConnector
from counterfoil.testing.simulation.weather import Weather

HOST: Final = "post.test"
TRIES: Final = 4
OK: Final = 200
_KEPT: Final = frozenset({"host", "content-length", "connection", "accept-encoding", "user-agent", "accept"})


@dataclass
class PostOffice:
    """Takes deliveries from the books and from the desk, and brings them to a process of the engine.

    Attributes:
        addresses: where the engine's living processes listen now.
        acknowledged: paths and bodies that the engine said it has.
    """

    network: Network
    weather: Weather
    desk: Desk
    company: int
    addresses: Callable[[], list[str]]
    acknowledged: list[tuple[str, bytes]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _turn: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is on its way."""
        return not self._tasks and self.desk.news.empty()

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Take in and bring, until cancelled."""
        application = web.Application()
        application.router.add_post("/quickbooks", self._taken)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 80).start()
        async with aiohttp.ClientSession(connector=NetworkConnector(self.network)) as session:
            self._session = session
            self._group = group
            while True:
                kind, source_id = await self.desk.news.get()
                self._turn += 1
                told = {"kind": kind, "id": source_id, "delivery": f"d{self._turn}"}
                body = json.dumps(told).encode()
                path = f"/sources/{self.company}/{NAME}"
                self._bring(path, body, {SIGNATURE: self.desk.sign(body)})

    async def _taken(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _KEPT}
        self._bring("/quickbooks", body, headers)
        return web.Response(status=OK)

    def _bring(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        weather = self.weather
        fault = weather.of_delivery("webhook lost", "webhook doubled", "webhook late", "webhook reordered")
        if fault == "webhook lost":
            return
        delays = [0.0]
        if fault == "webhook doubled":
            delays = [0.0, weather.seconds(0.0, 120.0)]
        elif fault == "webhook late":
            delays = [weather.seconds(60.0, 1200.0)]
        elif fault == "webhook reordered":
            delays = [weather.seconds(0.1, 10.0)]
        for delay in delays:
            task = self._group.create_task(self._delivered(path, body, headers, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _delivered(self, path: str, body: bytes, headers: Mapping[str, str], delay: float) -> None:
        await asyncio.sleep(delay)
        for attempt in range(TRIES):
            addresses = self.addresses()
            if addresses:
                self._turn += 1
                url = addresses[self._turn % len(addresses)] + path
                if await self._posted(url, body, headers) == OK:
                    self.acknowledged.append((path, body))
                    return
            await asyncio.sleep(5.0 * 2**attempt)

    async def _posted(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        timeout = aiohttp.ClientTimeout(total=3.0)
        try:
            async with self._session.post(url, data=body, headers=headers, timeout=timeout) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0
