"""Gusto as a source of employees, contractors, and what both are paid."""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from counterfoil.sources import (
    Delivery,
    Need,
    Page,
    SourceChange,
    SourceContext,
    SourceError,
    SourceTokens,
    WebhookRequest,
)
from counterfoil.sources.http import SourceHttp
from counterfoil.sources.oauth import AccessToken, Renew, TokenEndpoint
from counterfoil.sources.plain import PlainSource
from counterfoil.sources.settings import read_settings
from counterfoil_adapters.gusto import webhook
from counterfoil_adapters.gusto.api import GustoApi
from counterfoil_adapters.gusto.cursor import parse
from counterfoil_adapters.gusto.grouping import Grouping
from counterfoil_adapters.gusto.ledger import Ledgers
from counterfoil_adapters.gusto.normalising import Normaliser
from counterfoil_adapters.gusto.reading import Kind, Reader
from counterfoil_adapters.gusto.settings import GustoSettings
from counterfoil_adapters.gusto.subscription import Subscription

SECONDS_PER_MINUTE = 60
LIFE_SECONDS = 7200


class GustoSource(PlainSource):
    """One company at Gusto.

    Raises:
        ConfigurationError: the settings are missing something or wrong.
    """

    name: ClassVar[str] = "gusto"
    personal_kinds: ClassVar[tuple[str, ...]] = ("employee", "contractor")

    def __init__(self, context: SourceContext) -> None:
        self._settings = read_settings(GustoSettings, context, "Gusto")
        self._api = _api(self._settings, context)
        normaliser = Normaliser(
            company_uuid=self._settings.company_uuid,
            connection=context.connection,
            unassigned=self._settings.unassigned,
            grouping=Grouping.of(context.mapping),
        )
        ledgers = Ledgers(self._api, context.http, context.clock, self._settings.timeout_seconds)
        wanted = ledgers if normaliser.grouping.wants_ledger else None
        self._subscription = Subscription(
            api=self._api,
            clock=context.clock,
            keeper=context.tokens,
            url=self._settings.webhook_url,
            configured=self._settings.verification_token,
            secret=self._settings.client_secret,
        )
        self._reader = Reader(self._api, context.clock, normaliser, self._settings.since, wanted)

    def kinds(self) -> Sequence[str]:
        """People before what they are paid."""
        return ("employee", "contractor", "payroll", "contractor_payment")

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Everything first, then what Gusto's events announce; see SourceAdapter."""
        if kind == self.kinds()[0]:
            await self._subscription.tend()
        async for page in self._reader.pages(_kind(kind), parse(cursor)):
            yield page

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record as it is now, or Gusto's word that it was deleted; see SourceAdapter."""
        return await self._reader.read(_kind(kind), source_id)

    def receive(self, request: WebhookRequest) -> Delivery:
        """Verify a delivery; see SourceAdapter and `webhook.receive`."""
        fixed = self._settings.verification_token is not None
        delivery = webhook.receive(request, self._subscription.token, self._settings.company_uuid, fixed=fixed)
        if delivery.answer is not None:
            self._subscription.heard(delivery.answer[webhook.HANDSHAKE])
        return delivery

    async def prepare(self, *, write: bool) -> Sequence[Need]:
        """The webhook subscription, where `webhook_url` asks for one; see Preparing."""
        need = await self._subscription.need(write=write)
        return () if need is None else (need,)


def _kind(kind: str) -> Kind:
    match kind:
        case "employee" | "contractor" | "payroll" | "contractor_payment":
            return kind
        case _:
            raise SourceError(
                f"Gusto has no records of the kind {kind}.",
                remedy="Use employee, contractor, payroll or contractor_payment.",
            )


def _api(settings: GustoSettings, context: SourceContext) -> GustoApi:
    endpoint = _endpoint(settings, context)
    company = AccessToken(
        endpoint.refresh if endpoint is not None and settings.refresh_token is not None else None,
        context.clock,
        "Gusto",
        access_token=settings.access_token,
        refresh_token=settings.refresh_token,
        keeper=context.tokens,
        ended=(
            "Gusto's access token has ended and there is no refresh token.",
            "Give refresh_token, client_id and client_secret in the connection's settings.",
        ),
    )
    system = None
    if settings.sees_events:
        # The application's own token, for events and webhook subscriptions; several may be alive at once.
        system = AccessToken(
            _system_access(endpoint) if endpoint is not None else None,
            context.clock,
            "Gusto",
            access_token=settings.system_access_token,
            ended=(
                "Gusto's system access token is missing or has ended.",
                "Give client_id and client_secret in the connection's settings.",
            ),
        )
    return GustoApi(
        _http(settings, context, company),
        _http(settings, context, system) if system is not None else None,
        settings.company_uuid,
        urlsplit(settings.base_url).netloc,
    )


def _endpoint(settings: GustoSettings, context: SourceContext) -> TokenEndpoint | None:
    if settings.client_id is None or settings.client_secret is None:
        return None
    return TokenEndpoint(
        context.http,
        settings.base_url.rstrip("/") + "/oauth/token",
        context.clock,
        "Gusto",
        client={"client_id": settings.client_id, "client_secret": settings.client_secret},
        send="json",  # Gusto refuses secrets in the URL
        life_seconds=LIFE_SECONDS,
        timeout_seconds=settings.timeout_seconds,
        remedy="Connect the company to Gusto again; check client_id and client_secret.",
    )


def _system_access(endpoint: TokenEndpoint) -> Renew:
    async def renew(_refresh_token: SecretStr | None) -> SourceTokens:
        return await endpoint.ask({"grant_type": "system_access"})

    return renew


def _http(settings: GustoSettings, context: SourceContext, token: AccessToken) -> SourceHttp:
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
