"""Both sides of a company for its first day: read whole, with what the log knows of them already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from counterfoil.cli.tasks.reading_bars import ReadingBars
from counterfoil.dispatch.ids import marker
from counterfoil.engine import Engine
from counterfoil.onboarding.adoptions import Known
from counterfoil.onboarding.matching import Proposal, propose
from counterfoil.onboarding.reading import BooksSide, SourceSide, Wanted, read_books, read_source
from counterfoil.planning.mapping import parse_mapping
from counterfoil.settings import CompanySettings
from counterfoil.state.rows import IntentRow, LinkRow, ReviewRow

LATELY = timedelta(days=60)
INCARNATIONS = 3
"""Of how many documents of a record the marker is looked for: one that we deleted and made anew bears another."""

BUSY_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One company; `reads` are the calls to QuickBooks that it took, which Intuit meters."""

    company: int
    source: SourceSide
    books: BooksSide
    known: Known
    reads: int
    starts: Mapping[str, date]

    def proposals(self) -> list[Proposal]:
        """What may stand for each record that stands for nothing yet; early ones without a candidate left out."""
        known = self.known
        ours = [one for key, one in self.source.facts.items() if key not in known.linked]
        theirs = [one for entry, one in self.books.facts.items() if entry not in known.owners]
        linked = {key: identity for key, (entity, identity) in known.linked.items() if entity == "Customer"}
        found = propose(ours, theirs, marker_of=self._markers, linked=linked)
        return [one for one in found if one.candidates or one.ours.key not in self.source.early]

    def _markers(self, key: str) -> Sequence[str]:
        return [marker(self.company, key, "Invoice", number) for number in range(1, INCARNATIONS + 1)]


async def read_sides(engine: Engine, settings: CompanySettings, *, whole: bool, hidden: bool) -> Sides:
    """Read everything of both sides.

    Args:
        whole: keep the documents of the books, for their adoption.
        hidden: show no bar.

    Raises:
        SourceError, BooksUnreadableError: a side cannot be read now.
    """
    connected = engine.connected(settings.company)
    before = _reads(connected.gate.snapshot().metered_reads)
    source = SourceSide()
    starts: dict[str, date] = {}
    with ReadingBars(hidden=hidden) as bars:
        for name, adapter in connected.sources.items():
            given = settings.sources[name]
            mapping = parse_mapping(given.mapping, file=given.mapping_file or name, default_zone=settings.zone)
            await read_source(source, name, adapter, mapping, bars.tick)
            for kind in source.kinds:
                start = mapping.start.of(kind)
                if start is not None:
                    starts[kind] = min(start, starts.get(kind, start))
        wanted = Wanted(
            kinds=frozenset(source.kinds),
            start=starts.get("invoice"),
            since=engine.clock.now() - LATELY,
            whole=whole,
        )
        books = await read_books(connected.books, wanted, bars.tick)
    known = await _known(engine, settings.company, source, books)
    reads = _reads(connected.gate.snapshot().metered_reads) - before
    return Sides(company=settings.company, source=source, books=books, known=known, reads=reads, starts=starts)


async def _known(engine: Engine, company: int, source: SourceSide, books: BooksSide) -> Known:
    links = await engine.store.some(LinkRow, "all_links", company)
    live = [row for row in links if row.status == "live"]
    reviews = await engine.store.some(ReviewRow, "all_reviews", company)
    moving = ["sent", "uncertain", "refetch", "adopt"]
    busy = await engine.store.some(IntentRow, "intents_in", company, moving, BUSY_MAX)
    return Known(
        ours=source.facts,
        theirs=books.facts,
        linked={row.record_key: (row.entity, row.document_id) for row in live},
        owners={(row.entity, row.document_id): row.record_key for row in live},
        reviewed={row.record_key: row.verdict for row in reviews},
        busy=frozenset(row.record_key for row in busy if row.target == "quickbooks"),
    )


def _reads(by_month: Mapping[str, int]) -> int:
    return sum(by_month.values())
