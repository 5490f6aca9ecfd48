"""The accounting API over HTTP."""

from aiohttp import web

from counterfoil.quickbooks.emulator.exchange import Exchange, Incoming


class AccountingApi:
    """The handler of `/v3/company/{realm}/…`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def add_to(self, app: web.Application) -> None:
        app.router.add_route("*", "/v3/company/{realm}/{tail:.*}", self.handle)

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
