"""Gusto as a source of employees and processed pay runs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

from aiolimiter import AsyncLimiter

from counterfoil.sources import (
    Delivery,
    Page,
    SourceChange,
    SourceContext,
    SourceError,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)
from counterfoil.sources.http import SourceHttp
from counterfoil_adapters.gusto import webhook
from counterfoil_adapters.gusto.api import GustoApi
from counterfoil_adapters.gusto.cursor import parse
from counterfoil_adapters.gusto.grouping import Grouping
from counterfoil_adapters.gusto.reading import Kind, Reader
from counterfoil_adapters.gusto.settings import GustoSettings, read_settings
from counterfoil_adapters.gusto.tokens import CompanyToken, SystemToken, TokenEndpoint

SECONDS_PER_MINUTE = 60


class GustoSource:
    """One company at Gusto.

    `context.extras` may hold `on_tokens`, told each new TokenPair before it is used, and `load_tokens`, asked for the
    pair stored last.

    Raises:
        ConfigurationError: the settings are missing something or wrong.
    """

    name: ClassVar[str] = "gusto"
    personal_kinds: ClassVar[tuple[str, ...]] = ("employee",)

    def __init__(self, context: SourceContext) -> None:
        self._settings = read_settings(context.connection, context.settings)
        self._api = _api(self._settings, context)
        self._reader = Reader(
            self._api,
            context.clock,
            self._settings.company_uuid,
            self._settings.since,
            self._settings.unassigned,
            Grouping.of(context.mapping),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open: the HTTP session is the engine's."""

    def kinds(self) -> Sequence[str]:
        """Employees before the payrolls that pay them."""
        return ("employee", "payroll")

    def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Everything first, then what Gusto's events announce; see SourceAdapter."""
        return self._reader.pages(_kind(kind), parse(cursor))

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record as it is now, or Gusto's word that it was deleted; see SourceAdapter."""
        return [await self._reader.one(_kind(kind), source_id)]

    def receive(self, request: WebhookRequest) -> Delivery:
        """Verify a delivery; see SourceAdapter and `webhook.receive`."""
        return webhook.receive(request, self._settings.verification_token, self._settings.company_uuid)

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        """Always refused: Gusto has no place for what the books say."""
        return WriteBackResult(
            outcome="rejected",
            reason=f"Gusto takes nothing back: {request.kind} {request.source_id} has no field for the books' values.",
            fix="Remove the write-back for this connection from its mapping.",
        )

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        """Never: nothing is written back, so nothing can be our own echo."""
        del kind, values, raw
        return False

    async def subscribe(self, url: str) -> str:
        """Ask Gusto for webhooks to a URL. Gusto sends the handshake there; then call `verify`.

        Returns:
            The subscription's uuid.
        """
        return await self._api.subscribe(url)

    async def verify(self, subscription_uuid: str, verification_token: str) -> None:
        """Finish a subscription with the token that its handshake brought."""
        await self._api.verify(subscription_uuid, verification_token)


def _kind(kind: str) -> Kind:
    match kind:
        case "employee" | "payroll":
            return kind
        case _:
            raise SourceError(f"Gusto has no records of the kind {kind}.", remedy="Use employee or payroll.")


def _api(settings: GustoSettings, context: SourceContext) -> GustoApi:
    endpoint = None
    if settings.client_id is not None and settings.client_secret is not None:
        endpoint = TokenEndpoint(
            context.http,
            settings.base_url,
            context.clock,
            settings.client_id,
            settings.client_secret,
            settings.timeout_seconds,
        )
    company = CompanyToken(
        settings.access_token,
        settings.refresh_token,
        endpoint,
        context.clock,
        store=context.extras.get("on_tokens"),
        load=context.extras.get("load_tokens"),
    )
    system = SystemToken(settings.system_access_token, endpoint, context.clock) if settings.sees_events else None
    return GustoApi(
        _http(settings, context, company),
        _http(settings, context, system) if system is not None else None,
        settings.company_uuid,
    )


def _http(settings: GustoSettings, context: SourceContext, token: CompanyToken | SystemToken) -> SourceHttp:
    # Each grant has Gusto's 200 a minute for itself. Second by second, so that no minute can hold two bursts.
    per_second = settings.requests_per_minute / SECONDS_PER_MINUTE
    pace = AsyncLimiter(per_second, 1.0) if per_second >= 1 else AsyncLimiter(1.0, 1.0 / per_second)
    return SourceHttp(
        context.http,
        settings.base_url,
        token,
        pace,
        context.clock,
        "Gusto",
        entropy=context.entropy,
        forget_token=token.forget,
        headers={"X-Gusto-API-Version": settings.api_version},
        timeout_seconds=settings.timeout_seconds,
    )
