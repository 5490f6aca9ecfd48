"""The engine's own HTTP server, for those who embed it in nothing: webhooks, health, readiness."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.http.health import health_routes

WEBHOOKS = "/webhooks"
SHUTDOWN_SECONDS = 10.0


@asynccontextmanager
async def serving(engine: Engine, host: str, port: int) -> AsyncGenerator[str]:
    """Answer requests for the length of a block; gives the address. Port 0 takes a free one.

    POST /webhooks/quickbooks, POST /webhooks/sources/{company}/{connection}, GET /health, GET /ready.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    application = web.Application()
    application.add_subapp(WEBHOOKS, engine.webhooks)
    health_routes(application, engine.health)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as problem:
            raise ConfigurationError(
                f"Cannot listen on {host}, port {port}: {problem.strerror}.", remedy="Choose another --host or --port."
            ) from None
        taken = next((address[1] for address in runner.addresses if address), port)
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{taken}"
    finally:
        await runner.cleanup()
