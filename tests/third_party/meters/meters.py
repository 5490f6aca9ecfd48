"""Parking meters that write their takings into a file: a kind of record that nobody else knows, and what it becomes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path

from counterfoil import sources
from counterfoil_schema.exact_json import JsonObject, loads
from counterfoil_schema.records import Custom, Record


class Meters(sources.PlainSource):
    name = "meters"

    def __init__(self, context: sources.SourceContext) -> None:
        self._file = Path(str(context.settings["file"]))

    def kinds(self) -> Sequence[str]:
        return ("takings",)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[sources.Page]:
        del cursor  # the file is short: all of it, each time
        yield sources.Page(changes=[self._seen(kind, row) for row in await self._rows()], cursor="all", done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[sources.SourceChange]:
        found = [row for row in await self._rows() if row.get("id") == source_id]
        if not found:
            raise sources.SourceError(f"No meter wrote {source_id}.", retry_after=60)
        return [self._seen(kind, row) for row in found[:1]]

    def project(
        self, record_key: str, record: Record, state: sources.SourceState
    ) -> sources.Wanted | sources.NotWanted:
        """One journal entry for each day's takings: cash against income."""
        facts = sources.Fields(record.read() if isinstance(record, Custom) else {})
        amount, day = facts.needed_amount("amount"), facts.needed("day")
        if amount == 0:
            return sources.NotWanted(reason=f"Nothing was taken on {day}.")
        if amount < 0:
            return sources.NotWanted(reason=f"{day} took less than nothing.", code="negative", fix="Look at the meter.")
        lines = [_line(amount, side, account) for side, account in (("Debit", "Cash"), ("Credit", "Parking"))]
        body: JsonObject = {"TxnDate": day, "PrivateNote": f"{record_key} {{marker}}", "Line": [*lines]}
        return sources.Wanted(entity="JournalEntry", body=body, amount=amount, currency=state.home_currency())

    async def _rows(self) -> list[JsonObject]:
        text = await asyncio.to_thread(self._file.read_text, "utf-8")
        return sources.rows_of({"rows": loads(text)}, "rows", "The meters' file")

    def _seen(self, kind: str, row: JsonObject) -> sources.SourceChange:
        source_id = sources.Fields(row).needed("id")
        return sources.read_row(kind, source_id, str(row), row, lambda fields: Custom.of(fields.row), place=source_id)


def _line(amount: Decimal, side: str, account: str) -> JsonObject:
    detail: JsonObject = {"PostingType": side, "AccountRef": {"$name": ["Account", account]}}
    return {"Amount": amount, "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}
