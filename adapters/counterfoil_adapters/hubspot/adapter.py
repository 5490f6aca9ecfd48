"""HubSpot as a source: companies and contacts, products, deals, quotes and invoices, commerce payments."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from counterfoil.sources.http import SourceHttp
from counterfoil.sources.oauth import AccessToken, TokenEndpoint, fixed_token
from counterfoil.sources.plain import PlainSource
from counterfoil.sources.port import (
    BadSignatureError,
    Delivery,
    Need,
    Page,
    SourceChange,
    SourceContext,
    SourceError,
    SourceNames,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)
from counterfoil.sources.settings import read_settings
from counterfoil_adapters.hubspot.account import AccountCheck
from counterfoil_adapters.hubspot.client import HubSpotClient, Paths
from counterfoil_adapters.hubspot.kinds import KINDS, kinds_read
from counterfoil_adapters.hubspot.property_setup import PropertySetup, wanted_properties, written_by_kind
from counterfoil_adapters.hubspot.reading import Reader, rules_of
from counterfoil_adapters.hubspot.sales import STATES
from counterfoil_adapters.hubspot.settings import HubSpotSettings
from counterfoil_adapters.hubspot.webhooks import check_signature, read_delivery
from counterfoil_adapters.hubspot.write_back import WriteBacks, same_values

# What of the published limit is used, so that an app of the customer's own finds room, and its window for the pace.
SHARE_PERCENT = 80
WINDOW_SECONDS = 10
LIFE_SECONDS = 1800


class HubSpotSource(PlainSource):
    """One HubSpot account, behind the port of all sources; open while its context is.

    Raises:
        ConfigurationError: settings that cannot be used.
    """

    name: ClassVar[str] = "hubspot"
    personal_kinds: ClassVar[tuple[str, ...]] = ("contact",)

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._settings = settings = read_settings(HubSpotSettings, context, "HubSpot")
        self._client = client = _client(context, settings)
        self._rules = rules_of(context.connection, settings, context.mapping)
        self._reader = Reader(client, self._rules, settings, written_by_kind(context.mapping))
        self._setup = PropertySetup(client, wanted_properties(context.mapping, settings.key_property))
        self._write_backs = WriteBacks(client, self._setup, settings.key_property)
        self._account = AccountCheck(client, settings)

    def kinds(self) -> Sequence[str]:
        """Those that the mapping has a use for."""
        return kinds_read(self._context.mapping)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        _known(kind)
        await self._account.check()
        async for page in self._reader.changes(kind, cursor):
            yield page

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        _known(kind)
        await self._account.check()
        return await self._reader.read(kind, source_id)

    def receive(self, request: WebhookRequest) -> Delivery:
        secret = self._settings.client_secret
        if secret is None:
            raise BadSignatureError(
                f"The HubSpot connection {self._context.connection} has no client_secret to verify webhooks by.",
                remedy="Add the app's client secret, or let the connection poll.",
            )
        check_signature(request, secret.get_secret_value(), self._context.clock.now(), self._context.public_url)
        app, portal = self._settings.app_id, self._settings.portal_id
        return read_delivery(request.body, app_id=app, portal_id=portal, kinds=self.kinds())

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        return await self._write_backs.write(request)

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        return kind in KINDS and same_values(kind, values, raw)

    async def describe(self) -> SourceNames:
        """The states that sales can be in: of deals the stages of all pipelines, whose labels people see."""
        statuses: dict[str, str] = {}
        for kind in self._rules.sold:
            statuses.update(STATES[kind] if kind in STATES else await self._client.stages(KINDS[kind].plural))
        return SourceNames(statuses=statuses, kinds=tuple(KINDS))

    async def prepare(self, *, write: bool) -> Sequence[Need]:
        """The properties that the mapping writes back to; with `write`, after the missing ones were set up.

        A write-back that meets a missing property sets it up by itself as well.
        """
        if write:
            await self._setup.make()
        return await self._setup.look()


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise SourceError(f"HubSpot has no records of kind {kind}.", remedy=f"There are {', '.join(KINDS)}.")


def _tokens(context: SourceContext, settings: HubSpotSettings, paths: Paths) -> AccessToken | None:
    """Short-lived tokens of an OAuth app; None where a service key or private app token stands for ever."""
    if settings.access_token is not None or settings.client_secret is None:
        return None
    endpoint = TokenEndpoint(
        context.http,
        settings.base_url.rstrip("/") + paths.token(),
        context.clock,
        "HubSpot",
        client={"client_id": settings.client_id or "", "client_secret": settings.client_secret},
        life_seconds=LIFE_SECONDS,
        timeout_seconds=settings.timeout_seconds,
    )
    return AccessToken(
        endpoint.refresh, context.clock, "HubSpot", refresh_token=settings.refresh_token, keeper=context.tokens
    )


def _client(context: SourceContext, settings: HubSpotSettings) -> HubSpotClient:
    paths = Paths(settings.api_version)
    tokens = _tokens(context, settings, paths)
    # In a bucket that leaks n a second no 10 s see more than 11 n calls: eight a second stay under a hundred.
    per_second = max(1, settings.calls_per_10_seconds * SHARE_PERCENT // 100 // WINDOW_SECONDS)
    http = SourceHttp(
        context.http,
        settings.base_url,
        tokens if tokens is not None else fixed_token(settings.access_token or SecretStr("")),
        AsyncLimiter(per_second, 1),
        context.clock,
        "HubSpot",
        entropy=context.entropy,
        forget_token=tokens.forget if tokens is not None else None,
        timeout_seconds=settings.timeout_seconds,
    )
    # One at a time, so that no second sees more than the limit.
    return HubSpotClient(http, paths, AsyncLimiter(1, 1 / max(1, settings.searches_per_second - 1)))
