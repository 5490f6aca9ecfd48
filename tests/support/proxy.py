"""A proxy in front of Postgres that loses answers on purpose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

Loss = Literal["before", "after", "late"]
"""Cut before the request is passed on; after it was carried out; or at once, passing the request on later."""

_LATE_SECONDS = 0.3


@dataclass
class LossyProxy:
    """Cuts the connection on which a marked request travels, once for each mark; `done` when nothing more comes."""

    upstream: tuple[str, int]
    losses: dict[bytes, Loss] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self.upstream
        if host.startswith("/"):
            up_reader, up_writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            up_reader, up_writer = await asyncio.open_connection(host, port)
        answers = asyncio.create_task(self._copy(up_reader, writer))
        try:
            await self._requests(reader, writer, up_writer, answers)
        finally:
            answers.cancel()
            for stream in (writer, up_writer):
                stream.close()
            with suppress(OSError, asyncio.CancelledError):
                await answers

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

    async def _requests(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_writer: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 20):
                loss = self._lost(data)
                if loss is None:
                    up_writer.write(data)
                    await up_writer.drain()
                    continue
                # From here on the client hears nothing more on this connection.
                answers.cancel()
                try:
                    await self._lose(loss, data, writer, up_writer)
                finally:
                    self.done.set()
                return

    async def _lose(
        self, loss: Loss, data: bytes, writer: asyncio.StreamWriter, up_writer: asyncio.StreamWriter
    ) -> None:
        if loss == "late":
            writer.transport.abort()
            await asyncio.sleep(_LATE_SECONDS)
        if loss != "before":
            with suppress(OSError):
                up_writer.write(data)
                await up_writer.drain()
            # Long enough for the server to carry it out and answer.
            await asyncio.sleep(_LATE_SECONDS)
        writer.transport.abort()

    def _lost(self, data: bytes) -> Loss | None:
        for mark in self.losses:
            if mark in data:
                return self.losses.pop(mark)
        return None


@asynccontextmanager
async def lossy_proxy(dsn: SecretStr) -> AsyncIterator[tuple[LossyProxy, SecretStr]]:
    """The proxy, and the DSN that leads through it."""
    parts = urlsplit(dsn.get_secret_value())
    query = parse_qs(parts.query)
    host = parts.hostname or query["host"][0]
    port = parts.port or int(query.get("port", ["5432"])[0])
    proxy = LossyProxy((host, port))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    user = parts.netloc.rpartition("@")[0]
    through = f"postgresql://{user}@127.0.0.1:{proxy.port}{parts.path}?sslmode=disable"
    try:
        yield proxy, SecretStr(through)
    finally:
        server.close()
