"""JSON in and out, exact."""

from collections.abc import Mapping

from aiohttp import web

from counterfoil_adapters.gusto.emulator.values import BadRequestError
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads_object


def answer(value: JsonValue, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON with exact numbers."""
    return web.Response(body=dumps(value), status=status, content_type="application/json", headers=headers)


async def body_of(request: web.Request) -> JsonObject:
    """A request's JSON object.

    Raises:
        BadRequestError: not JSON, or no object.
    """
    try:
        return loads_object(await request.read())
    except ValueError:
        raise BadRequestError("The body must be a JSON object.", status=400, category="invalid_request") from None
