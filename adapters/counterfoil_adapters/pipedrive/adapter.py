"""Pipedrive as a source: organizations and persons become customers, products items, won deals invoices."""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from counterfoil.sources.http import SourceHttp, bearer
from counterfoil.sources.oauth import fixed_token
from counterfoil.sources.port import (
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
from counterfoil_adapters.pipedrive.api import PipedriveApi
from counterfoil_adapters.pipedrive.budget import BudgetLeft, TokenBudget
from counterfoil_adapters.pipedrive.fields import FieldCatalogue
from counterfoil_adapters.pipedrive.reading import Reader
from counterfoil_adapters.pipedrive.settings import PipedriveSettings, read_wishes
from counterfoil_adapters.pipedrive.tokens import CompanyToken
from counterfoil_adapters.pipedrive.webhooks import check_credentials, read_delivery
from counterfoil_adapters.pipedrive.write_back import WriteBacks, same_values

SHARE_PERCENT = 80
"""What of the burst limit is used, so that others with the same token find room."""

STATUSES = ("open", "won", "lost")
BUCKETS = 3
"""In a bucket that leaks n a second, no 2 s see more than 3 n calls."""


class PipedriveSource:
    """One Pipedrive company, behind the port of all sources; open while its context is.

    Raises:
        ConfigurationError: settings that cannot be used.
    """

    name: ClassVar[str] = "pipedrive"
    personal_kinds: ClassVar[tuple[str, ...]] = ("person",)

    def __init__(self, context: SourceContext) -> None:
        self._connection = context.connection
        self._settings = held = read_settings(PipedriveSettings, context, "Pipedrive")
        wishes = read_wishes(context.mapping)
        self._budget = TokenBudget(context.clock, daily=held.daily_tokens, reserve=held.reserve_tokens)
        self._api = api = PipedriveApi(_http(context, held, self._budget), self._budget, held.page_rows)
        catalogue = FieldCatalogue(api)
        self._reader = Reader(api, catalogue, context.connection, held, wishes)
        read_fields = [name for name in (held.number_field, held.due_field, held.rate_field) if name is not None]
        self._write_backs = WriteBacks(api, catalogue, wishes.write_back, read_fields, create=held.create_fields)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The HTTP session is the engine's, and so is its closing."""

    def kinds(self) -> Sequence[str]:
        return self._reader.kinds()

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        self._known(kind)
        async for page in self._reader.changes(kind, cursor):
            yield page

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        self._known(kind)
        return await self._reader.read(kind, source_id)

    def receive(self, request: WebhookRequest) -> Delivery:
        check_credentials(request, self._connection, self._settings)
        return read_delivery(request, self._settings, self._write_backs.own_fields)

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        return await self._write_backs.write(request)

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        return kind == "deal" and same_values(values, raw)

    async def describe(self) -> SourceNames:
        """What a deal's status can be: stages where the settings say so, else open, won or lost."""
        names = (await self._api.stages()).values() if self._settings.status == "stage" else STATUSES
        unknown = await self._write_backs.unknown_fields()
        return SourceNames(statuses={name: name for name in names}, unknown=unknown)

    def budget(self) -> BudgetLeft:
        """What is left of today's tokens, as far as Pipedrive's answers said."""
        return self._budget.state()

    async def ensure_fields(self) -> tuple[str, ...]:
        """Create the deal fields that the mapping's `[write_back]` names and the company lacks.

        A write-back that meets a missing field does the same by itself, unless `create_fields` is off.

        Raises:
            SourceError: Pipedrive cannot be reached, or the token may not change fields.
        """
        return await self._write_backs.ensure_fields()

    def _known(self, kind: str) -> None:
        if kind not in self.kinds():
            raise SourceError(
                f"Pipedrive has no records of kind {kind} here.", remedy=f"There are {', '.join(self.kinds())}."
            )


def _http(context: SourceContext, settings: PipedriveSettings, budget: TokenBudget) -> SourceHttp:
    own = settings.api_token
    company = CompanyToken(context.http, settings, context.clock, context.tokens) if own is None else None
    per_second = max(1.0, settings.calls_per_2_seconds * SHARE_PERCENT / 100 / BUCKETS)
    http = SourceHttp(
        context.http,
        settings.address,
        fixed_token(own) if own is not None else company,
        AsyncLimiter(per_second, 1),
        context.clock,
        "Pipedrive",
        authorize=_api_token if own is not None else bearer,
        entropy=context.entropy,
        forget_token=company.forget if company is not None else None,
        told=budget.told,
        timeout_seconds=settings.timeout_seconds,
    )
    if company is not None:
        company.use(http)
    return http


def _api_token(token: SecretStr) -> Mapping[str, str]:
    return {"x-api-token": token.get_secret_value()}
