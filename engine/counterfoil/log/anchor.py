"""Anchors: the heads of all companies, signed with a key outside Postgres and kept elsewhere.

An anchor proves that the log still holds what it held then: a rewritten chain has another link at the anchored
position, a truncated one has none. What was rewritten since the last anchor stays hidden, so anchor often.
"""

import asyncio
import base64
import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from counterfoil.log.errors import AnchorBrokenError, AnchorError
from counterfoil.log.types import LogReader
from counterfoil.log.verify import Fault
from counterfoil.ports import Clock
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonValue

_FORMAT = "counterfoil anchor 1"
_KEY_BYTES_MIN = 32
LOCK_SECONDS_MAX = 30.0
_LOCK_POLL_SECONDS = 0.02


class AnchorKey:
    """The key that signs anchors (HMAC-SHA256). Keep it, and the anchors, where the database's owner cannot write.

    Args:
        secret: at least 32 bytes in base64.

    Raises:
        AnchorError: anything else.
    """

    __slots__ = ("_raw",)

    def __init__(self, secret: SecretStr) -> None:
        try:
            self._raw = base64.b64decode(secret.get_secret_value().strip(), validate=True)
        except ValueError:
            self._raw = b""
        if len(self._raw) < _KEY_BYTES_MIN:
            raise AnchorError(
                "The anchor key is not 32 bytes or more in base64.",
                remedy="Make one with: python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'",
            )

    def __repr__(self) -> str:
        return "AnchorKey(…)"

    def sign(self, content: bytes) -> str:
        """HMAC-SHA256 in hexadecimal."""
        return hmac.new(self._raw, content, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where all companies stood at a moment: position and link by company."""

    at: datetime
    heads: Mapping[int, tuple[int, bytes]]

    def content(self) -> bytes:
        """What is signed: canonical JSON."""
        return exact_json.canonical(self._fields())

    def _fields(self) -> dict[str, JsonValue]:
        heads: list[JsonValue] = [
            [company, position, link.hex()] for company, (position, link) in sorted(self.heads.items())
        ]
        return {"format": _FORMAT, "at": self.at.isoformat(), "heads": heads}

    def signed(self, key: AnchorKey) -> bytes:
        """The anchor as a file holds it."""
        return json.dumps({**self._fields(), "signature": key.sign(self.content())}, indent=1).encode() + b"\n"


async def take_anchor(reader: LogReader, clock: Clock) -> Anchor:
    """The heads as they are now."""
    heads = await reader.heads()
    return Anchor(clock.now(), {head.company: (head.position, head.hash) for head in heads.values()})


async def write_anchor(reader: LogReader, path: Path, key: AnchorKey, clock: Clock) -> Anchor:
    """Sign the present heads into a file, which is replaced whole or not at all.

    An anchor that is there already is replaced only by a log that still fits it: it may be the last proof that
    something was removed or rewritten.

    Raises:
        AnchorBrokenError: the log does not fit the anchor that is there, or something else is there.
        AnchorError: the file cannot be written.
    """
    async with _alone(path):
        before = await _signed_before(path, key)
        faults = await compare_anchor(reader, before) if before is not None else ()
        if before is not None and faults:
            raise _misfit(path, before, faults[0])
        anchor = await take_anchor(reader, clock)
        await _write(path, key, anchor)
        return anchor


async def raise_anchor(reader: LogReader, path: Path, key: AnchorKey, clock: Clock, company: int) -> Anchor:
    """Anchor one company's log at its present head; what the anchor says of others stays.

    Raises:
        AnchorBrokenError: its log does not fit the anchor that is there, or something else is there.
        AnchorError: the file cannot be written.
    """
    async with _alone(path):
        before = await _signed_before(path, key)
        if before is None:
            anchor = await take_anchor(reader, clock)
        else:
            mine = {number: head for number, head in before.heads.items() if number == company}
            faults = await compare_anchor(reader, Anchor(before.at, mine))
            if faults:
                raise _misfit(path, before, faults[0])
            head = (await reader.heads([company]))[company]
            anchor = Anchor(clock.now(), {**before.heads, company: (head.position, head.hash)})
        await _write(path, key, anchor)
        return anchor


def _misfit(path: Path, before: Anchor, fault: Fault) -> AnchorBrokenError:
    return AnchorBrokenError(
        f"The log does not fit the anchor {path} of {before.at:%Y-%m-%d %H:%M:%S}Z, which is kept: {fault}.",
        remedy="If the log was restored from a backup, run `counterfoil recover`; else see `counterfoil log verify "
        "--anchor` with it.",
    )


async def accept_log(reader: LogReader, path: Path, key: AnchorKey, clock: Clock, company: int) -> Anchor:
    """Anchor one company's log as it is now, whatever the anchor that is there says of it; the others' words stay.

    Raises:
        AnchorBrokenError: something else is there.
        AnchorError: the file cannot be written.
    """
    async with _alone(path):
        before = await _signed_before(path, key)
        present = await take_anchor(reader, clock)
        mine = {number: head for number, head in present.heads.items() if number == company}
        others = before.heads if before is not None else present.heads
        anchor = Anchor(present.at, {**others, **mine})
        await _write(path, key, anchor)
        return anchor


@asynccontextmanager
async def _alone(path: Path) -> AsyncGenerator[None]:
    """No other process writes the same anchor meanwhile: it might put an older head over a newer one.

    Raises:
        AnchorError: its folder cannot be opened.
    """
    try:
        handle = await asyncio.to_thread(os.open, path.parent, os.O_RDONLY)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        await _locked(path, handle)
        yield
    finally:
        os.close(handle)


async def _locked(path: Path, handle: int) -> None:
    """Asked again and again, so that a process that was halted while it wrote keeps nobody for ever."""
    try:
        async with asyncio.timeout(LOCK_SECONDS_MAX):
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    await asyncio.sleep(_LOCK_POLL_SECONDS)
                else:
                    return
    except TimeoutError:
        raise AnchorError(
            f"Another process has been writing the anchor {path} for {LOCK_SECONDS_MAX:.0f} seconds.",
            remedy="End it if it was halted. Nothing is sent meanwhile; it is tried again.",
        ) from None


def _unwritable(path: Path, error: OSError) -> AnchorError:
    return AnchorError(
        f"The anchor {path} cannot be written ({error.strerror}).", remedy="Check the folder and its rights."
    )


async def _write(path: Path, key: AnchorKey, anchor: Anchor) -> None:
    try:
        await asyncio.to_thread(_replace, path, anchor.signed(key))
    except OSError as error:
        raise _unwritable(path, error) from error


async def _signed_before(path: Path, key: AnchorKey) -> Anchor | None:
    if not await asyncio.to_thread(path.exists):
        return None
    try:
        return await read_anchor(path, key)
    except AnchorError as error:
        raise AnchorBrokenError(
            f"{path} is there already, and is not replaced: it is no anchor signed with this key.",
            remedy="If the key is a new one, move that file elsewhere; if not, somebody has changed it.",
        ) from error


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


async def read_anchor(path: Path, key: AnchorKey) -> Anchor:
    """An anchor whose signature is right.

    Raises:
        AnchorBrokenError: it was not signed with this key, or changed.
        AnchorError: it cannot be read, or is none.
    """
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise AnchorError(f"The anchor {path} cannot be read ({error.strerror}).") from error
    try:
        anchor, signature = _parse(exact_json.loads_object(content))
    except (KeyError, TypeError, ValueError) as error:
        raise AnchorError(f"{path} is not an anchor.", remedy="Name a file that `log anchor` wrote.") from error
    if not hmac.compare_digest(signature, key.sign(anchor.content())):
        raise AnchorBrokenError(
            f"The signature of the anchor {path} is wrong.",
            remedy="Either the anchor was changed, or this is not the key that it was signed with.",
        )
    return anchor


def _parse(fields: Mapping[str, JsonValue]) -> tuple[Anchor, str]:
    at, heads, signature = fields["at"], fields["heads"], fields["signature"]
    if fields["format"] != _FORMAT or not isinstance(at, str) or not isinstance(heads, list):
        raise ValueError("another format")
    found: dict[int, tuple[int, bytes]] = {}
    for head in heads:
        if not isinstance(head, list):
            raise TypeError("a head is a list")
        company, position, link = head
        if not isinstance(company, int) or not isinstance(position, int) or not isinstance(link, str):
            raise TypeError("a head is company, position and link")
        found[company] = (position, bytes.fromhex(link))
    if not isinstance(signature, str) or not signature.isascii():
        raise TypeError("a signature is hexadecimal text")
    return Anchor(datetime.fromisoformat(at), found), signature


async def compare_anchor(reader: LogReader, anchor: Anchor) -> tuple[Fault, ...]:
    """What of the anchored log is gone or rewritten; use together with `verify`, which checks the rest."""
    heads = await reader.heads([*anchor.heads])
    faults: list[Fault] = []
    for company, (position, link) in sorted(anchor.heads.items()):
        head = heads.get(company)
        if head is None or head.position < position:
            stands = "has no log" if head is None else f"ends at {head.position}"
            text = f"the company {stands}, but stood at {position} when it was anchored: events were removed"
            faults.append(Fault(company, position, "anchor", text))
        elif position:
            event = await reader.get(company, position)
            if event is None or event.link != link:
                text = "the link is not the one that was anchored: the log was rewritten"
                faults.append(Fault(company, position, "anchor", text))
    return tuple(faults)
