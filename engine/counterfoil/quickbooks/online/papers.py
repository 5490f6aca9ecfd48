"""Documents on paper, by e-mail and with files attached; and reports.

PDF and files come as bytes, an attached file through a link that lives for minutes and wants no token.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from counterfoil.dispatch.limiter import CallKind, Lane
from counterfoil.ports import Clock
from counterfoil.quickbooks.online.answers import Good, Unreadable
from counterfoil.quickbooks.online.calls import Call, CallResult, Calls, Reply
from counterfoil.quickbooks.online.interpret import read_failure, write_outcome
from counterfoil.quickbooks.online.operations import PRINTABLE, OperationError
from counterfoil.quickbooks.online.outcomes import Accepted, ReadFailed, Rejected, Uncertain, WriteOutcome
from counterfoil.quickbooks.online.reports import Report, ReportError, ReportName, check_parameters, report_from
from counterfoil.quickbooks.online.transport import Exchange, exchange
from counterfoil.quickbooks.online.upload import Attachment, attachable_in, multipart

UPLOAD_BYTES_MAX: Final = 100 * 1024 * 1024
PATIENCE_SECONDS: Final = 180.0
BINARY: Final = "application/octet-stream"
OK: Final = 200


@dataclass(frozen=True, slots=True)
class File:
    """The content of a file."""

    content: bytes
    content_type: str


class Papers:
    """What goes beside the records of one realm."""

    def __init__(self, session: aiohttp.ClientSession, calls: Calls, clock: Clock) -> None:
        self._session = session
        self._calls = calls
        self._clock = clock

    async def pdf(self, entity: str, entity_id: str, lane: Lane) -> File | ReadFailed:
        """A document as it would be printed.

        Raises:
            OperationError: QuickBooks prints no such document.
        """
        _require_printable(entity)
        call = self._get("pdf", entity, f"{entity.lower()}/{quote(entity_id, safe='')}/pdf", lane, {})
        return _file(await self._calls.make(replace(call, accept="application/pdf")))

    async def send(
        self, entity: str, entity_id: str, to: str, *, request_id: str, lane: Lane, deadline: float
    ) -> WriteOutcome:
        """Have QuickBooks e-mail a document, to the address on it if `to` is empty.

        It is a write: an answer that is lost may mean that the mail went out, and only the same request id repeats it.

        Raises:
            OperationError: QuickBooks sends no such document.
        """
        _require_printable(entity)
        call = Call(
            name="send",
            entity=entity,
            path=f"{entity.lower()}/{quote(entity_id, safe='')}/send",
            lane=lane,
            deadline=deadline,
            parameters={"sendTo": to} if to else {},
            body=b"",
            content_type=BINARY,
            request_id=request_id,
        )
        return write_outcome(await self._calls.make(call), entity)

    async def upload(self, attachment: Attachment, *, request_id: str, lane: Lane, deadline: float) -> WriteOutcome:
        """Attach a file to records; the outcome's document is the Attachable.

        Raises:
            ValueError: over Intuit's 100 MB.
        """
        if len(attachment.content) > UPLOAD_BYTES_MAX:
            raise ValueError(
                f"QuickBooks takes files up to {UPLOAD_BYTES_MAX:,} bytes, not {len(attachment.content):,}"
            )
        # Bound to the request, so that a repetition sends the same bytes.
        boundary = hashlib.sha256(request_id.encode()).hexdigest()[:32]
        call = Call(
            name="upload",
            entity="Attachable",
            path="upload",
            lane=lane,
            deadline=deadline,
            body=multipart(attachment, boundary),
            content_type=f"multipart/form-data; boundary={boundary}",
            request_id=request_id,
        )
        result = await self._calls.make(call)
        if not isinstance(result, Reply) or not isinstance(result.answer, Good):
            return write_outcome(result, "Attachable")
        got = result.exchange
        found = attachable_in(result.answer.document, got.status)
        if found is None:
            return Uncertain(f"HTTP {got.status} without the Attachable in it", got.intuit_tid)
        if isinstance(found, dict):
            return Accepted(found, got.body, got.intuit_tid, got.status)
        return Rejected(found, got.body, got.intuit_tid, got.status)

    async def download(self, attachable_id: str, lane: Lane) -> File | ReadFailed:
        """The content of an attached file, by the link that QuickBooks gives for it."""
        call = self._get("download", "Attachable", f"download/{quote(attachable_id, safe='')}", lane, {})
        linked = _file(await self._calls.make(replace(call, accept="text/plain")))
        if isinstance(linked, ReadFailed):
            return linked
        try:
            url = URL(linked.content.decode("utf-8").strip())
        except ValueError:
            url = URL()
        if url.scheme not in {"http", "https"} or not url.host:
            return ReadFailed("QuickBooks gave no link for the file")
        # The link is a secret of its own and leads elsewhere: no token goes with it.
        got = await exchange(
            self._session,
            "GET",
            url,
            headers={},
            body=None,
            content_type="",
            clock=self._clock,
            deadline=self._until(),
        )
        if not isinstance(got, Exchange) or got.status != OK:
            return ReadFailed("the file could not be fetched by its link", transient=True)
        return File(got.body, got.content_type)

    async def report(
        self, name: ReportName, parameters: Mapping[str, str], lane: Lane = Lane.LIVE
    ) -> Report | ReadFailed:
        """A report, whole.

        Raises:
            ReportError: a parameter that reports do not take, or an answer that is cut off or no report.
        """
        check_parameters(parameters)
        result = await self._calls.make(self._get("report", name, f"reports/{name}", lane, dict(parameters)))
        failed = read_failure(result)
        if failed is not None:
            return failed
        if not isinstance(result, Reply) or not isinstance(result.answer, Good):
            raise ReportError("QuickBooks answered with something that is no report.")
        return report_from(result.answer.document)

    def _get(self, name: str, entity: str, path: str, lane: Lane, parameters: dict[str, str]) -> Call:
        return Call(
            name=name,
            entity=entity,
            path=path,
            lane=lane,
            deadline=self._until(),
            method="GET",
            kind=CallKind.READ,
            parameters=parameters,
            metered=1,
        )

    def _until(self) -> float:
        return self._clock.monotonic() + PATIENCE_SECONDS


def _require_printable(entity: str) -> None:
    if entity not in PRINTABLE:
        raise OperationError(
            f"QuickBooks neither prints nor e-mails a record of the kind {entity}.",
            remedy=f"It does so with {', '.join(sorted(PRINTABLE))}.",
        )


def _file(result: CallResult) -> File | ReadFailed:
    """An answer that is no JSON, and need not be."""
    if isinstance(result, Reply) and isinstance(result.answer, Unreadable) and result.exchange.status == OK:
        return File(result.exchange.body, result.exchange.content_type)
    return read_failure(result) or ReadFailed("an answer that is no file", transient=True)
