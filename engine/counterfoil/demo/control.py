"""The emulators' control addresses: where the demo acts as a person and reads what happened."""

import aiohttp

from counterfoil.demo.errors import DemoError
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

_HTTP_ERROR = 400
_TIMEOUT = aiohttp.ClientTimeout(total=60.0)


class Control:
    """One control address. JSON in, JSON out, numbers exact."""

    def __init__(self, http: aiohttp.ClientSession, url: str, name: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._name = name

    async def get(self, path: str) -> JsonObject:
        """What it shows.

        Raises:
            DemoError: it refuses.
        """
        return await self.call("GET", path, None)

    async def post(self, path: str, body: JsonValue) -> JsonObject:
        """What it answers to an order.

        Raises:
            DemoError: it refuses.
        """
        return await self.call("POST", path, body)

    async def call(self, method: str, path: str, body: JsonValue) -> JsonObject:
        """One request.

        Raises:
            DemoError: it refuses.
        """
        data = None if body is None else exact_json.dumps(body)
        headers = {"Content-Type": "application/json"}
        async with self._http.request(
            method, f"{self._url}{path}", data=data, headers=headers, timeout=_TIMEOUT
        ) as answer:
            text = await answer.read()
            if answer.status >= _HTTP_ERROR:
                said = text.decode("utf-8", errors="replace")[:300]
                raise DemoError(f"{self._name} refused {method} {path}: {said}")
            return exact_json.loads_object(text) if text else {}


def rows_of(answer: JsonObject, name: str) -> list[JsonObject]:
    """A list of objects inside an answer."""
    found = answer.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def part_of(answer: JsonObject, name: str) -> JsonObject:
    """An object inside an answer; empty where there is none."""
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def text_of(answer: JsonObject, name: str) -> str:
    """A text inside an answer; empty where there is none."""
    found = answer.get(name)
    return "" if found is None else str(found)
