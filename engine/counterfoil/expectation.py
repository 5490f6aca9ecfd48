"""What aiohttp itself answers by 500: expectations that are no text, and bodies that are not packed as they say."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NoReturn

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

_KNOWN = "100-continue"


async def expected(request: web.Request) -> web.StreamResponse | None:
    """Let a sender go on that waits for it; refuse any other expectation.

    Raises:
        HTTPExpectationFailed: for any other.
    """
    if _is_strange(request):
        raise web.HTTPExpectationFailed
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # What was written is no part of the answer.
    request.writer.output_size = 0
    return None


def refuse_strange_expectations(application: web.Application) -> None:
    """Refuse them where no route fits as well: there aiohttp asks no handler of ours. Routes name `expected`."""
    application.router.register_resource(_Anywhere())


def _is_strange(request: web.Request) -> bool:
    return request.headers.get(hdrs.EXPECT, _KNOWN).lower() != _KNOWN


@web.middleware
async def refuse_unreadable_bodies(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer 400 where a body cannot be unpacked, or breaks off."""
    try:
        return await handler(request)
    except (HttpProcessingError, web.RequestPayloadError):
        return web.Response(status=400, text="The body cannot be read: it is not packed as it says, or not whole.")


class _Anywhere(web.AbstractResource):
    """Every address of an application, for requests with a strange expectation that fit no other resource."""

    def __init__(self) -> None:
        super().__init__()
        self._prefix = ""
        self._route = web.ResourceRoute(hdrs.METH_ANY, _never, self, expect_handler=expected)

    @property
    def canonical(self) -> str:
        return self._prefix or "/"

    def add_prefix(self, prefix: str) -> None:
        self._prefix = prefix + self._prefix

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        return (web.UrlMappingMatchInfo({}, self._route) if _is_strange(request) else None), set()

    def url_for(self, **parts: str) -> URL:
        del parts
        return URL(self.canonical)

    def get_info(self) -> Any:
        return {"path": self.canonical}

    def raw_match(self, path: str) -> bool:
        del path
        return False

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.ResourceRoute]:
        return iter((self._route,))


async def _never(_request: web.Request) -> NoReturn:
    """The expectation was refused before."""
    raise web.HTTPExpectationFailed
