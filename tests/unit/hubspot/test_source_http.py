"""The common HTTP client, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from counterfoil.sources.http import BusyError, RefusedError, SourceHttp, UnansweredError, retry_after_seconds
from counterfoil.sources.port import SourceError
from support.hubspot import HastyClock

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """Answers in turn; the last answer stands for all that follow."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    clock: HastyClock = field(default_factory=HastyClock)
    forgotten: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=lambda: ["first"])
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    async def token(self) -> SecretStr:
        return SecretStr(self.tokens[0])

    def forget(self, token: SecretStr) -> None:
        self.forgotten.append(token.get_secret_value())
        self.tokens.pop(0)


def says(status: int = 200, body: bytes = b"{}", kind: str = "application/json", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, content_type=kind, headers=named)

    return answer


async def cuts(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def stalls(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


@asynccontextmanager
async def serving(
    *answers: Answer, timeout_seconds: float = 5, tries: int = 5, body_bytes_max: int = 1 << 20
) -> AsyncIterator[tuple[Server, SourceHttp]]:
    server = Server(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session:
            yield (
                server,
                SourceHttp(
                    session,
                    server.url,
                    server.token,
                    AsyncLimiter(10_000, 1),
                    server.clock,
                    "Example",
                    forget_token=server.forget,
                    timeout_seconds=timeout_seconds,
                    tries=tries,
                    body_bytes_max=body_bytes_max,
                ),
            )
    finally:
        await runner.cleanup()


async def test_money_goes_both_ways_without_a_float() -> None:
    async with serving(says(body=b'{"amount":12345678901234567.89}')) as (server, http):
        answer = await http.request("POST", "/x", json={"price": Decimal("0.10")}, params={"a": "1"})
    assert {"amount": Decimal("12345678901234567.89")} == answer.object()
    assert await server.requests[0].read() == b'{"price":0.10}'
    assert (server.requests[0].headers["Authorization"], server.requests[0].query_string) == ("Bearer first", "a=1")


async def test_waits_grow_and_then_it_is_given_up() -> None:
    async with serving(says(503), tries=5) as (server, http):
        with pytest.raises(BusyError, match="Example answered GET /x with 503") as caught:
            await http.request("GET", "/x")
    assert (len(server.requests), server.clock.waits) == (5, [0.5, 1.0, 2.0, 4.0])
    assert caught.value.retry_after == 10.0


async def test_the_source_s_own_wait_counts_unless_it_is_too_long() -> None:
    async with serving(says(429, Retry_After="7"), says()) as (server, http):
        assert (await http.request("GET", "/x")).status == 200
        assert server.clock.waits == [7.0]
    async with serving(says(429, Retry_After="3600")) as (server, http):
        with pytest.raises(BusyError) as caught:
            await http.request("GET", "/x")
        assert (server.clock.waits, caught.value.retry_after) == ([], 3600.0)


@pytest.mark.parametrize(
    "answer",
    [cuts, stalls, says(body=b'{"cut":'), says(body=b"NaN")],
    ids=["cut off", "late", "half a body", "no number"],
)
async def test_an_answer_that_is_lost_late_or_cut_off_is_asked_for_again(answer: Answer) -> None:
    async with serving(answer, says(body=b'{"n":1}'), timeout_seconds=1) as (server, http):
        assert (await http.request("POST", "/x", json={})).object() == {"n": 1}
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [cuts, stalls])
async def test_a_write_is_not_repeated_unless_asked(answer: Answer) -> None:
    async with serving(answer, timeout_seconds=1) as (server, http):
        with pytest.raises(UnansweredError):
            await http.request("PATCH", "/x", json={}, tries=1)
    assert len(server.requests) == 1


async def test_an_expected_status_is_an_answer_whatever_it_is() -> None:
    async with serving(says(503, b"<html>", "text/html")) as (_, http):
        assert (await http.request("GET", "/x", expect={503})).status == 503


async def test_a_refusal_is_final_and_in_the_vendor_s_words() -> None:
    async with serving(says(403, b'{"message":"No scope for this."}')) as (server, http):
        with pytest.raises(RefusedError, match=r"with 403: No scope for this\. Give the connection") as caught:
            await http.request("GET", "/x")
    assert (
        len(server.requests),
        caught.value.status,
        caught.value.body,
    ) == (1, 403, b'{"message":"No scope for this."}')
    assert caught.value.retry_after is None


async def test_a_refused_token_is_forgotten_and_the_next_one_tried_once() -> None:
    async with serving(says(401), says()) as (server, http):
        server.tokens = ["old", "new"]
        await http.request("GET", "/x")
    assert (server.forgotten, server.requests[1].headers["Authorization"]) == (["old"], "Bearer new")
    async with serving(says(401)) as (server, http):
        server.tokens = ["old", "new"]
        with pytest.raises(RefusedError, match="401") as caught:
            await http.request("GET", "/x")
    assert len(server.requests) == 2
    assert "new" not in str(caught.value)


async def test_a_redirect_does_not_carry_the_token_away() -> None:
    async with serving(says(302, Location="http://127.0.0.1:9/elsewhere")) as (server, http):
        with pytest.raises(RefusedError, match="302"):
            await http.request("GET", "/x")
    assert len(server.requests) == 1


async def test_an_answer_has_a_largest_size() -> None:
    async with serving(says(body=b" " * 5000 + b"{}"), body_bytes_max=4096) as (_, http):
        with pytest.raises(RefusedError, match="more than 4096 bytes"):
            await http.request("GET", "/x")


async def test_a_form_goes_without_the_bearer_token() -> None:
    async with serving(says()) as (server, http):
        await http.request("POST", "/token", form={"grant_type": "refresh_token"})
    assert "Authorization" not in server.requests[0].headers
    assert await server.requests[0].read() == b"grant_type=refresh_token"


async def test_a_write_whose_time_has_passed_stays_here() -> None:
    """Whatever held it up on the way to the socket: another process may be writing newer values by now."""
    async with serving(says()) as (server, http):
        late = server.clock.monotonic()
        with pytest.raises(SourceError, match="was not sent") as caught:
            await http.request("PATCH", "/x", json={"a": 1}, tries=1, deadline=late)
        assert not isinstance(caught.value, UnansweredError)
        assert server.requests == []
        await http.request("PATCH", "/x", json={"a": 2}, tries=1, deadline=late + 60)
        assert await server.requests[0].read() == b'{"a":2}'


async def test_nobody_at_the_address_is_said_with_the_address() -> None:
    async with serving(says(), tries=2) as (server, _):
        pass
    async with aiohttp.ClientSession() as session:
        dead = SourceHttp(session, server.url, server.token, AsyncLimiter(10, 1), server.clock, "Example", tries=2)
        with pytest.raises(SourceError, match="cannot be reached at http://127"):
            await dead.request("GET", "/x")
    assert len(server.clock.waits) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), ("0.5", 0.5), ("", None), ("soon", None), ("-1", None), ("Mon, 02 Nov 2026 09:01:00 GMT", 60.0)],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    class Noon(HastyClock):
        def now(self) -> datetime:
            return datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    assert seconds == retry_after_seconds({"retry-after": text}, Noon())
