"""The seam towards source systems: what an adapter is, what the engine gives it, and what adapters have in common."""

from counterfoil.sources.fields import FieldError, Fields, read_row, rows_of
from counterfoil.sources.http import BasicAuth, BusyError, HttpAnswer, RefusedError, SourceHttp, UnansweredError, bearer
from counterfoil.sources.oauth import AccessToken, TokenEndpoint, fixed_token
from counterfoil.sources.plain import PlainSource
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
    SourceTokens,
    TokenKeeper,
    Unreadable,
    WebhookRequest,
    WriteBack,
    WriteBackResult,
)
from counterfoil.sources.settings import read_settings
from counterfoil.sources.signatures import (
    check_age,
    check_basic,
    check_signature,
    delivery_id,
    events_of,
    json_of,
    object_of,
    sign,
)
from counterfoil.sources.since import ChangesSince, Handed, Rows
from counterfoil.sources.writing import write_once
from counterfoil_schema.events.receipts import Hint

__all__ = [
    "AccessToken",
    "BadSignatureError",
    "BasicAuth",
    "BusyError",
    "ChangesSince",
    "Delivery",
    "FieldError",
    "Fields",
    "Handed",
    "Hint",
    "HttpAnswer",
    "MalformedDeliveryError",
    "Page",
    "PlainSource",
    "RefusedError",
    "Removed",
    "Rows",
    "Seen",
    "SourceAdapter",
    "SourceChange",
    "SourceContext",
    "SourceError",
    "SourceFactory",
    "SourceHttp",
    "SourceTokens",
    "TokenEndpoint",
    "TokenKeeper",
    "UnansweredError",
    "Unreadable",
    "WebhookRequest",
    "WriteBack",
    "WriteBackResult",
    "bearer",
    "check_age",
    "check_basic",
    "check_signature",
    "delivery_id",
    "events_of",
    "fixed_token",
    "json_of",
    "object_of",
    "read_row",
    "read_settings",
    "rows_of",
    "sign",
    "write_once",
]
