"""What a token may do: the scopes that a call needs, and what is said to one that lacks them."""

import re
from collections.abc import Mapping

from counterfoil_adapters.hubspot.emulator.catalogue import object_type
from counterfoil_adapters.hubspot.emulator.errors import PortalError

_CALL = re.compile(r"/crm/(?:v3/)?(objects|properties|pipelines)/(?:2026-09/)?([^/]+)(?:/(.*))?")
_NAMES: Mapping[str, str] = {"commerce_payments": "commercepayments"}
_READING_POSTS = ("search", "batch/read")


def needed(method: str, path: str) -> tuple[str, ...]:
    """Scopes of which a call needs one (HubSpot: the guides of the objects, and the properties API)."""
    found = _CALL.fullmatch(path)
    kind = object_type(found[2]) if found is not None else None
    if found is None or kind is None:
        return ()
    name = _NAMES.get(kind.plural, kind.plural)
    reads = method == "GET" or (method == "POST" and (found[3] or "") in _READING_POSTS)
    if found[1] == "objects":
        return (f"crm.objects.{name}.{'read' if reads else 'write'}",)
    return (f"crm.schemas.{name}.read", f"crm.objects.{name}.read") if reads else (f"crm.schemas.{name}.write",)


def refuse_unless(granted: frozenset[str] | None, method: str, path: str) -> None:
    """Let a call through if its token was granted one of the scopes that it needs; None: all were granted.

    Raises:
        PortalError: 403, naming them.
    """
    wanted = needed(method, path)
    if granted is None or not wanted or granted.intersection(wanted):
        return
    raise PortalError(
        403,
        "This app hasn't been granted all required scopes to make this call.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(wanted)},
            }
        ],
    )
