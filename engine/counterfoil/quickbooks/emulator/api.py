"""The accounting API over HTTP."""

from aiohttp import web

from counterfoil.expectation import expected
from counterfoil.quickbooks.emulator.attachments import Files
from counterfoil.quickbooks.emulator.exchange import UPLOAD_BYTES_MAX, Exchange, Incoming
from counterfoil.quickbooks.emulator.packing import UnpackingError, unpacked

COMPRESSED_BYTES_MIN = 1000
ALLOWED = "GET, HEAD, OPTIONS, POST"


class AccountingApi:
    """The handlers of `/v3/company/{realm}/…`, and of the links to attached files."""

    def __init__(self, exchange: Exchange, files: Files, *, body_bytes_max: int) -> None:
        self._exchange = exchange
        self._files = files
        self._body_bytes_max = body_bytes_max

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("*", "/v3/company/{realm}/{tail:.*}", self.handle, expect_handler=expected)
        app.router.add_get("/files/{token}", self.file, expect_handler=expected)

    async def file(self, request: web.Request) -> web.Response:
        """The content of an attachable, by a link that has not expired; it needs no token."""
        found = self._files.fetch(request.match_info["token"])
        if found is None:
            raise web.HTTPForbidden(text="Request has expired")
        return web.Response(body=found.content, headers={"Content-Type": found.content_type})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass one request through."""
        if request.method == "OPTIONS":
            # Asked by browsers, without a token. QuickBooks takes no calls from pages: nothing says whose are allowed.
            return web.Response(status=204, headers={"Allow": ALLOWED})
        is_upload = request.match_info["tail"].strip("/").lower() == "upload"
        body, oversized = await _upload(request) if is_upload else (await request.read(), False)
        try:
            most = UPLOAD_BYTES_MAX if is_upload else self._body_bytes_max
            body = unpacked(body, request.headers.get("Content-Encoding", ""), most) if body else body
        except UnpackingError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        incoming = Incoming(
            method=request.method,
            realm=request.match_info["realm"],
            tail=request.match_info["tail"],
            parameters=request.query,
            authorization=request.headers.get("Authorization", ""),
            body=body,
            path=request.path_qs,
            oversized=oversized,
            accept=request.headers.get("Accept", ""),
            content_type=request.headers.get("Content-Type", ""),
            gone=lambda: request.transport is None or request.transport.is_closing(),
        )
        outgoing = await self._exchange.answer(incoming)
        if outgoing.dropped:
            if request.transport is not None:
                request.transport.abort()
            # Nobody is left to read it.
            return web.Response(status=500)
        headers = {"intuit_tid": outgoing.intuit_tid, "Content-Type": outgoing.content_type}
        response = web.Response(status=outgoing.status, body=outgoing.body, headers=headers)
        if len(outgoing.body) >= COMPRESSED_BYTES_MIN:
            # For whoever takes it; gzip or deflate.
            response.enable_compression()
        return response


async def _upload(request: web.Request) -> tuple[bytes, bool]:
    """The body of an upload, which may be larger than any other; none of it, and True, where it is larger still."""
    parts: list[bytes] = []
    room = UPLOAD_BYTES_MAX
    async for part in request.content.iter_any():
        room -= len(part)
        if room < 0:
            # Read on for a while, so that the client gets to see the answer.
            parts.clear()
            if room < -UPLOAD_BYTES_MAX:
                break
        else:
            parts.append(part)
    return b"".join(parts), room < 0
