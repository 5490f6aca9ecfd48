"""State for a trial: what the log and the books hold now, and what the sample itself would add."""

import hashlib
from collections.abc import Sequence

from counterfoil.dispatch.view import EventSource, KeyedHash, ViewLoader
from counterfoil.planning.types import Plan, Reversal
from counterfoil.settings import CompanySettings
from counterfoil.sources import SourceAdapter
from counterfoil.state.rows import CompanyRow
from counterfoil.state.store import StateStore
from counterfoil.trial.books import BooksSeen
from counterfoil.trial.sample import Sample
from counterfoil_schema.records import PayRun


class PlainHash:
    """Hashes for a company of which nothing is kept yet: so none of its keys is made for a trial."""

    async def keyed_hash(self, company: int, data: bytes) -> str:
        """SHA-256, in hexadecimal."""
        del company
        return hashlib.sha256(data).hexdigest()


class TrialLoader(ViewLoader):
    """Answers the planner out of rows, log, books and sample."""

    def __init__(
        self,
        settings: CompanySettings,
        seen: BooksSeen,
        sample: Sample,
        adapter: SourceAdapter,
        *,
        store: StateStore,
        events: EventSource,
        hashes: KeyedHash,
    ) -> None:
        super().__init__(company=settings.company, store=store, events=events, hashes=hashes)
        self._settings = settings
        self._seen = seen
        self._sample = sample
        self._adapter = adapter
        self._names: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, str] = {}

    async def company(self) -> CompanyRow:
        """The company as its books are now, whether the log knows it or not."""
        facts, settings = self._seen.facts, self._settings
        return CompanyRow(
            company=settings.company,
            name=settings.name,
            zone=settings.zone,
            home_currency=facts.home_currency,
            multi_currency=facts.multi_currency,
            custom_numbers=facts.custom_numbers,
            closed_until=facts.closed_until.isoformat() if facts.closed_until is not None else None,
            tax_mode=facts.tax_mode,
            class_tracking=facts.class_tracking,
            department_tracking=facts.department_tracking,
        )

    def note(self, record_key: str, plan: Plan) -> None:
        """Names and numbers that a plan takes are taken for those after it."""
        if not isinstance(plan, Sequence):
            return
        for intent in plan:
            if intent.name is not None:
                self._names.setdefault((intent.entity, intent.name.casefold()), record_key)
            if intent.doc_number is not None:
                self._numbers.setdefault(intent.doc_number, record_key)
        self.forget()

    async def reversals_of(self, original: str) -> list[Reversal]:
        """Those that the log knows, as the sample shows them now, and then the sample's own."""
        held = {one.record_key: one for one in await super().reversals_of(original)}
        last = max((one.position for one in held.values()), default=0)
        for place, (key, seen) in enumerate(self._sample.records.items(), start=last + 1):
            if isinstance(seen.record, PayRun) and seen.record.reverses == original:
                position = held[key].position if key in held else place
                held[key] = Reversal(record_key=key, position=position, record=seen.record)
        return list(held.values())

    async def _load(self, record_key: str, question: str, arguments: Sequence[str]) -> object:
        match question:
            case "known":
                return await self._sample.fetch(self._adapter, arguments[0]) is not None or await super()._load(
                    record_key, question, arguments
                )
            case "record":
                found = await self._sample.fetch(self._adapter, arguments[0])
                return found if found is not None else await super()._load(record_key, question, arguments)
            case "named":
                held = self._seen.find(*arguments)
                return held.document_id if held is not None and held.active else None
            case "number":
                return self._numbers.get(arguments[0]) or await super()._load(record_key, question, arguments)
            case "name":
                taken = self._names.get((arguments[0], arguments[1].casefold()))
                return taken or await super()._load(record_key, question, arguments)
            case _:
                return await super()._load(record_key, question, arguments)
