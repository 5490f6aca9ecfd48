"""One HTTP exchange, and what is known of it afterwards: above all whether the request may have left."""

import asyncio
from dataclasses import dataclass, field
from typing import TypeAlias

import aiohttp
from yarl import URL

from counterfoil.ports import Clock
from counterfoil.timely import SentOnce, TimelyPayload

ANSWER_BYTES_MAX = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
# Below the idle time after which Intuit's gateway closes: a write on a connection just closed is uncertain.
KEEPALIVE_SECONDS = 15.0


class BodyTooLargeError(Exception):
    """An answer beyond the bound."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer, whatever it says."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    intuit_tid: str | None


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer that can be read.

    Attributes:
        sent: whether the request may have left.
        late: whether it stayed because the deadline had passed.
    """

    reason: str
    sent: bool
    late: bool = False


ExchangeResult: TypeAlias = Exchange | Lost


def open_session(*, connections_max: int = 40) -> aiohttp.ClientSession:
    """A session fit for Intuit: no cookies, no proxy from the environment, idle connections closed early."""
    connector = aiohttp.TCPConnector(limit=connections_max, keepalive_timeout=KEEPALIVE_SECONDS)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    headers: dict[str, str],
    body: bytes | None,
    content_type: str,
    clock: Clock,
    deadline: float,
) -> ExchangeResult:
    """Make one call and read its answer, all before `deadline` (monotonic seconds of the clock).

    Never raises for anything that the network or the server does. A call without a body counts as sent at once.
    """
    remaining = deadline - clock.monotonic()
    if remaining <= 0:
        return Lost("the deadline had passed", sent=False, late=True)
    payload = None if body is None else TimelyPayload(body, content_type, clock, deadline)
    try:
        async with (
            asyncio.timeout(remaining),
            session.request(
                method,
                url,
                data=payload,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None),
                allow_redirects=False,
                middlewares=(SentOnce(),),
            ) as response,
        ):
            return Exchange(
                status=response.status,
                content_type=response.headers.get("Content-Type", ""),
                body=await read_bounded(response, ANSWER_BYTES_MAX),
                intuit_tid=response.headers.get("intuit_tid"),
            )
    except TimeoutError:
        reason = "no answer in time" if payload is None or payload.sent else "no connection in time"
    except BodyTooLargeError:
        reason = f"an answer of more than {ANSWER_BYTES_MAX} bytes"
    except (aiohttp.ClientError, OSError) as error:
        # The texts of these errors hold addresses and headers; their names say enough.
        reason = f"the connection failed ({type(error).__name__})"
    if payload is not None and payload.late:
        return Lost("the deadline passed before the request left", sent=False, late=True)
    return Lost(reason, sent=payload is None or payload.sent)


async def read_bounded(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """The whole body, decompressed.

    Raises:
        BodyTooLargeError: more than that; the connection is closed.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        size += len(chunk)
        if size > bytes_max:
            response.close()
            raise BodyTooLargeError
        chunks.append(chunk)
    return b"".join(chunks)
