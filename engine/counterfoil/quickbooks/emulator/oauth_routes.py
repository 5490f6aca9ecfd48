"""The OAuth server's addresses: discovery, consent, token, revoke, user info."""

from functools import partial
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from counterfoil.expectation import expected
from counterfoil.quickbooks.emulator.identity import ISSUER, SUBJECT
from counterfoil.quickbooks.emulator.oauth import ACCOUNTING, OAuthRefusedError, TokenOffice
from counterfoil.quickbooks.emulator.stats import Stats
from counterfoil_schema.exact_json import JsonObject, dumps, loads

SIGN_IN_SCOPES = frozenset({"openid", "profile", "email", "phone", "address"})
COMPANY_SCOPES = frozenset(
    {
        ACCOUNTING,
        "com.intuit.quickbooks.payment",
        "app-foundations.custom-dimensions.read",
        "app-foundations.custom-field-definitions",
        "app-foundations.custom-field-definitions.read",
        "indirect-tax.tax-calculation.quickbooks",
        "payroll.compensation.read",
        "project-management.project",
        "time-tracking.time-entry",
    }
)
OWNER: JsonObject = {
    "givenName": "Craig",
    "familyName": "Carlson",
    "email": "owner@example.com",
    "emailVerified": True,
    "phoneNumber": "+1 6505550100",
    "phoneNumberVerified": False,
    "address": {
        "streetAddress": "123 Sierra Way",
        "locality": "San Pablo",
        "region": "CA",
        "postalCode": "87999",
        "country": "US",
    },
}


class OAuthRoutes:
    """Handlers over one token office."""

    def __init__(self, office: TokenOffice, realm_id: str, stats: Stats) -> None:
        self._office = office
        self._realm_id = realm_id
        self._stats = stats

    def add_to(self, app: web.Application) -> None:
        get = partial(app.router.add_get, expect_handler=expected)
        post = partial(app.router.add_post, expect_handler=expected)
        for name in ("openid_configuration", "openid_sandbox_configuration"):
            for slash in ("", "/"):
                get(f"/.well-known/{name}{slash}", self.discovery)
        get("/connect/oauth2", self.authorize)
        post("/oauth2/v1/tokens/bearer", self.token)
        post("/v2/oauth2/tokens/revoke", self.revoke)
        get("/v1/openid_connect/userinfo", self.user_info)
        get("/op/v1/jwks", self.keys)

    async def discovery(self, request: web.Request) -> web.Response:
        here = f"{request.scheme}://{request.host}"
        return _json(
            200,
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{here}/connect/oauth2",
                "token_endpoint": f"{here}/oauth2/v1/tokens/bearer",
                "userinfo_endpoint": f"{here}/v1/openid_connect/userinfo",
                "revocation_endpoint": f"{here}/v2/oauth2/tokens/revoke",
                "jwks_uri": f"{here}/op/v1/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile", "address", "phone"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            },
        )

    async def authorize(self, request: web.Request) -> web.Response:
        """Consent without a page: the browser is sent straight back."""
        asked = request.query
        redirect_uri = asked.get("redirect_uri", "")
        parts = urlsplit(redirect_uri)
        if asked.get("client_id") != self._office.client_id or parts.scheme not in {"http", "https"}:
            return _json(400, {"error": "invalid_request"})
        state = {"state": asked["state"]} if "state" in asked else {}
        scopes = frozenset(asked.get("scope", "").split())
        if self._office.deny_next:
            self._office.deny_next = False
            answer = {"error": "access_denied", **state}
        elif asked.get("response_type") != "code":
            answer = {"error": "unsupported_response_type", **state}
        elif not scopes or scopes - SIGN_IN_SCOPES - COMPANY_SCOPES:
            answer = {"error": "invalid_scope", **state}
        else:
            # Who only signs in chooses no company.
            company = {"realmId": self._realm_id} if scopes & COMPANY_SCOPES else {}
            code = self._office.new_code(redirect_uri, asked.get("scope", ""))
            answer = {"code": code, **state, **company}
        joint = "&" if parts.query else "?"
        return web.Response(status=302, headers={"Location": f"{redirect_uri}{joint}{urlencode(answer)}"})

    async def token(self, request: web.Request) -> web.Response:
        self._stats.count("token")
        try:
            form = {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        except ValueError:
            return _json(400, {"error": "invalid_request"})
        wants_cap = request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true"
        try:
            self._office.check_client(request.headers.get("Authorization", ""), form)
            return _json(200, self._office.grant(form, hard_expiry=wants_cap))
        except OAuthRefusedError as refusal:
            return _json(refusal.status, refusal.body())

    async def revoke(self, request: web.Request) -> web.Response:
        """End the connection of a token, sent as JSON or, as some clients do, as a form."""
        self._stats.count("revoke")
        form = await _revocation(request)
        try:
            self._office.check_client(request.headers.get("Authorization", ""), form)
        except OAuthRefusedError as refusal:
            return _json(refusal.status, refusal.body())
        known = self._office.revoke(form.get("token", ""))
        return web.Response(status=200 if known else 400)

    async def user_info(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._office.access_is_good(token.strip()):
            return _json(401, {"error": "invalid_token"})
        return _json(200, {"sub": SUBJECT, **OWNER})

    async def keys(self, _request: web.Request) -> web.Response:
        return _json(200, self._office.identity.keys())


async def _revocation(request: web.Request) -> dict[str, str]:
    """The texts of the body, whichever its form."""
    try:
        if request.content_type == "application/x-www-form-urlencoded":
            sent: object = dict(await request.post())
        else:
            sent = loads(await request.read())
    except (ValueError, RecursionError):
        return {}
    return (
        {str(name): value for name, value in sent.items() if isinstance(value, str)} if isinstance(sent, dict) else {}
    )


def _json(status: int, body: JsonObject) -> web.Response:
    return web.Response(status=status, body=dumps(body), content_type="application/json", charset="utf-8")
