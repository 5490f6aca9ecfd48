"""The seam towards source systems: what an adapter is, and what the engine gives it."""

from counterfoil.sources.port import (
    BadSignatureError,
    Delivery,
    MalformedDeliveryError,
    Page,
    Removed,
    Seen,
    SourceAdapter,
    SourceChange,
    SourceContext,
    SourceError,
    SourceFactory,
    Unreadable,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)

__all__ = [
    "BadSignatureError",
    "Delivery",
    "MalformedDeliveryError",
    "Page",
    "Removed",
    "Seen",
    "SourceAdapter",
    "SourceChange",
    "SourceContext",
    "SourceError",
    "SourceFactory",
    "Unreadable",
    "WebhookRequest",
    "WriteBack",
    "WriteBackResult",
]
