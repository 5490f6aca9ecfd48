"""The emulator as a whole: an org, an external client app, and what stands before each call."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

from aiohttp import web

from counterfoil.emulating import VendorEmulator
from counterfoil.emulating.command import EmulatorOptions
from counterfoil.emulating.limits import Window
from counterfoil.emulating.server import answer
from counterfoil.ports import Clock
from counterfoil_adapters.salesforce.emulator.api import RestApi
from counterfoil_adapters.salesforce.emulator.control import Control
from counterfoil_adapters.salesforce.emulator.errors import OrgError
from counterfoil_adapters.salesforce.emulator.org import Happening, Org
from counterfoil_adapters.salesforce.emulator.replication import Replication
from counterfoil_adapters.salesforce.emulator.samples import sample
from counterfoil_adapters.salesforce.emulator.sessions import Sessions
from counterfoil_schema.exact_json import JsonObject

if TYPE_CHECKING:
    from counterfoil_adapters.salesforce.emulator.bus import EventBus

DAILY_CALLS = 15_000
DAY_SECONDS = 86_400.0
SIGN_IN = "/services/oauth2/"
_CODES = {400: "UNABLE_TO_LOCK_ROW", 401: "INVALID_SESSION_ID", 403: "REQUEST_LIMIT_EXCEEDED", 404: "NOT_FOUND"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceOptions(EmulatorOptions):
    """How the org is set up.

    `limits` enforces `daily_calls`. `batch_rows` is how many rows of a query come at once, `session_seconds` a
    session's life. `currency` is the org's; with `multi_currency` that of records which name none.
    """

    daily_calls: int = DAILY_CALLS
    batch_rows: int = 2000
    session_seconds: float = 7200.0
    multi_currency: bool = False
    currency: str = "USD"


class SalesforceEmulator(VendorEmulator):
    """A Salesforce org with one external client app, served over HTTP while the context is open."""

    name = "Salesforce"
    hosts = ("login.salesforce.com", "test.salesforce.com")

    def __init__(self, options: SalesforceOptions | None = None, *, clock: Clock | None = None) -> None:
        chosen = options or SalesforceOptions()
        super().__init__(chosen, clock=clock)
        self.bus: EventBus | None = None
        self.org = Org(
            self.clock,
            self._happened,
            seed=chosen.seed,
            multi_currency=chosen.multi_currency,
            home=chosen.currency,
        )
        self.sessions = Sessions(self.ids, self.clock, self.org.org_id, chosen.session_seconds)
        self.usage = Window(chosen.daily_calls, DAY_SECONDS)
        self.replication = Replication(self.org)
        self.access_token = self.sessions.issue()
        self.bus = self._made_bus()
        self.pubsub_url = ""
        self._api = RestApi(self.org, self.sessions, self.usage, self.clock, self.replication, chosen.batch_rows)

    def routes(self) -> Sequence[web.RouteDef]:
        return self._api.routes(lambda: self.base_url)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        if self.bus is not None:
            self.pubsub_url = await self.bus.serve(self._stack, self.options.host)
        return self

    def _made_bus(self) -> "EventBus | None":
        """Only where the extra is installed."""
        if find_spec("grpc") is None or find_spec("fastavro") is None:
            return None
        from counterfoil_adapters.salesforce.emulator.bus import EventBus

        return EventBus(self.org, self.sessions)

    def _happened(self, happening: Happening) -> None:
        if self.bus is not None:
            self.bus.happen(happening)

    def control_routes(self) -> Sequence[web.RouteDef]:
        return Control(self.org, self.sessions, self.replication, self.bus).routes()

    def admit(self, request: web.Request) -> web.Response | None:
        if request.path.startswith(SIGN_IN):
            return None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self.sessions.opens(token):
            return _said(OrgError("INVALID_SESSION_ID", "Session expired or invalid", status=401))
        if "api" not in self.sessions.scopes.split():
            message = "This session is not valid for use with the REST API"
            return _said(OrgError("INVALID_SESSION_ID", message, status=403))
        if self.options.limits and not self.usage.admit(self.clock.monotonic()):
            return _said(OrgError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403))
        return None

    def refuse(self, status: int, message: str) -> web.Response:
        return _said(OrgError(_CODES.get(status, "SERVER_UNAVAILABLE"), message, status=status))

    def sample(self, volume: int) -> JsonObject:
        return sample(volume, self.org.standard_book)

    def load(self, body: JsonObject) -> JsonObject:
        """`{"records": {"Account": [{…}], …}}`, object by object in the order given; answers with the ids."""
        records = body.get("records")
        loaded: JsonObject = {}
        for name, entries in (records if isinstance(records, dict) else {}).items():
            rows = [entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict)]
            loaded[name] = list(self.org.load(name, rows))
        return {"ids": loaded}

    def state(self) -> JsonObject:
        counts: JsonObject = {
            name: {
                "live": sum(row.deleted_at is None for row in table.rows.values()),
                "deleted": sum(row.deleted_at is not None for row in table.rows.values()),
            }
            for name, table in self.org.tables.items()
        }
        return {"records": counts, "refused": self.usage.refused}

    def ready(self) -> dict[str, object]:
        app = self.sessions.app
        return {
            **super().ready(),
            "access_token": self.access_token,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "refresh_token": app.refresh_token,
            "username": app.username,
            "private_key": self.sessions.private_key(),
            "org_id": self.org.org_id,
            "pubsub_url": self.pubsub_url,
        }


def _said(error: OrgError) -> web.Response:
    return answer(error.body, error.status)
