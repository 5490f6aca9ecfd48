"""What a source that only reads says to the rest of the seam; inherit it, or write the methods yourself."""

from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Self

from counterfoil.sources.port import BadSignatureError, Delivery, WebhookRequest, WriteBack, WriteBackResult


class PlainSource:
    """Opens nothing, hears nothing, writes nothing. `name` is the source's name, for messages too."""

    name: ClassVar[str] = "source"
    personal_kinds: ClassVar[tuple[str, ...]] = ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open: the HTTP session is the engine's."""

    def receive(self, request: WebhookRequest) -> Delivery:
        """Refused: nobody was told to deliver here."""
        del request
        raise BadSignatureError(f"{self.name} delivers nothing here.", remedy="Remove the webhook at its sender.")

    async def write_back(self, request: WriteBack) -> WriteBackResult:
        """Refused: there is no place for what the books say."""
        return WriteBackResult(
            outcome="rejected",
            reason=f"{self.name} takes nothing back: {request.kind} {request.source_id} is only read.",
            fix="Remove [write_back] for this connection from its mapping.",
        )

    def same_values(self, kind: str, values: Mapping[str, str], raw: str) -> bool:
        """Nothing is written back, so nothing can be our own echo."""
        del kind, raw
        return not values
