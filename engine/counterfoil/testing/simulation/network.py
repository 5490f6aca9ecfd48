"""A network without sockets: byte streams between simulated processes, with a way that takes time and can break.

aiohttp's own client and server speak over it, so that what is tried is what runs. Each request has a connection of
its own, and so a fate of its own.
"""

import asyncio
import random
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from typing import Any, Final, Literal

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace

from counterfoil.testing.simulation.loop import PROCESS, SimulatedProcess, SimulationLoop

Wire = Literal["request lost", "request hangs", "answer lost", "answer hangs", "slow answer"]
"""What becomes of the bytes of one request and its answer."""

WAY_SECONDS: Final = (0.005, 0.08)
FIRST_PORT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Fate:
    """What goes wrong with one request.

    Attributes:
        wire: on its way.
        server: what the server is to do wrong; it looks by itself (`FATE`).
        seconds: how long it takes to show, or lasts.
        happened: called once it has.
    """

    wire: Wire | None = None
    server: str | None = None
    seconds: float = 0.0
    happened: Callable[[], None] = lambda: None


FATE: ContextVar[Fate | None] = ContextVar("the fate of a request", default=None)
Decide = Callable[[ClientRequest], Fate | None]


@dataclass(slots=True)
class _Listener:
    factory: Callable[[], asyncio.BaseProtocol]
    context: Context


class _Side(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, network: "Network", protocol: asyncio.BaseProtocol, context: Context) -> None:
        super().__init__()
        self.protocol = protocol
        self.context = context
        self.peer: _Side | None = None
        self.is_client = False
        self.fate: Fate | None = None
        self._network = network
        self._arrives = 0.0
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or not data:
            return
        peer, loop, content = self.peer, self._network.loop, bytes(data)
        fate = self.fate
        if fate is not None and fate.wire is not None and self._swallowed(fate):
            return
        if peer is None:
            return
        delay = fate.seconds if fate is not None and fate.wire == "slow answer" and not self.is_client else 0.0
        self._arrives = max(self._arrives, loop.time() + self._network.way() + delay)
        loop.call_at(self._arrives, peer.deliver, content, context=peer.context)

    def _swallowed(self, fate: Fate) -> bool:
        """Whether the bytes never arrive."""
        if fate.wire in {"request lost", "request hangs"}:
            broken = fate.wire == "request lost"
        elif self.is_client or fate.wire == "slow answer":
            if not self.is_client:
                fate.happened()
            return False
        else:
            broken = fate.wire == "answer lost"
        fate.happened()
        if broken:
            # The connection breaks, after a while, for both.
            for side in (self, self.peer):
                if side is not None:
                    self._network.loop.call_later(fate.seconds, side.lose, context=side.context)
        return True

    def deliver(self, data: bytes) -> None:
        """Bytes arrive."""
        if not self._closing and isinstance(self.protocol, asyncio.Protocol):
            self.protocol.data_received(data)

    def lose(self) -> None:
        """The connection is found broken."""
        if not self._closing:
            self._closing = True
            self.protocol.connection_lost(ConnectionResetError("the connection broke"))

    def end(self) -> None:
        """The other side has closed."""
        if not self._closing:
            self._closing = True
            self.protocol.connection_lost(None)

    def close(self) -> None:
        self._part(lambda side: side.end)

    def abort(self) -> None:
        self._part(lambda side: side.lose)

    def _part(self, how: "Callable[[_Side], Callable[[], None]]") -> None:
        if self._closing:
            return
        self._closing = True
        loop = self._network.loop
        loop.call_soon(self.protocol.connection_lost, None, context=self.context)
        self._network.forget(self)
        if self.peer is not None:
            at = max(self._arrives, loop.time() + self._network.way())
            loop.call_at(at, how(self.peer), context=self.peer.context)

    def is_closing(self) -> bool:
        return self._closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def pause_reading(self) -> None:
        """Nothing is read that was not asked for: answers are small."""

    def resume_reading(self) -> None:
        """See `pause_reading`."""

    def is_reading(self) -> bool:
        return not self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def can_write_eof(self) -> bool:
        return False


class _Server(asyncio.AbstractServer):
    """What aiohttp's sites want of a server."""

    def __init__(self, network: "Network", host: str, port: int) -> None:
        self._network, self._place = network, (host, port)
        self.sockets: tuple[Any, ...] = (self,)

    def getsockname(self) -> tuple[str, int]:
        return self._place

    def close(self) -> None:
        self._network.unlisten(*self._place)

    async def wait_closed(self) -> None:
        return None

    def is_serving(self) -> bool:
        return True

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._network.loop

    async def start_serving(self) -> None:
        """It serves from the beginning."""

    async def serve_forever(self) -> None:
        await asyncio.Event().wait()


class Network:
    """Listeners by host and port, and the connections between them."""

    def __init__(self, loop: SimulationLoop, chance: random.Random) -> None:
        self.loop = loop
        self._chance = chance
        self._listeners: dict[tuple[str, int], _Listener] = {}
        self._of_process: dict[SimulatedProcess, dict[_Side, None]] = {}
        self._next_port = FIRST_PORT
        loop.listen = self._listen

    def way(self) -> float:
        """How long something is on its way."""
        return self._chance.uniform(*WAY_SECONDS)

    def _listen(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> asyncio.AbstractServer:
        self._next_port += 1
        place = host, port or self._next_port
        self._listeners[place] = _Listener(factory, copy_context())
        process = PROCESS.get()
        if process is not None:
            process.on_death.append(lambda: self.unlisten(*place))
        return _Server(self, *place)

    def unlisten(self, host: str, port: int) -> None:
        """Nobody listens there any more."""
        self._listeners.pop((host, port), None)

    def forget(self, side: _Side) -> None:
        """A connection is over."""
        process = side.context.get(PROCESS)
        if process is not None and process in self._of_process:
            self._of_process[process].pop(side, None)

    async def open(self, host: str, port: int, protocol: asyncio.BaseProtocol, fate: Fate | None) -> None:
        """Connect a protocol to whoever listens.

        Raises:
            ConnectionRefusedError: nobody does.
        """
        await asyncio.sleep(self.way())
        listener = self._listeners.get((host, port))
        if listener is None:
            raise ConnectionRefusedError(f"nobody listens at {host}:{port}")
        near = _Side(self, protocol, copy_context())
        inner = listener.context.copy()
        inner.run(FATE.set, fate)
        far = _Side(self, listener.factory(), inner)
        near.peer, far.peer, near.is_client = far, near, True
        near.fate = far.fate = fate
        for side in (near, far):
            self._own(side)
        inner.run(far.protocol.connection_made, far)
        protocol.connection_made(near)

    def _own(self, side: _Side) -> None:
        process = side.context.get(PROCESS)
        if process is None:
            return
        if process not in self._of_process:
            self._of_process[process] = {}
            process.on_death.append(lambda: self._cut(process))
        self._of_process[process][side] = None

    def _cut(self, process: SimulatedProcess) -> None:
        """The other ends of a dead process's connections find them broken."""
        for side in self._of_process.pop(process, {}):
            if side.peer is not None:
                self.loop.call_later(self.way(), side.peer.lose, context=side.peer.context)


class NetworkConnector(aiohttp.BaseConnector):
    """aiohttp's way into the network, one connection for each request.

    Args:
        decide: what goes wrong with a request; asked in the task that makes it.
    """

    def __init__(self, network: Network, decide: Decide | None = None) -> None:
        super().__init__(force_close=True, limit=200)
        self._network = network
        self._decide = decide

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        del traces, timeout
        fate = self._decide(req) if self._decide is not None else None
        protocol = ResponseHandler(self._network.loop)
        host, port = str(req.url.host), int(req.url.port or 80)
        try:
            await self._network.open(host, port, protocol, fate)
        except OSError as refused:
            raise aiohttp.ClientConnectorError(req.connection_key, refused) from refused
        return protocol
