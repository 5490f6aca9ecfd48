"""Ids that follow from what they stand for: the same change gives the same ids, after any restart or restore.

A request id has 32 characters, so that with a batch id it stays inside Intuit's 36 and 50.
"""

import re
from collections.abc import Sequence
from hashlib import sha256

from counterfoil_schema import exact_json

REQUEST_ID_LENGTH = 32
MARKER_LENGTH = 20
MARKER_BEGIN = "cf-"
_MARKER = re.compile(rf"{MARKER_BEGIN}[0-9a-f]{{{MARKER_LENGTH}}}")


def _digest(*parts: object) -> str:
    return sha256(exact_json.canonical(list(parts))).hexdigest()


def intent_id(company: int, target: str, record_key: str, change: int, ordinal: int) -> str:
    """The id of the nth intent of a change."""
    return _digest("intent", company, target, record_key, change, ordinal)[:REQUEST_ID_LENGTH]


def completing_id(adopting: str) -> str:
    """The id of the intent that completes a document which another intent adopted."""
    return _digest("completing", adopting)[:REQUEST_ID_LENGTH]


def request_id(
    *,
    company: int,
    target: str,
    record_key: str,
    operation: str,
    body_hash: str,
    sync_token: str | None,
    generation: int,
    recovery: str = "",
) -> str:
    """The id under which one byte-identical body is sent, however often.

    It names the SyncToken, so that A → B → A gives three different ids, and the generation, which a definitive
    fault of anything about the record raises. After a recovery it names that as well: a call that the log has
    forgotten may have had the same content, and QuickBooks would answer with what it did then, although that may be
    gone by now.
    """
    parts: tuple[object, ...] = (company, target, record_key, operation, body_hash, sync_token, generation)
    if recovery:
        parts = (*parts, recovery)
    return _digest("request", *parts)[:REQUEST_ID_LENGTH]


def batch_request_id(members: Sequence[str]) -> str:
    """The id of a batch follows from those that its members would have had alone, in their order."""
    return _digest("batch", list(members))[:REQUEST_ID_LENGTH]


def marker(company: int, record_key: str, entity: str, incarnation: int) -> str:
    """What a document of ours bears, so that it can be told from all others when an answer was lost."""
    return MARKER_BEGIN + _digest("marker", company, record_key, entity, incarnation)[:MARKER_LENGTH]


def markers_in(text: str) -> list[str]:
    """All that look like a marker of somebody's engine."""
    return _MARKER.findall(text)


def bytes_hash(body: bytes) -> str:
    """The hash that binds a request id to its bytes."""
    return sha256(body).hexdigest()
