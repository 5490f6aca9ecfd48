"""A request that gets no answer has left once: whoever wants it again must pass the limits again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiolimiter import AsyncLimiter
from yarl import URL

from counterfoil.clock import SystemClock
from counterfoil.quickbooks.online.transport import Lost, exchange, open_session
from counterfoil.sources import SourceError, SourceHttp


@dataclass
class Rude:
    """Reads a request and hangs up."""

    url: str = ""
    requests: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head.decode().split(" ", 1)[0])
        writer.close()


@asynccontextmanager
async def rude_server() -> AsyncIterator[Rude]:
    rude = Rude()
    server = await asyncio.start_server(rude.serve, "127.0.0.1", 0)
    rude.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield rude


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_call_to_quickbooks(method: str) -> None:
    clock = SystemClock()
    async with rude_server() as rude, open_session() as session:
        ended = await exchange(
            session,
            method,
            URL(rude.url),
            headers={},
            body=None,
            content_type="application/json",
            clock=clock,
            deadline=clock.monotonic() + 20.0,
        )
        assert isinstance(ended, Lost)
        assert ended.sent
        assert rude.requests == [method]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_request_to_a_source(method: str) -> None:
    async with rude_server() as rude, aiohttp.ClientSession() as session:
        http = SourceHttp(session, rude.url, None, AsyncLimiter(10, 1), SystemClock(), "Example", tries=1)
        with pytest.raises(SourceError):
            await http.request(method, "/", json={"name": "value"} if method == "PUT" else None)
        assert rude.requests == [method]
