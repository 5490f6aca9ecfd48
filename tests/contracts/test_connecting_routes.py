"""A platform mounts the routes by which its customers connect; and no secret of such a life shows anywhere."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from counterfoil.engine import Engine
from counterfoil.postgres import Pool
from counterfoil.quickbooks.online.consent import ConsentError, StrayAnswerError
from counterfoil.quickbooks.online.oauth import TokenError
from counterfoil.settings import Settings
from support.postgres import Database
from support.running import GIVE_UP_SECONDS, Shop, company_settings, open_shop
from support.secrecy import dump, events_of, process_arguments, written


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        opened.sales.open(customers=1, products=1, orders=1)
        yield opened


def unconnected(shop: Shop) -> Settings:
    company = company_settings(shop.emulator, shop.folder)
    bare = company.quickbooks.model_copy(update={"realm_id": None, "refresh_token": None})
    return shop.settings(company.model_copy(update={"quickbooks": bare}))


@asynccontextmanager
async def platform(engine: Engine) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """A host's application with the routes below /books, and a browser that keeps cookies."""
    application = web.Application()
    application.add_subapp("/books", engine.connecting)
    # As the page on connecting advises: an access log would hold each callback's code, used up by then.
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ((_, port),) = [address[:2] for address in runner.addresses]
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            yield f"http://127.0.0.1:{port}/books/quickbooks", browser
    finally:
        await runner.cleanup()


async def location(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.get(url, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        return answer.headers["Location"]


async def test_a_customer_connects_and_work_begins_without_a_restart(shop: Shop) -> None:
    async with shop.engine(unconnected(shop)) as engine, platform(engine) as (url, browser):
        assert engine.connected(1).realm.realm_id == ""
        async with browser.get(f"{url}/1") as connected:
            assert (connected.status, "QuickBooks is connected" in await connected.text()) == (200, True)
            again = str(connected.url)
        await shop.until_done()
        assert engine.connected(1).realm.realm_id == shop.emulator["realm_id"]
        async with browser.get(again) as repeated:
            assert (repeated.status, "asked for in this browser" in await repeated.text()) == (400, True)
        async with browser.get(f"{url}/2") as unknown:
            assert (unknown.status, "Company 2 is not configured" in await unknown.text()) == (400, True)
    assert len((await shop.control("/state?entity=Invoice"))["Invoice"]) == 1


async def test_an_answer_counts_only_in_the_browser_that_asked_and_only_once(shop: Shop) -> None:
    async with shop.engine(unconnected(shop)) as engine, platform(engine) as (url, browser):
        answer = await location(browser, await location(browser, f"{url}/1"))
        async with aiohttp.ClientSession() as stranger, stranger.get(answer) as refused:
            assert refused.status == 400
        async with browser.get(answer) as taken:
            assert taken.status == 200
        fields = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
        with pytest.raises(StrayAnswerError):
            await engine.consent.finish(fields)


async def test_answers_that_lead_to_no_connection_are_told(shop: Shop) -> None:
    async with shop.engine(unconnected(shop)) as engine:
        for answer, said in [
            ({"error": "access_denied"}, "did not give consent for company 1"),
            ({"error": "invalid_scope"}, "invalid_scope"),
            ({"error": "<b>other</b>"}, "another error"),
            ({"code": "AB11"}, "lacks a code or a realm"),
            ({"realmId": "1"}, "lacks a code or a realm"),
            ({"code": "x" * 513, "realmId": "1"}, "lacks a code or a realm"),
            ({"code": "AB11", "realmId": "../1"}, "lacks a code or a realm"),
        ]:
            begun = await engine.consent.begin(1, "http://localhost/callback")
            with pytest.raises(ConsentError, match=said):
                await engine.consent.finish({**answer, "state": begun.state})
        begun = await engine.consent.begin(1, "http://localhost/callback")
        with pytest.raises(TokenError):
            await engine.consent.finish({"code": "AB11-never-given", "realmId": "1", "state": begun.state})


async def test_no_secret_of_a_whole_life_shows_anywhere(
    shop: Shop, admin_pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    """Connect, synchronise, refresh with rotation, a dead grant, reconnect, disconnect."""
    caplog.set_level(logging.DEBUG)
    exporter = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    secrets = {
        "client secret": shop.emulator["client_secret"],
        "verifier token": shop.emulator["verifier_token"],
        "first refresh token": shop.emulator["refresh_token"],
    }
    errors: list[str] = []
    texts: dict[str, str] = {}

    async def note(when: str) -> None:
        tokens = engine.connected(1).access.current
        assert tokens is not None
        secrets[f"access token {when}"] = tokens.access_token.get_secret_value()
        secrets[f"refresh token {when}"] = tokens.refresh_token.get_secret_value()
        texts[f"database {when}"] = await dump(admin_pool)
        texts[f"health {when}"] = json.dumps(await engine.health())
        texts[f"events {when}"] = await events_of(engine, 1)
        texts[f"arguments {when}"] = process_arguments()

    async def connect(when: str) -> None:
        answer = await location(browser, await location(browser, f"{url}/1"))
        fields = parse_qs(urlsplit(answer).query)
        secrets[f"code {when}"], secrets[f"state {when}"] = fields["code"][0], fields["state"][0]
        async with browser.get(answer) as connected:
            texts[f"page {when}"] = await connected.text()
        await shop.until_done()
        await note(when)

    async with shop.engine(unconnected(shop), tracers=tracers) as engine, platform(engine) as (url, browser):
        await connect("at first")
        await shop.control("/oauth", {"expire_access": True, "rotate": True})
        shop.sales.add_order()
        await shop.until_done()
        await note("after refreshing")
        await shop.control("/oauth", {"revoke": True})
        shop.sales.add_order()
        await until_reconnection_is_needed(engine)
        texts["errors of a dead grant"] = await refusal_of(engine)
        await connect("after the dead grant")
        begun = await engine.consent.begin(1, "http://localhost/callback")
        try:
            await engine.consent.finish({"code": "AB11-SECRET-CODE", "realmId": "9", "state": begun.state})
        except (ConsentError, TokenError) as error:
            errors += [str(error), repr(error)]
        await engine.consent.disconnect(1)
        texts["database at the end"] = await dump(admin_pool)
        texts["settings"] = repr(engine.settings)
    secrets |= secrets_at_rest(shop)
    texts |= {
        "spans": "\n".join(span.to_json() for span in exporter.get_finished_spans()),
        "log": caplog.text,
        "errors": "\n".join(errors),
    }
    assert len(set(secrets.values())) == len(secrets)
    assert_there_is_something_to_search(texts, errors)
    forms = [(name, form) for name, secret in secrets.items() for form in written(secret)]
    shown = [(name, place) for name, form in forms for place, text in texts.items() if form in text]
    assert shown == []
    assert len((await shop.control("/state?entity=Invoice"))["Invoice"]) == len(shop.sales.orders)


def secrets_at_rest(shop: Shop) -> dict[str, str]:
    """The master key, a code of our own making, and what the token endpoint's header holds."""
    pair = f"{shop.emulator['client_id']}:{shop.emulator['client_secret']}"
    return {
        "master key": (shop.folder / "master.key").read_text().strip(),
        "given code": "AB11-SECRET-CODE",
        "header of the token endpoint": base64.b64encode(pair.encode()).decode(),
    }


def assert_there_is_something_to_search(texts: dict[str, str], errors: list[str]) -> None:
    assert len(errors) == 2
    assert len(texts["spans"]) > 1000
    assert len(texts["events after refreshing"]) > 1000
    assert "python" in texts["arguments after refreshing"]
    assert "no longer connected" in texts["errors of a dead grant"]


async def until_reconnection_is_needed(engine: Engine) -> None:
    """Until the grant is known to be dead."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not engine.connected(1).access.reconnect_needed:
            await asyncio.sleep(0.1)


async def refusal_of(engine: Engine) -> str:
    with pytest.raises(TokenError) as refused:
        await engine.connected(1).access.token()
    return f"{refused.value} {refused.value!r} {refused.getrepr(style='long', showlocals=False)}"
