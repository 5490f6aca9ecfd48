"""The accounting API over HTTP."""

from aiohttp import web

from counterfoil.quickbooks.emulator.attachments import Files
from counterfoil.quickbooks.emulator.exchange import Exchange, Incoming


class AccountingApi:
    """The handlers of `/v3/company/{realm}/…`, and of the links to attached files."""

    def __init__(self, exchange: Exchange, files: Files) -> None:
        self._exchange = exchange
        self._files = files

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("*", "/v3/company/{realm}/{tail:.*}", self.handle)
        app.router.add_get("/files/{token}", self.file)

    async def file(self, request: web.Request) -> web.Response:
        """The content of an attachable, by a link that has not expired; it needs no token."""
        found = self._files.fetch(request.match_info["token"])
        if found is None:
            raise web.HTTPForbidden(text="Request has expired")
        return web.Response(body=found.content, headers={"Content-Type": found.content_type})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass one request through."""
        incoming = Incoming(
            method=request.method,
            realm=request.match_info["realm"],
            tail=request.match_info["tail"],
            parameters=request.query,
            authorization=request.headers.get("Authorization", ""),
            body=await request.read(),
            path=request.path_qs,
            gone=lambda: request.transport is None or request.transport.is_closing(),
        )
        outgoing = await self._exchange.answer(incoming)
        if outgoing.dropped:
            if request.transport is not None:
                request.transport.abort()
            # Nobody is left to read it.
            return web.Response(status=500)
        headers = {"intuit_tid": outgoing.intuit_tid, "Content-Type": outgoing.content_type}
        return web.Response(status=outgoing.status, body=outgoing.body, headers=headers)
