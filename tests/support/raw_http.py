"""Requests of any bytes over a plain socket, and Hypothesis strategies for bad ones."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

ANSWER_SECONDS = 60.0
"""Far more than any answer takes on the slowest machine: what takes longer hangs."""

HEAD_BYTES_MAX = 1_000_000


@dataclass(frozen=True)
class Request:
    """A request as it goes over the wire."""

    method: str = "GET"
    target: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    ends: str = "\r\n"

    def encoded(self) -> bytes:
        """Its bytes."""
        head = [f"{self.method} {self.target} HTTP/1.1", "Host: localhost", "Connection: close"]
        if "content-length" not in {name.lower() for name in self.headers}:
            head.append(f"Content-Length: {len(self.body)}")
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        return self.ends.join([*head, "", ""]).encode("latin-1", errors="replace") + self.body


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 for a connection that was closed without an answer."""

    status: int
    body: bytes


async def exchange(port: int, request: bytes, *, patience: float | None = None) -> Answer:
    """Send bytes and read everything that comes back.

    Args:
        patience: where the request may not be whole: after so long without an answer, seconds, no more is sent.

    Raises:
        TimeoutError: the server hangs.
    """
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_BYTES_MAX)
        try:
            writer.write(request)
            try:
                await writer.drain()
                whole = await _first(reader, patience)
                if whole == b"" and patience is not None:
                    writer.write_eof()
                whole += await reader.read()
            except ConnectionError:
                whole = b""
        finally:
            writer.close()
    first, _, rest = whole.partition(b"\r\n")
    parts = first.split(b" ")
    _, _, body = rest.partition(b"\r\n\r\n")
    return Answer(int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0, body)


async def _first(reader: asyncio.StreamReader, patience: float | None) -> bytes:
    try:
        async with asyncio.timeout(patience):
            return await reader.read(1)
    except TimeoutError:
        return b""


awkward_text = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "\x00", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "'", "\\", "%", "../..", "0",
         "-1", "1e999", "NaN", "9" * 400, "a" * 5_000, "true", "null", "<b>", "é", "🧾", "2026-13-45", "\u202e"]
    ),
)  # fmt: skip

awkward_number = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 10**30, -(10**30), 2**63, 1e308, -0.0, 1.005]),
)

awkward_json = st.recursive(
    st.none() | st.booleans() | awkward_number | awkward_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(awkward_text, inner, max_size=3),
    max_leaves=8,
)

raw_bodies = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"{", b"[" * 3_000, b'{"a":' * 3_000, b"\xff\xfe", b"null", b"[]", b"{}", b"1e999999999", b"-",
         b'{"Line":[{}]}', b'{"a":NaN}', b'{"Id":1e400}', b"9" * 6_000, b'"\\ud800"', b'{"\\ud800":1}']
    ),
    awkward_json.map(lambda value: json.dumps(value).encode()),
)  # fmt: skip

segments = st.one_of(
    st.sampled_from(["", "1", "0", "-1", "..", "%00", "%2F", "%ff", "a" * 2_000, "9" * 400, "%F0%9F%A7%BE", ";", "*"]),
    st.binary(max_size=8).map(quote_from_bytes),
)


def query_string(pairs: Mapping[str, str]) -> str:
    """Parameters as they go into an address, whatever they hold."""
    encoded = [
        f"{quote_from_bytes(name.encode(errors='replace'))}={quote_from_bytes(value.encode(errors='replace'))}"
        for name, value in pairs.items()
    ]
    return "?" + "&".join(encoded) if encoded else ""


header_values = st.one_of(
    st.sampled_from(
        ["", "Basic", "Basic !!!", "Basic Og==", "Bearer", "Bearer x", "gzip", "deflate", "\x80\xff", "a" * 4_000]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
)  # fmt: skip

_NAMES = ["Authorization", "Content-Type", "Accept", "Cookie", "intuit-signature", "intuit-t-id", "Range", "Origin"]
_FRAMING = ["Expect", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Upgrade", "Connection", "Host"]

headers = st.dictionaries(st.sampled_from(_NAMES), header_values, max_size=3)
framing_headers = st.dictionaries(
    st.sampled_from([*_NAMES, *_FRAMING]),
    header_values | st.sampled_from(["-1", "5", "99999999999999999999", "chunked", "100-continue", "websocket"]),
    max_size=3,
)

methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW", "get", ""])


EXPECTATIONS = ("something", "100-continue", "", "\x80\xff", "\xe9" * 2_000, "100-continue, 100-continue", "a" * 7_000)
"""What a sender may say that it expects; only the second means anything."""


@dataclass(frozen=True)
class Framing:
    """Headers about a body, and bytes that need not be what they say."""

    headers: Mapping[str, str]
    body: bytes


_PACKED = gzip.compress(b'{"a": 1}', mtime=0)
FRAMINGS = (
    Framing({"Content-Encoding": "gzip"}, _PACKED),
    Framing({"Content-Encoding": "gzip"}, _PACKED[:-6]),
    Framing({"Content-Encoding": "gzip"}, b"no gzip at all"),
    Framing({"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}, b"3\r\nabc\r\n0\r\n\r\n"),
    Framing({"Content-Encoding": "gzip"}, gzip.compress(bytes(30_000_000), mtime=0)),
    Framing({"Content-Encoding": "deflate"}, b"\x00\x01"),
    Framing({"Content-Encoding": "br"}, b"\x00"),
    Framing({"Content-Encoding": "zstd"}, b"\x00"),
    Framing({"Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n"),
    Framing({"Transfer-Encoding": "chunked"}, b"zz\r\n{}\r\n0\r\n\r\n"),
    Framing({"Transfer-Encoding": "chunked"}, b"ffffffffffffffff\r\n{}"),
    Framing({"Transfer-Encoding": "chunked"}, b"2\r\n{}"),
    Framing({"Transfer-Encoding": "chunked, chunked"}, b"0\r\n\r\n"),
    Framing({"Transfer-Encoding": "gzip"}, _PACKED),
    Framing({"Content-Length": "99999999999999999999999"}, b"{}"),
    Framing({"Content-Length": "-1"}, b"{}"),
    Framing({"Content-Length": "1e3"}, b"{}"),
    Framing({"Content-Length": "2, 2"}, b"{}"),
    Framing({"Content-Length": "2", "Transfer-Encoding": "chunked"}, b"{}"),
    Framing({"Content-Length": ""}, b"{}"),
)
