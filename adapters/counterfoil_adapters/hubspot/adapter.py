"""HubSpot as a source: companies become customers, products items, deals invoices."""

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
from counterfoil_adapters.hubspot.client import HubSpotClient, Paths
from counterfoil_adapters.hubspot.normalise import KINDS
from counterfoil_adapters.hubspot.reading import Reader
from counterfoil_adapters.hubspot.settings import HubSpotSettings, write_back_types
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
    personal_kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._settings = read_settings(HubSpotSettings, context, "HubSpot")
        types = write_back_types(context.mapping)
        self._client = client = _client(context, self._settings)
        self._reader = Reader(client, context.connection, self._settings, types)
        self._write_backs = WriteBacks(client, types)

    def kinds(self) -> Sequence[str]:
        return tuple(KINDS)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        _known(kind)
        async for page in self._reader.changes(kind, cursor):
            yield page

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        _known(kind)
        return await self._reader.read(kind, source_id)

    def receive(self, request: WebhookRequest) -> Delivery:
        secret = self._settings.client_secret
        if secret is None:
            raise BadSignatureError(
                f"The HubSpot connection {self._context.connection} has no client_secret to verify webhooks by.",
                remedy="Add the app's client secret, or let the connection poll.",
            )
        check_signature(request, secret.get_secret_value(), self._context.clock.now(), self._context.public_url)
        return read_delivery(request.body, app_id=self._settings.app_id, portal_id=self._settings.portal_id)

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        return await self._write_backs.write(request)

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        return kind in KINDS and same_values(values, raw)

    async def describe(self) -> SourceNames:
        """The stages of all deal pipelines: a deal's status is the stage's id, people see its label."""
        return SourceNames(statuses=await self._client.stages("deals"))

    async def ensure_properties(self) -> tuple[str, ...]:
        """Create the deal properties that the mapping's `[write_back]` names and the account lacks.

        A write-back that meets a missing property does the same by itself.

        Raises:
            SourceError: HubSpot cannot be reached, or the token may not change properties.
        """
        return await self._write_backs.ensure_properties()


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
