"""BambooHR as a source: employees as of today, and approved hours."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar

from aiolimiter import AsyncLimiter

from counterfoil.sources import (
    Delivery,
    Page,
    SourceChange,
    SourceContext,
    SourceError,
    SourceNames,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
    unknown_name_error,
)
from counterfoil.sources.http import BasicAuth, SourceHttp
from counterfoil.sources.oauth import AccessToken, TokenEndpoint, fixed_token
from counterfoil.sources.plain import PlainSource
from counterfoil.sources.settings import read_settings
from counterfoil_adapters.bamboohr import webhook, write_back
from counterfoil_adapters.bamboohr.api import BambooApi
from counterfoil_adapters.bamboohr.employee import FIELDS
from counterfoil_adapters.bamboohr.people import People
from counterfoil_adapters.bamboohr.settings import Asked, BambooSettings
from counterfoil_adapters.bamboohr.time_reading import Times
from counterfoil_adapters.bamboohr.timesheets import KIND as TIME

EMPLOYEE = "employee"
LIFE_SECONDS = 3600
MONITORED = (*FIELDS, "department", "location", "jobTitle", "employmentStatus")
"""Fields whose change shall be delivered."""

ERROR_HEADER = "x-bamboohr-error-message"


class BambooSource(PlainSource):
    """One company at BambooHR.

    Raises:
        ConfigurationError: the settings are missing something or wrong.
    """

    name: ClassVar[str] = "bamboohr"
    personal_kinds: ClassVar[tuple[str, ...]] = (EMPLOYEE,)

    def __init__(self, context: SourceContext) -> None:
        self._settings = read_settings(BambooSettings, context, "BambooHR")
        self._clock = context.clock
        self._asked = asked = Asked.of(context.mapping)
        self._api = BambooApi(_http(self._settings, context))
        self._people = People(self._api, context.clock, asked, with_pay=self._settings.compensation)
        self._times = Times(self._api, self._people, context.connection, self._settings, tracks=asked.tracks)

    def kinds(self) -> Sequence[str]:
        """Employees before their time."""
        return (EMPLOYEE, TIME)

    def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        """Everything first, then what changed; see SourceAdapter."""
        return self._times.pages(cursor) if _known(kind) == TIME else self._people.pages(cursor)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        """One record as it is now, or BambooHR's word that it was deleted; see SourceAdapter."""
        return [await (self._times.one(source_id) if _known(kind) == TIME else self._people.one(source_id))]

    def receive(self, request: WebhookRequest) -> Delivery:
        """Verify a delivery; see SourceAdapter and `webhook.receive`."""
        return webhook.receive(request, self._settings, self._clock.now())

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        """Set fields of an employee; see `write_back.write`."""
        return await write_back.write(self._api, request)

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        """See SourceAdapter."""
        return kind == EMPLOYEE and write_back.same_values(values, raw)

    async def describe(self) -> SourceNames:
        """Whether the field exists that takes the person's id in QuickBooks."""
        wanted = self._asked.id_field
        known = await self._api.field_names() if wanted is not None else frozenset[str]()
        if wanted is None or wanted in known:
            return SourceNames()
        fix = "Make the field in BambooHR, or correct [write_back] in the mapping."
        return SourceNames(
            unknown=[unknown_name_error("BambooHR has no field of employees called", wanted, known, fix)]
        )

    async def subscribe(self, url: str) -> tuple[str, str]:
        """Make a webhook to a URL, which must be https.

        Returns:
            Its id, and the key for `webhook_key`: BambooHR shows it this once.
        """
        return await self._api.subscribe(url, MONITORED)


def _known(kind: str) -> str:
    if kind not in {EMPLOYEE, TIME}:
        raise SourceError(f"BambooHR has no records of the kind {kind}.", remedy=f"Use {EMPLOYEE} or {TIME}.")
    return kind


def _http(settings: BambooSettings, context: SourceContext) -> SourceHttp:
    per_second = settings.requests_per_second
    pace = AsyncLimiter(per_second, 1.0) if per_second >= 1 else AsyncLimiter(1.0, 1.0 / per_second)
    key = settings.api_key
    if key is not None:
        # The key is the user's name, and any password will do.
        return SourceHttp(
            context.http,
            settings.url,
            fixed_token(key),
            pace,
            context.clock,
            "BambooHR",
            authorize=lambda token: BasicAuth(token.get_secret_value(), token).headers(),
            entropy=context.entropy,
            timeout_seconds=settings.timeout_seconds,
            words_header=ERROR_HEADER,
        )
    token = _token(settings, context)
    return SourceHttp(
        context.http,
        settings.url,
        token,
        pace,
        context.clock,
        "BambooHR",
        entropy=context.entropy,
        forget_token=token.forget,
        timeout_seconds=settings.timeout_seconds,
        words_header=ERROR_HEADER,
    )


def _token(settings: BambooSettings, context: SourceContext) -> AccessToken:
    endpoint = None
    if settings.client_id is not None and settings.client_secret is not None:
        endpoint = TokenEndpoint(
            context.http,
            f"{settings.url.rstrip('/')}/token.php?request=token",
            context.clock,
            "BambooHR",
            client={"client_id": settings.client_id, "client_secret": settings.client_secret},
            life_seconds=LIFE_SECONDS,
            timeout_seconds=settings.timeout_seconds,
        )
    return AccessToken(
        endpoint.refresh if endpoint is not None and settings.refresh_token is not None else None,
        context.clock,
        "BambooHR",
        access_token=settings.access_token,
        refresh_token=settings.refresh_token,
        keeper=context.tokens,
        ended=(
            "BambooHR's access token has ended and there is no refresh token.",
            "Give refresh_token, client_id and client_secret (with the scope offline_access), or api_key.",
        ),
    )
