"""Routes for a platform whose customers connect their own QuickBooks.

GET /quickbooks/{company}    sends the browser to Intuit's consent page; guard it with the platform's own login
GET /quickbooks/callback     takes Intuit's answer; its address must be registered with the app at Intuit
"""

from collections.abc import Awaitable, Callable
from html import escape

from aiohttp import web

from counterfoil.errors import CounterfoilError
from counterfoil.expectation import expected, refuse_strange_expectations
from counterfoil.quickbooks.online.consent import ConsentError, Made, QuickBooksConsent
from counterfoil.quickbooks.online.oauth import TokenEndpointError
from counterfoil.secrets.consents import CONSENT_SECONDS_MAX, hash_of, is_same_browser

COOKIE = "counterfoil_consent"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">{title}</h1><p>{text}</p></body></html>
"""


class ConnectRoutes:
    """Handlers over a consent that exists once the engine is open.

    Args:
        consent: gives it.
        public_url: under which the routes are reached from outside, if a proxy stands in between.
        made: called after a connection was made.
    """

    def __init__(
        self, consent: Callable[[], QuickBooksConsent], public_url: str | None, made: Callable[[Made], None]
    ) -> None:
        self._consent = consent
        self._public_url = public_url
        self._made = made
        self._callback: web.Resource | None = None

    def application(self) -> web.Application:
        """The routes, for the host to mount wherever it likes."""
        application = web.Application(middlewares=[_plain_errors])
        self._callback = application.router.add_resource("/quickbooks/callback")
        self._callback.add_route("GET", self.callback, expect_handler=expected)
        # Not for HEAD: a consent would begin.
        application.router.add_route("GET", "/quickbooks/{company:[0-9]{1,18}}", self.begin, expect_handler=expected)
        refuse_strange_expectations(application)
        return application

    async def begin(self, request: web.Request) -> web.Response:
        """To Intuit's page; a cookie ties the answer to this browser."""
        base = self._public_url.rstrip("/") if self._public_url else str(request.url.origin())
        path = str(self._callback.url_for()) if self._callback is not None else ""
        begun = await self._consent().begin(int(request.match_info["company"]), base + path)
        answer = web.Response(status=302, headers={**_HEADERS, "Location": begun.url})
        answer.set_cookie(
            COOKIE,
            hash_of(begun.state).hex(),
            max_age=int(CONSENT_SECONDS_MAX),
            path=path,
            httponly=True,
            samesite="Lax",
            secure=base.startswith("https://"),
        )
        return answer

    async def callback(self, request: web.Request) -> web.Response:
        """From Intuit's page."""
        if not is_same_browser(request.query.get("state", ""), request.cookies.get(COOKIE)):
            raise ConsentError(
                "This answer belongs to no consent that was asked for in this browser.",
                remedy="Begin anew from the platform's own page.",
            )
        made = await self._consent().finish(request.query)
        self._made(made)
        answer = page(200, "QuickBooks is connected", f"Company {made.company}, realm {made.realm_id}.")
        answer.del_cookie(COOKIE, path=request.path)
        return answer


def page(status: int, title: str, text: str) -> web.Response:
    """A small page for a person."""
    body = _PAGE.format(title=escape(title), text=escape(text))
    return web.Response(status=status, text=body, content_type="text/html", headers=_HEADERS)


def refused(error: CounterfoilError) -> web.Response:
    """The page that says why no connection was made."""
    status = 502 if isinstance(error, TokenEndpointError) else 400
    return page(status, "QuickBooks is not connected", f"{error.message} {error.remedy or ''}")


@web.middleware
async def _plain_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except CounterfoilError as error:
        return refused(error)
