"""Salesforce as a source: accounts become customers, products items, opportunities invoices, and custom objects what a
mapping says."""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

from counterfoil.errors import ConfigurationError
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
from counterfoil_adapters.salesforce.client import SalesforceClient
from counterfoil_adapters.salesforce.reading import Reader
from counterfoil_adapters.salesforce.session import SignIn
from counterfoil_adapters.salesforce.settings import SalesforceSettings, written_fields
from counterfoil_adapters.salesforce.shapes import shapes_of
from counterfoil_adapters.salesforce.telling import Bus
from counterfoil_adapters.salesforce.write_back import WriteBacks, same_values


class SalesforceSource:
    """One Salesforce org, behind the port of all sources; open while its context is.

    Raises:
        ConfigurationError: settings that cannot be used.
    """

    name: ClassVar[str] = "salesforce"
    personal_kinds: ClassVar[tuple[str, ...]] = ("contact",)

    def __init__(self, context: SourceContext) -> None:
        settings = read_settings(SalesforceSettings, context, "Salesforce")
        written = written_fields(context.mapping)
        self._shapes = shapes_of(context.connection, settings.kinds, written, contacts=settings.contacts)
        client = SalesforceClient(SignIn(context, settings), settings.api_version, context.clock)
        self._reader = Reader(client, context.connection, settings, self._shapes, _bus(context, settings))
        self._write_backs = WriteBacks(client, self._shapes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The HTTP session is the engine's, and so is its closing."""

    def kinds(self) -> Sequence[str]:
        return tuple(self._shapes)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        self._check(kind)
        async for page in self._reader.changes(kind, cursor):
            yield page

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        self._check(kind)
        return await self._reader.read(kind, source_id)

    def receive(self, request: WebhookRequest) -> Delivery:
        del request
        raise BadSignatureError("Salesforce delivers nothing here: it signs no webhooks.", remedy="Remove its sender.")

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        return await self._write_backs.write(request)

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        shape = self._shapes.get(kind)
        if shape is None or shape.write_back is not None:
            return not values
        return same_values(values, raw)

    async def describe(self) -> SourceNames:
        """Whether the fields exist that the mapping writes to."""
        return SourceNames(unknown=await self._write_backs.unknown_fields())

    def _check(self, kind: str) -> None:
        if kind not in self._shapes:
            raise SourceError(
                f"Salesforce has no records of kind {kind}.", remedy=f"There are {', '.join(self._shapes)}."
            )


def _bus(context: SourceContext, settings: SalesforceSettings) -> Bus | None:
    if not settings.change_events:
        return None
    try:
        from counterfoil_adapters.salesforce.pubsub.stream import EventBus
    except ImportError:
        raise ConfigurationError(
            f"change_events of the Salesforce connection {context.connection} need gRPC and Avro.",
            remedy="Install counterfoil[salesforce].",
        ) from None
    return EventBus(settings.pubsub_url, settings.timeout_seconds, settings.quiet_seconds)
