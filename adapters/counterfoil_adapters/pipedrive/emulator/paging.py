"""Lists of version 2: filters, one sorting, and marks that only fit the list they came from."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from aiohttp import web

from counterfoil.emulating import answer
from counterfoil_adapters.pipedrive.emulator.errors import refusal
from counterfoil_schema.exact_json import JsonObject, dumps, loads

LIMIT, LIMIT_MAX = 100, 500
IDS_MAX = 100

Key = tuple[str, int]


def listing(
    request: web.Request,
    rows: Iterable[JsonObject],
    sorts: Sequence[str],
    keep: Callable[[JsonObject], bool],
    *,
    ends_with_null: bool = False,
) -> web.Response:
    """A page of what is kept, sorted as asked for, with the mark of the next."""
    sort_by = request.query.get("sort_by", "id")
    direction = request.query.get("sort_direction", "asc")
    if sort_by not in sorts:
        raise refusal(f"Validation failed: sort_by: must be one of {', '.join(sorts)}")
    if direction not in {"asc", "desc"}:
        raise refusal("Validation failed: sort_direction: must be one of asc, desc")
    limit = _limit(request)
    behind = _mark(request)
    found = sorted((row for row in rows if keep(row)), key=lambda row: _key(row, sort_by), reverse=direction == "desc")
    if behind is not None:
        found = [row for row in found if _is_behind(_key(row, sort_by), behind, direction)]
    page = found[:limit]
    more = _written(request, _key(page[-1], sort_by)) if len(found) > limit else None
    # The last page's mark is left out, as the client's types have it; only lists of fields say null.
    mark: JsonObject = {"next_cursor": more} if more is not None or ends_with_null else {}
    return answer({"success": True, "data": page, "additional_data": mark})


def since_filter(request: web.Request) -> Callable[[JsonObject], bool]:
    """`updated_since` (itself included) and `updated_until` (not included)."""
    since, until = (_instant(request, name) for name in ("updated_since", "updated_until"))

    def keep(row: JsonObject) -> bool:
        moment = datetime.fromisoformat(str(row["update_time"]))
        return (since is None or moment >= since) and (until is None or moment < until)

    return keep


def ids_of(request: web.Request, name: str) -> set[int] | None:
    """Ids given as a comma list or repeated; None where there are none."""
    texts = [part for value in request.query.getall(name, []) for part in value.split(",") if part]
    if not texts:
        return None
    if len(texts) > IDS_MAX or not all(text.isdigit() for text in texts):
        raise refusal(f"Validation failed: {name}: at most {IDS_MAX} whole numbers")
    return {int(text) for text in texts}


def number_of(request: web.Request, name: str) -> int | None:
    """A filter by a number."""
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise refusal(f"Validation failed: {name}: {name} must be a number")
    return int(text)


def _limit(request: web.Request) -> int:
    limit = number_of(request, "limit")
    if limit is None:
        return LIMIT
    if not 1 <= limit <= LIMIT_MAX:
        raise refusal(f"Validation failed: limit: must be between 1 and {LIMIT_MAX}")
    return limit


def _key(row: JsonObject, sort_by: str) -> Key:
    value = row.get(sort_by)
    number = row["id"] if isinstance(row["id"], int) else 0
    return (f"{value:020d}" if isinstance(value, int) else str(value or "")), number


def _is_behind(key: Key, mark: Key, direction: str) -> bool:
    return key > mark if direction == "asc" else key < mark


def _fingerprint(request: web.Request) -> str:
    parts = sorted((name, value) for name, value in request.query.items() if name not in {"cursor", "limit"})
    return hashlib.sha256(repr((request.path, parts)).encode()).hexdigest()[:12]


def _written(request: web.Request, key: Key) -> str:
    return base64.urlsafe_b64encode(dumps([_fingerprint(request), *key])).decode()


def _mark(request: web.Request) -> Key | None:
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        value = loads(base64.urlsafe_b64decode(text.encode()))
    except ValueError:
        value = None
    match value:
        case [str(fingerprint), str(first), int(second)] if fingerprint == _fingerprint(request):
            return first, second
        case _:
            raise refusal("Invalid cursor.")


def _instant(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refusal(f"Validation failed: {name}: must be in RFC3339 format") from None
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
