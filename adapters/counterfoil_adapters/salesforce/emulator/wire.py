"""How requests are read and answers written."""

import re

from aiohttp import web

from counterfoil_adapters.salesforce.emulator.errors import OrgError, not_found
from counterfoil_adapters.salesforce.emulator.org import Actor, Org
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject

VERSIONS = range(31, 69)
_CLIENT = re.compile(r"(?:^|,)\s*client=([^,]+)")


async def json_body(request: web.Request) -> JsonObject:
    """The request's JSON object.

    Raises:
        OrgError: 400 or 415.
    """
    if request.content_type != "application/json":
        raise OrgError("UNSUPPORTED_MEDIA_TYPE", f"Content type not supported: {request.content_type}", status=415)
    try:
        return exact_json.loads_object(await request.read())
    except ValueError as error:
        raise OrgError("JSON_PARSER_ERROR", str(error)) from None


def version_of(request: web.Request) -> str:
    """The API version in the path.

    Raises:
        OrgError: 404 for one that there is not.
    """
    version = request.match_info["version"]
    number = version.removeprefix("v").removesuffix(".0")
    if not re.fullmatch(r"v\d+\.0", version) or int(number) not in VERSIONS:
        raise not_found()
    return version


def actor_of(request: web.Request, org: Org) -> Actor:
    """The integration's user, with the name that the client gave itself."""
    found = _CLIENT.search(request.headers.get("Sforce-Call-Options", ""))
    return Actor(org.integration, found[1].strip() if found else None, by_api=True)
