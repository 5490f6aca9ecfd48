"""Properties, their groups, and access tokens."""

import hashlib
from dataclasses import dataclass, field

from aiohttp import web

from counterfoil.ports import Clock
from counterfoil_adapters.hubspot.emulator.errors import PortalError
from counterfoil_adapters.hubspot.emulator.portal import Portal, custom_property
from counterfoil_adapters.hubspot.emulator.wire import answer, json_body, kind_of
from counterfoil_schema.exact_json import JsonObject

ACCESS_TOKEN_SECONDS = 1800
PROPERTY_TYPES = frozenset({"string", "number", "date", "datetime", "enumeration", "bool"})


@dataclass(slots=True)
class Credentials:
    """What opens the account: a static token, and an app's refresh token with the access tokens it gave.

    `scopes` are those that any of them was granted; None: all.
    """

    access_token: str
    client_id: str
    client_secret: str
    refresh_token: str
    granted: dict[str, float] = field(default_factory=dict)
    scopes: frozenset[str] | None = None

    def opens(self, token: str, now: float) -> bool:
        """Whether a bearer token is good."""
        return token == self.access_token or self.granted.get(token, 0.0) > now


class AccountApi:
    """Everything about the account that is not an object."""

    def __init__(self, portal: Portal, credentials: Credentials, clock: Clock) -> None:
        self._portal = portal
        self._credentials = credentials
        self._clock = clock

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes under `/crm/v3/properties` or its date-based twin."""
        return [
            web.get(prefix + "/{type}/groups", self.groups),
            web.post(prefix + "/{type}/groups", self.create_group),
            web.get(prefix + "/{type}", self.properties),
            web.post(prefix + "/{type}", self.create_property),
            web.get(prefix + "/{type}/{name}", self.one_property),
        ]

    async def groups(self, request: web.Request) -> web.Response:
        table = self._portal.tables[kind_of(request).plural]
        return answer({"results": [_group(name, label) for name, label in table.groups.items()]})

    async def create_group(self, request: web.Request) -> web.Response:
        table = self._portal.tables[kind_of(request).plural]
        body = await json_body(request)
        name, label = _required(body, "name"), _required(body, "label")
        if name in table.groups:
            raise PortalError(409, f"A group named {name} exists already", "OBJECT_ALREADY_EXISTS")
        table.groups[name] = label
        return answer(_group(name, label), 201)

    async def properties(self, request: web.Request) -> web.Response:
        table = self._portal.tables[kind_of(request).plural]
        return answer({"results": list(table.properties.values())})

    async def one_property(self, request: web.Request) -> web.Response:
        definition = self._portal.tables[kind_of(request).plural].properties.get(request.match_info["name"])
        if definition is None:
            raise PortalError(404, f"Property {request.match_info['name']} does not exist", "OBJECT_NOT_FOUND")
        return answer(definition)

    async def create_property(self, request: web.Request) -> web.Response:
        table = self._portal.tables[kind_of(request).plural]
        body = await json_body(request)
        name, kind = _required(body, "name"), _required(body, "type")
        group, label = _required(body, "groupName"), _required(body, "label")
        if name in table.properties:
            raise PortalError(409, f"A property named {name} exists already", "OBJECT_ALREADY_EXISTS")
        if kind not in PROPERTY_TYPES:
            raise PortalError(400, f"Invalid property type {kind}")
        if group not in table.groups:
            raise PortalError(400, f"The property group {group} does not exist")
        definition = custom_property(name, kind, _required(body, "fieldType"), group, label)
        definition["hasUniqueValue"] = body.get("hasUniqueValue") is True
        definition["description"] = str(body.get("description") or "")
        table.properties[name] = definition
        return answer(definition, 201)

    async def token(self, request: web.Request) -> web.Response:
        """`/oauth/v1/token` and its later names: the refresh grant."""
        form = await request.post()
        held = self._credentials
        given = (form.get("client_id"), form.get("client_secret"), form.get("refresh_token"))
        if form.get("grant_type") != "refresh_token":
            raise PortalError(400, "unsupported grant_type", "BAD_GRANT_TYPE")
        if given != (held.client_id, held.client_secret, held.refresh_token):
            raise PortalError(400, "missing or unknown refresh token", "BAD_REFRESH_TOKEN")
        seed = f"{held.refresh_token}:{len(held.granted)}"
        token = "granted-" + hashlib.sha256(seed.encode()).hexdigest()[:40]
        held.granted[token] = self._clock.monotonic() + ACCESS_TOKEN_SECONDS
        return answer(
            {
                "access_token": token,
                "refresh_token": held.refresh_token,
                "expires_in": ACCESS_TOKEN_SECONDS,
                "token_type": "bearer",
            }
        )


def _group(name: str, label: str) -> dict[str, object]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}


def _required(body: JsonObject, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise PortalError(400, f"Invalid input JSON: {name} is required")
    return value
