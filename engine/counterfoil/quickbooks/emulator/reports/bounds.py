"""How much of a report is answered: beyond some 400,000 cells the rest is cut off, with a text in its place.

Source: recorded answers; there is no paging.
"""

from counterfoil.quickbooks.emulator.values import as_list, as_object
from counterfoil_schema.exact_json import JsonObject, JsonValue

CELLS_MAX = 400_000
CUT_OFF = "Unable to display more data. Please reduce the date range."


def bounded(rows: list[JsonValue], cells_max: int = CELLS_MAX) -> list[JsonValue]:
    """The rows as far as they are answered."""
    kept, room = _kept(rows, cells_max)
    if room >= 0:
        return kept
    notice: JsonObject = {"ColData": [{"value": CUT_OFF}], "type": "Data"}
    return [*kept, notice]


def _kept(rows: list[JsonValue], room: int) -> tuple[list[JsonValue], int]:
    """Rows that fit, and the room that is left; less than none where something did not fit."""
    kept: list[JsonValue] = []
    for row in map(as_object, rows):
        room -= sum(len(as_list(part.get("ColData"))) for part in _parts(row))
        if room < 0:
            return kept, room
        if "Rows" not in row:
            kept.append(row)
            continue
        inside, room = _kept(as_list(as_object(row["Rows"]).get("Row")), room)
        if room < 0:
            # A section that is cut off has no sum.
            kept.append({**{name: row[name] for name in row if name != "Summary"}, "Rows": {"Row": inside}})
            return kept, room
        kept.append(row)
    return kept, room


def _parts(row: JsonObject) -> list[JsonObject]:
    return [row, *(as_object(row.get(name)) for name in ("Header", "Summary"))]
