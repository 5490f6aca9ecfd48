"""What the engine is doing where something goes wrong: read from the frames that are running or waiting."""

import asyncio
import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import CoroutineType, FrameType
from typing import Any, Final

IDLE: Final = "idle"
MEETING: Final = "meeting the books"
READING_BOOKS: Final = "reading books"

# The innermost frame that says something decides.
_PHASES: Final[Mapping[str, str]] = {
    "counterfoil.quickbooks.online.access": "token refresh",
    "counterfoil.quickbooks.online.oauth": "token refresh",
    "counterfoil.dispatch.settle": "settling",
    "counterfoil.dispatch.evidence": "settling",
    "counterfoil.dispatch.merging": "merging",
    "counterfoil.dispatch.acquaintance": MEETING,
    "counterfoil.dispatch.sweeping": "sweeping",
    "counterfoil.dispatch.coverage": "sweeping",
    "counterfoil.dispatch.observing": READING_BOOKS,
    "counterfoil.dispatch.sources": "reading source",
    "counterfoil.dispatch.write_back": "write-back",
    "counterfoil.dispatch.folding": "folding",
    "counterfoil.dispatch.decide": "planning",
    "counterfoil.dispatch.view": "planning",
    "counterfoil.dispatch.inbound": "planning",
    "counterfoil.dispatch.requests": "operators' requests",
    "counterfoil.dispatch.telling": "telling the source",
    "counterfoil.dispatch.outbox": "picking",
    "counterfoil.dispatch.picking": "picking",
    "counterfoil.dispatch.lease": "lease",
    "counterfoil.housekeeping": "housekeeping",
    "counterfoil.token_watch": "housekeeping",
    "counterfoil.http.webhooks": "webhook",
    "counterfoil.runner": "lease",
    "counterfoil.dispatch.worker": "main loop",
}
_SENDER: Final = "counterfoil.dispatch.sender"
_CLIENT: Final = "counterfoil.quickbooks.online.client"

SENDING: Final = ("send create", "send update", "send batch")
PHASES: Final = tuple(dict.fromkeys([*SENDING, "sending", *_PHASES.values(), IDLE]))


def phase_here() -> str:
    """Of the code that is running."""
    frame = inspect.currentframe()

    def frames() -> Iterator[FrameType]:
        at = frame
        while at is not None:
            yield at
            at = at.f_back

    return _phase(frames())


def phase_of(callback: object) -> str:
    """Of the task that a callback would have gone on with."""
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return IDLE
    waiting: list[FrameType] = []
    at: Any = task.get_coro()
    while isinstance(at, CoroutineType):
        if at.cr_frame is not None:
            waiting.append(at.cr_frame)
        at = at.cr_await
    return _phase(reversed(waiting))


def _phase(frames: Iterable[FrameType]) -> str:
    """The frames from the innermost outwards."""
    operation, found = "", IDLE
    for frame in frames:
        module = str(frame.f_globals.get("__name__", ""))
        if module == _CLIENT and not operation:
            operation = _operation(frame)
        if module == _SENDER:
            return f"send {operation}" if operation else "sending"
        phase = _PHASES.get(module, IDLE)
        if phase == MEETING:
            return phase
        # Getting to know the books reads them like everybody else: who asked for a reading is looked at too.
        if phase == READING_BOOKS:
            found = phase
        elif phase != IDLE:
            return phase if found == IDLE else found
    return found


def _operation(frame: FrameType) -> str:
    """What a frame of the client sends."""
    name = frame.f_code.co_name
    if name in {"batch", "write"}:
        return "batch" if name == "batch" else str(frame.f_locals.get("operation", ""))
    return ""
