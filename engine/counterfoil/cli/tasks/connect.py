"""`counterfoil connect quickbooks` and `disconnect quickbooks`."""

import asyncio
import webbrowser
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import open_state
from counterfoil.cli.output import console, write_json
from counterfoil.clock import SystemEntropy
from counterfoil.connecting import quickbooks_consent
from counterfoil.errors import ConfigurationError, CounterfoilError
from counterfoil.http.connecting import page, refused
from counterfoil.keys import master_key, token_keys
from counterfoil.quickbooks.online.consent import ConsentError, Made, QuickBooksConsent, StrayAnswerError
from counterfoil.quickbooks.online.transport import open_session
from counterfoil.secrets import open_token_store
from counterfoil.settings import Settings

_STAYS = (
    "What stays: the event log, links, mappings and everything queued, which goes out once QuickBooks is connected "
    "again; and the books as they are."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How consent is asked for on this computer."""

    port: int
    redirect_uri: str | None
    browser: bool
    seconds: float


async def connect(settings: Settings, company: int | None, asking: Asking, *, as_json: bool) -> int:
    """Ask for consent, wait for the answer, keep the tokens."""
    number = _one_company(settings, company)
    async with _consent(settings) as consent, _callback(consent, asking) as (address, answered):
        begun = await consent.begin(number, asking.redirect_uri or address)
        opened = asking.browser and await asyncio.to_thread(webbrowser.open, begun.url)
        _show_page(begun.url, opened=opened, as_json=as_json)
        try:
            async with asyncio.timeout(asking.seconds):
                made = await answered
        except TimeoutError:
            raise ConsentError(
                f"No answer came within {asking.seconds:g} seconds; nothing was changed.",
                remedy="Run the command again, and give consent on the page.",
            ) from None
    if as_json:
        write_json({"company": made.company, "realm_id": made.realm_id, "connected": True})
    else:
        text = f"Company {made.company} is connected to QuickBooks realm {made.realm_id}."
        console().print(Text(f"{text} What waited for it goes out by itself."), soft_wrap=True)
    return ExitCode.OK


async def disconnect(settings: Settings, company: int | None, *, forget: bool, as_json: bool) -> int:
    """Revoke the tokens at Intuit and forget them."""
    number = _one_company(settings, company)
    async with _consent(settings) as consent:
        was_connected = await consent.disconnect(number, even_unrevoked=forget)
    if as_json:
        write_json({"company": number, "was_connected": was_connected, "connected": False})
    else:
        done = "is disconnected from QuickBooks" if was_connected else "was not connected to QuickBooks"
        console().print(Text(f"Company {number} {done}. {_STAYS}"), soft_wrap=True)
    return ExitCode.OK


def _one_company(settings: Settings, company: int | None) -> int:
    if company is not None:
        return company
    if len(settings.companies) == 1:
        return settings.companies[0].company
    known = ", ".join(str(one.company) for one in settings.companies) or "none"
    raise ConfigurationError(f"Which company? Configured are: {known}.", remedy="Say so with --company NUMBER.")


def _show_page(url: str, *, opened: bool, as_json: bool) -> None:
    """The address is no secret: its state counts only together with an answer of Intuit's."""
    if as_json:
        write_json({"consent_url": url})
        return
    said = "Give consent on the page that opens now, or at" if opened else "Give consent at"
    console().print(Text(f"{said}\n{url}"), soft_wrap=True)


@asynccontextmanager
async def _consent(settings: Settings) -> AsyncGenerator[QuickBooksConsent]:
    entropy = SystemEntropy()
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_state(settings))
        secret = await asyncio.to_thread(master_key, settings.master_key, settings.home, entropy)
        tokens = await stack.enter_async_context(
            open_token_store(settings.tokens, opened.pool, opened.names, keys=token_keys(secret), entropy=entropy)
        )
        yield quickbooks_consent(
            settings,
            http=await stack.enter_async_context(open_session()),
            pool=opened.pool,
            names=opened.names,
            tokens=tokens,
            clock=opened.clock,
            entropy=entropy,
        )


@asynccontextmanager
async def _callback(consent: QuickBooksConsent, asking: Asking) -> AsyncGenerator[tuple[str, "asyncio.Future[Made]"]]:
    """Take the answer on the loopback address; gives that address, and the connection to be."""
    answered: asyncio.Future[Made] = asyncio.get_running_loop().create_future()

    async def take(request: web.Request) -> web.Response:
        return await _take(consent, request.query, answered)

    path = urlsplit(asking.redirect_uri).path or "/" if asking.redirect_uri else "/callback"
    application = web.Application()
    application.router.add_get(path, take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        try:
            site = web.TCPSite(runner, "127.0.0.1", asking.port)
            await site.start()
        except OSError as problem:
            raise ConfigurationError(
                f"Cannot listen on port {asking.port}: {problem.strerror}.", remedy="Choose another --port."
            ) from None
        (address,) = runner.addresses
        yield f"http://localhost:{address[1]}{path}", answered
    finally:
        await runner.cleanup()


async def _take(
    consent: QuickBooksConsent, answer: Mapping[str, str], answered: "asyncio.Future[Made]"
) -> web.Response:
    try:
        made = await consent.finish(answer)
    except CounterfoilError as error:
        # Whatever comes with a state that was never asked for is nobody's answer: the true one may still come.
        if not isinstance(error, StrayAnswerError) and not answered.done():
            answered.set_exception(error)
        return refused(error)
    if not answered.done():
        answered.set_result(made)
    text = f"Company {made.company} is connected to realm {made.realm_id}. You may close this window."
    return page(200, "QuickBooks is connected", text)
