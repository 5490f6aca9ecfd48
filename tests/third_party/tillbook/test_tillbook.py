"""A third party's adapter under the contract, with nothing but the guide."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from counterfoil.testing import SourceContract, Stage
from counterfoil_schema.exact_json import JsonValue
from third_party.tillbook.stub import KEY, SECRET, STALL, TillbookStub
from third_party.tillbook.tillbook import Tillbook

TEXT = 'Zoë\'s "Café" 🦊\nzweite Zeile'


def filled(stub: TillbookStub) -> TillbookStub:
    """Clients and sales, among them one of each that cannot be read, three of one instant, and an exact amount."""
    stub.put("clients", {"id": "c9", "name": "", "email": "c9@example.test"})
    stub.put("sales", {"id": "sx", "client": "c1", "state": "paid", "currency": "EUR", "lines": "many"})
    for number in range(1, 8):
        stub.put("clients", {"id": f"c{number}", "name": f"Client {number}", "email": f"c{number}@example.test"})
    stub.put("clients", {"id": "c8", "name": TEXT, "email": None})
    for number in range(1, 10):
        line: JsonValue = {"id": f"l{number}", "what": "Honey", "count": 2, "price": f"{number}.50"}
        row = {"client": f"c{number % 8 + 1}", "state": "paid", "sold": "2026-03-01T10:00:00+01:00", "currency": "EUR"}
        stub.put("sales", {"id": f"s{number}", "lines": [line], **row}, pause=60 * (number % 3))
    exact: JsonValue = {"id": "l0", "what": "Gold", "count": "1", "price": "1265793.0395000001"}
    stub.put("sales", {"id": "s0", "client": "c1", "state": "paid", "currency": "EUR", "lines": [exact]})
    return stub


class TestTillbook(SourceContract):
    has_webhooks = True
    has_deletes = True
    has_merges = True
    has_write_back = True
    has_delivery_ages = True
    fixed_fields = ("changed", "stall")
    adapter: type[Tillbook] = Tillbook

    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        del folder
        async with TillbookStub() as stub:
            yield self.stage_of(filled(stub))

    def stage_of(self, stub: TillbookStub) -> Stage:
        settings = {"api_key": KEY, "webhook_secret": SECRET, "stall": STALL, "page_rows": 3}
        edits = iter(range(1000))

        async def edit() -> tuple[str, str]:
            stub.put("clients", {"id": "c2", "name": f"Renamed {next(edits)}"})
            return "client", "c2"

        async def edit_at_same_instant() -> tuple[str, str]:
            stub.put("clients", {"id": "c1", "name": f"Renamed {next(edits)}"}, pause=0)
            return "client", "c1"

        async def hide() -> tuple[str, str]:
            del stub.tables["sales"]["s1"]
            return "sale", "s1"

        async def add() -> tuple[str, str]:
            stub.put("clients", {"id": f"c0{next(edits)}", "name": "New"})
            return "client", "c00"

        async def delete() -> tuple[str, str]:
            stub.put("clients", {"id": "c3", "gone": True})
            return "client", "c3"

        async def merge() -> tuple[str, str, str]:
            stub.put("clients", {"id": "c4", "gone": True, "merged_into": "c5"})
            return "client", "c4", "c5"

        async def foreign() -> tuple[str, str]:
            stub.put("sales", {"id": "s77", "stall": "stall-8", "client": "c1", "state": "paid", "currency": "EUR"})
            return "sale", "s77"

        def held(kind: str, source_id: str) -> dict[str, str]:
            books = stub.tables[f"{kind}s"][source_id].get("books")
            return {name: str(value) for name, value in books.items()} if isinstance(books, dict) else {}

        return Stage(
            at=lambda bench: self.adapter(bench.context({**settings, "base_url": bench.url})),
            address=stub.base_url,
            readable={
                "client": [f"c{number}" for number in range(1, 9)],
                "sale": [f"s{number}" for number in range(10)],
            },
            unreadable={"client": ["c9"], "sale": ["sx"]},
            texts=[TEXT],
            amounts=["1265793.0395000001"],
            edit=edit,
            edit_at_same_instant=edit_at_same_instant,
            hide=hide,
            add=add,
            delete=delete,
            merge=merge,
            deliver=stub.deliver,
            writable=("sale", "s2", {"invoice_number": "INV-7"}),
            held=held,
            foreign=foreign,
        )
