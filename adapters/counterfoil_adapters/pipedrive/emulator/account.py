"""What has no version 2: the user, currencies, merging, webhooks; and the token endpoint."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from counterfoil.emulating import Ids, answer, body_of
from counterfoil.ports import Clock
from counterfoil_adapters.pipedrive.emulator.api import BY_API, done
from counterfoil_adapters.pipedrive.emulator.company import Company
from counterfoil_adapters.pipedrive.emulator.errors import refusal
from counterfoil_adapters.pipedrive.emulator.events import Subscriptions, Webhook
from counterfoil_adapters.pipedrive.emulator.rows import USER_ID, Kind
from counterfoil_schema.exact_json import JsonObject

LIFE_SECONDS = 3599
ROTATIONS_KEPT = 50
CURRENCIES = (("USD", "US Dollar", "$"), ("EUR", "Euro", "€"), ("GBP", "Pound Sterling", "£"), ("JPY", "Yen", "¥"))
MERGED: Sequence[Kind] = ("deals", "persons", "organizations")


@dataclass(slots=True)
class Tokens:
    """Who may call: the user's API token, and an OAuth app whose refresh tokens are each good once.

    `scopes` of the app; a call beyond them is refused.
    """

    ids: Ids
    clock: Clock
    api_token: str
    client_id: str
    client_secret: str
    refresh_token: str
    scopes: frozenset[str]
    code: str
    access_token: str = ""
    ends: float = 0.0

    def holder(self, request: web.Request) -> str | None:
        """The token that a request shows, if it is good."""
        given = request.headers.get("x-api-token")
        if given is not None:
            return given if given == self.api_token else None
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        good = scheme == "Bearer" and bearer == self.access_token and bool(bearer)
        return bearer if good and self.clock.monotonic() < self.ends else None

    def is_client(self, request: web.Request) -> bool:
        """Whether a request to the token endpoint shows the client's id and secret, as HTTP Basic."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            return False
        return scheme == "Basic" and given == f"{self.client_id}:{self.client_secret}"

    def renew(self) -> None:
        """New tokens; the old refresh token is good no longer."""
        self.access_token = self.ids.secret()
        self.refresh_token = self.ids.secret()
        self.ends = self.clock.monotonic() + LIFE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which company this is."""

    company_id: int
    domain: str
    name: str = "Sample Company"


class Account:
    """The routes beside version 2."""

    def __init__(
        self,
        company: Company,
        tokens: Tokens,
        webhooks: Subscriptions,
        identity: Identity,
        address: Callable[[], str],
    ) -> None:
        self._company = company
        self._tokens = tokens
        self._webhooks = webhooks
        self._identity = identity
        self._address = address

    def routes(self) -> Sequence[web.RouteDef]:
        """Under both prefixes that version 1 has."""
        both = [
            route
            for root in ("/v1", "/api/v1")
            for route in (
                web.get(f"{root}/users/me", self._me),
                web.get(f"{root}/currencies", self._currencies),
                web.get(f"{root}/webhooks", self._list_webhooks),
                web.post(f"{root}/webhooks", self._add_webhook),
                web.delete(f"{root}/webhooks/{{id:[0-9]+}}", self._drop_webhook),
                *(web.put(f"{root}/{kind}/{{id:[0-9]+}}/merge", self._merged(kind)) for kind in MERGED),
            )
        ]
        return [*both, web.post("/oauth/token", self._token)]

    async def _me(self, _request: web.Request) -> web.Response:
        held = self._identity
        return done(
            {
                "id": USER_ID,
                "name": "Sam Seller",
                "default_currency": "USD",
                "locale": "en_US",
                "email": "sam@example.com",
                "is_admin": 1,
                "is_you": True,
                "activated": True,
                "active_flag": True,
                "timezone_name": "America/New_York",
                "timezone_offset": "-05:00",
                "company_id": held.company_id,
                "company_name": held.name,
                "company_domain": held.domain,
                "company_country": "US",
            }
        )

    async def _currencies(self, request: web.Request) -> web.Response:
        term = request.query.get("term", "").casefold()
        rows = [
            {
                "id": number,
                "code": code,
                "name": name,
                "decimal_points": 0 if code == "JPY" else 2,
                "symbol": symbol,
                "active_flag": True,
                "is_custom_flag": False,
            }
            for number, (code, name, symbol) in enumerate(CURRENCIES, 1)
            if term in f"{code} {name}".casefold()
        ]
        return answer({"success": True, "data": rows})

    async def _list_webhooks(self, _request: web.Request) -> web.Response:
        shown = [self._shown(one) for one in self._webhooks.made.values()]
        return answer({"success": True, "status": "ok", "data": shown})

    async def _add_webhook(self, request: web.Request) -> web.Response:
        made = self._webhooks.add(await body_of(request))
        return answer({"success": True, "status": "ok", "data": self._shown(made)}, 201)

    async def _drop_webhook(self, request: web.Request) -> web.Response:
        if self._webhooks.made.pop(int(request.match_info["id"]), None) is None:
            raise refusal("Webhook not found", 404)
        return answer({"success": True, "status": "ok"})

    def _shown(self, one: Webhook) -> JsonObject:
        return {
            "id": one.webhook_id,
            "company_id": self._identity.company_id,
            "owner_id": USER_ID,
            "user_id": USER_ID,
            "admin_id": USER_ID,
            "event_action": one.action,
            "event_object": one.entity,
            "subscription_url": one.url,
            "version": "2.0",
            "is_active": 1,
            "add_time": self._company.now(),
            "remove_time": None,
            "type": "general",
            "http_auth_user": one.user,
            "http_auth_password": one.password,
            "remove_reason": None,
            "last_delivery_time": None,
            "last_http_status": None,
            "name": one.name,
        }

    def _merged(self, kind: Kind) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def merged(request: web.Request) -> web.Response:
            other = (await body_of(request)).get("merge_with_id")
            if not isinstance(other, int) or other == int(request.match_info["id"]):
                raise refusal("merge_with_id: must be the id of another record")
            loser = self._company.live(kind, int(request.match_info["id"]))
            winner = self._company.live(kind, other)
            return done({"id": self._company.merge(kind, winner, loser, BY_API)["id"]})

        return merged

    async def _token(self, request: web.Request) -> web.Response:
        tokens = self._tokens
        if not tokens.is_client(request):
            return answer({"success": False, "error": "invalid_client", "message": "Invalid client credentials"}, 401)
        form = await request.post()
        right = {
            "refresh_token": form.get("refresh_token") == tokens.refresh_token,
            "authorization_code": form.get("code") == tokens.code,
        }
        kind = str(form.get("grant_type"))
        if kind not in right:
            return answer({"success": False, "error": "unsupported_grant_type", "message": "Unsupported grant"}, 400)
        if not right[kind]:
            return answer({"success": False, "error": "invalid_grant", "message": f"Invalid grant: {kind}"}, 400)
        tokens.renew()
        return answer(
            {
                "access_token": tokens.access_token,
                "token_type": "Bearer",
                "expires_in": LIFE_SECONDS,
                "refresh_token": tokens.refresh_token,
                "scope": ",".join(sorted(tokens.scopes)),
                "api_domain": self._address(),
            }
        )
