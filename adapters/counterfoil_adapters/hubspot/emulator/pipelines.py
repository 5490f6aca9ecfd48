"""The stages that a deal can be in: those of a new account."""

from collections.abc import Sequence

from aiohttp import web

from counterfoil_adapters.hubspot.emulator.wire import answer, kind_of
from counterfoil_schema.exact_json import JsonObject

EPOCH = "1970-01-01T00:00:00Z"
"""What a new account's own pipeline was created at (HubSpot: pipelines)."""

STAGES: Sequence[tuple[str, str, str]] = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)
"""Id, label, and the chance of winning a deal that is there."""


async def pipelines(request: web.Request) -> web.Response:
    """`/crm/v3/pipelines/{type}` or its date-based twin; kinds other than deals have none here."""
    found: list[JsonObject] = [_sales()] if kind_of(request).plural == "deals" else []
    return answer({"results": [*found]})


def _sales() -> JsonObject:
    stages: list[JsonObject] = [
        {**_entry(stage, label, order), "metadata": {"probability": chance, "isClosed": _is_closed(chance)}}
        for order, (stage, label, chance) in enumerate(STAGES)
    ]
    return {**_entry("default", "Sales Pipeline", 0), "stages": [*stages]}


def _is_closed(chance: str) -> str:
    return "true" if chance in {"0.0", "1.0"} else "false"


def _entry(identity: str, label: str, order: int) -> JsonObject:
    dates: JsonObject = {"createdAt": EPOCH, "updatedAt": EPOCH, "archived": False}
    return {"id": identity, "label": label, "displayOrder": order, **dates}
