"""The emulator as a whole: Pipedrive's API on one port, the control on another."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from counterfoil.emulating import Deliveries, EmulatorOptions, Signing, VendorEmulator, answer
from counterfoil.ports import Clock
from counterfoil_adapters.pipedrive.emulator.account import Account, Identity, Tokens
from counterfoil_adapters.pipedrive.emulator.api import Version2
from counterfoil_adapters.pipedrive.emulator.company import Company, Event
from counterfoil_adapters.pipedrive.emulator.control import Control, load
from counterfoil_adapters.pipedrive.emulator.errors import body_of_refusal
from counterfoil_adapters.pipedrive.emulator.events import STANDING_ID, Subscriptions, Webhook, attempted
from counterfoil_adapters.pipedrive.emulator.limits import BURST, DAILY, Limits, cost_of
from counterfoil_adapters.pipedrive.emulator.samples import fill
from counterfoil_schema.exact_json import JsonObject

TRIES = 4
FIRST_COMPANY = 12_000_000
ALL_SCOPES = frozenset(
    ("base", "deals:full", "contacts:full", "products:full", "deal-fields:full", "contact-fields:full", "webhooks:full")
)
_NEEDED = {
    "deals": "deals",
    "persons": "contacts",
    "organizations": "contacts",
    "products": "products",
    "webhooks": "webhooks",
}


class PipedriveEmulator(VendorEmulator):
    """A Pipedrive company with a user's token and an OAuth app.

    Args:
        burst: requests in any two seconds for each token.
        daily: the company's tokens for a day.
        scopes: what the OAuth app was granted.
    """

    name = "pipedrive"
    hosts: Sequence[str] = ("api.pipedrive.com", "oauth.pipedrive.com")

    def __init__(
        self,
        options: EmulatorOptions | None = None,
        *,
        clock: Clock | None = None,
        burst: int = BURST,
        daily: int = DAILY,
        scopes: frozenset[str] = ALL_SCOPES,
    ) -> None:
        super().__init__(options, clock=clock)
        self.identity = Identity(company_id=FIRST_COMPANY + self.options.seed, domain=f"sample{self.options.seed}")
        self.tokens = Tokens(
            ids=self.ids,
            clock=self.clock,
            api_token=self.ids.secret()[:40],
            client_id=self.ids.secret()[:16],
            client_secret=self.ids.secret(),
            refresh_token=self.ids.secret(),
            scopes=scopes,
            code=self.ids.secret(),
        )
        self.standing = Webhook(
            webhook_id=STANDING_ID,
            url="",
            action="*",
            entity="*",
            user="pipedrive",
            password=self.ids.secret(),
            name="standing",
        )
        # Pipedrive tries three times more, after 3, 30 and 150 seconds; here the pauses are the options'.
        url = self.webhooks.url
        self.webhooks = Deliveries(
            self.clock,
            self.faults,
            self.sign,
            tries=TRIES,
            pause_seconds=self.options.webhook_pause_seconds,
            again=attempted,
        )
        self.webhooks.url = url
        self.limits = Limits(self.clock, on=self.options.limits, burst=burst, daily=daily)
        host = f"{self.identity.domain}.pipedrive.com"
        self.subscriptions = Subscriptions(self.ids, self.clock, self.identity.company_id, host, self.standing)
        self.company = Company(self.clock, self.options.seed, self._told)
        fill(self.company, self.options.volume)

    def routes(self) -> Sequence[web.RouteDef]:
        account = Account(self.company, self.tokens, self.subscriptions, self.identity, lambda: self.base_url)
        routes = [*Version2(self.company).routes(), *account.routes()]
        return [web.route(one.method, one.path, self._headed(one.handler)) for one in routes]

    def admit(self, request: web.Request) -> web.Response | None:
        if request.path.startswith("/oauth/"):
            return None
        token = self.tokens.holder(request)
        if token is None:
            return self.refuse(401, "unauthorized access")
        if token != self.tokens.api_token and not self._is_in_scope(request):
            return self.refuse(403, "Scope and URL mismatch")
        if not self.limits.admit(token, cost_of(request.method, request.path)):
            refused = self.refuse(429, "Rate limit exceeded")
            refused.headers.update(self.limits.headers(token))
            return refused
        return None

    def refuse(self, status: int, message: str) -> web.Response:
        return answer(body_of_refusal(message, status), status)

    def load(self, body: JsonObject) -> JsonObject:
        return load(self.company, body)

    def sign(self, signing: Signing) -> Mapping[str, str]:
        webhook = self.subscriptions.of(signing.about)
        return {"User-Agent": "Pipedrive Webhooks", **webhook.authorization(forged=signing.forged)}

    def control_routes(self) -> Sequence[web.RouteDef]:
        return Control(self.company).routes()

    def state(self) -> JsonObject:
        rows = self.company.rows
        counts: JsonObject = {kind: sum(not row["is_deleted"] for row in held.values()) for kind, held in rows.items()}
        return {
            "rows": counts,
            "tokens_spent": self.limits.spent,
            "rate_limited": self.limits.refused,
            "webhooks_made": len(self.subscriptions.made),
        }

    def ready(self) -> dict[str, object]:
        return {
            **super().ready(),
            "api_token": self.tokens.api_token,
            "client_id": self.tokens.client_id,
            "client_secret": self.tokens.client_secret,
            "refresh_token": self.tokens.refresh_token,
            "authorization_code": self.tokens.code,
            "company_id": str(self.identity.company_id),
            "company_domain": self.identity.domain,
            "webhook_user": self.standing.user,
            "webhook_password": self.standing.password,
        }

    def _told(self, event: Event) -> None:
        self.subscriptions.tell(event, self.webhooks)

    def _is_in_scope(self, request: web.Request) -> bool:
        parts = request.path.removeprefix("/api/v2/").removeprefix("/api/v1/").removeprefix("/v1/").split("/")
        name = parts[0]
        if name.endswith("Fields"):
            family = {"deal": "deals", "product": "products"}.get(name.removesuffix("Fields"), "contacts")
            writes = f"{'deal' if family == 'deals' else 'contact'}-fields:full"
            wanted = {f"{family}:read", f"{family}:full", writes} if request.method == "GET" else {writes}
        elif name in _NEEDED:
            family = _NEEDED[name]
            wanted = {f"{family}:full"} | ({f"{family}:read"} if request.method == "GET" else set())
        else:
            return True
        return bool(wanted & self.tokens.scopes)

    def _headed(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def headed(request: web.Request) -> web.StreamResponse:
            response = await handler(request)
            token = self.tokens.holder(request)
            if token is not None:
                response.headers.update(self.limits.headers(token))
            return response

        return headed
