"""One write to a source, and how it ended in the engine's terms."""

from collections.abc import Mapping

from counterfoil.sources.http import RefusedError, SourceHttp, UnansweredError
from counterfoil.sources.port import SourceError, WriteBack, WriteBackResult

UNAUTHORIZED = 401
RECONNECT_SECONDS = 300.0
FIXES: Mapping[int, str] = {
    403: "Give the connection's token the right to write.",
    404: "The record was deleted or merged at the source; nothing is left to write to.",
}


async def write_once(
    http: SourceHttp, method: str, path: str, body: object, request: WriteBack, fixes: Mapping[int, str] | None = None
) -> WriteBackResult:
    """Send the values once, before the request's deadline; repeating is the engine's.

    Args:
        fixes: what a person does about a status, where the source's own words do not say.
    """
    try:
        await http.request(method, path, json=body, tries=1, deadline=request.deadline)
    except SourceError as error:
        return ended(error, fixes)
    return WriteBackResult(outcome="accepted")


def ended(error: SourceError, fixes: Mapping[int, str] | None = None) -> WriteBackResult:
    """What an error says about a write: lost on the way, refused, or to be tried later."""
    if isinstance(error, UnansweredError):
        return WriteBackResult(outcome="uncertain", reason=error.message, retry_after=error.retry_after)
    if not isinstance(error, RefusedError):
        return WriteBackResult(outcome="later", reason=error.message, retry_after=error.retry_after)
    if error.status == UNAUTHORIZED:
        # It says nothing about the record: once the connection is mended, the same write will do.
        return WriteBackResult(outcome="later", reason=error.message, fix=error.remedy, retry_after=RECONNECT_SECONDS)
    fix = {**FIXES, **(fixes or {})}.get(error.status, "Change the field or its rule at the source, or the mapping.")
    return WriteBackResult(outcome="rejected", reason=error.message, fix=fix)
