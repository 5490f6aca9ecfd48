"""`counterfoil onboard`: what the books hold already, held against the source, as a file to decide in."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.cli.tasks.mapping_trials import without_traces
from counterfoil.cli.tasks.onboard_prompts import ask_about
from counterfoil.cli.tasks.onboard_sides import Sides, read_sides
from counterfoil.cli.tasks.onboard_start import with_start
from counterfoil.engine import Engine
from counterfoil.errors import ConfigurationError
from counterfoil.onboarding.facts import TYPES
from counterfoil.onboarding.matching import Decision, Proposal
from counterfoil.onboarding.others import Suspect, suspects
from counterfoil.onboarding.sheet import Row, read_sheet, sheet_text
from counterfoil.settings import CompanySettings, Settings

DOUBTFUL_SHOWN_MAX = 25
_RIGHTS = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for; `file` is where the review goes, and where an earlier one is taken up."""

    config: Path
    file: Path | None
    start: date | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfType:
    """How many records of one type come to what; `linked` stand for something already."""

    type: str
    records: int
    linked: int
    adopt: int
    ask: int
    create: int
    skip: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One company.

    Attributes:
        file: where the decisions are.
        kept: how many decisions of an earlier review were taken up.
        starts: the start date of each type that has one; `before_start` how many records are dated before it.
        passed_over: records that nothing is matched with, by reason.
        others: who else seems to post the same.
        reads: metered calls to QuickBooks.
    """

    company: int
    name: str
    file: str
    kept: int
    types: tuple[OfType, ...]
    starts: Mapping[str, date]
    before_start: Mapping[str, int]
    passed_over: Mapping[str, int]
    others: Sequence[Suspect]
    reads: int


async def review(settings: Settings, wish: Wish) -> int:
    """Write the review of each company; 1 if anything is left to decide, or somebody else posts the same."""
    if wish.file is not None and len(settings.companies) > 1:
        raise ConfigurationError("For which company is this file?", remedy="Say so with --company NUMBER.")
    settings = await asyncio.to_thread(with_start, settings, wish.config, wish.start)
    reviews: list[Review] = []
    async with Engine(without_traces(settings)) as engine:
        for company in settings.companies:
            path = wish.file or wish.config.resolve().parent / f"onboarding-{company.company}.csv"
            before = await asyncio.to_thread(earlier, path)
            sides = await read_sides(engine, company, whole=False, hidden=wish.as_json)
            reviews.append(await _review(company, sides, path, before, wish))
    if wish.as_json:
        write_json({"companies": reviews})
    left = any(one.ask for each in reviews for one in each.types)
    warned = any(one.level != "possible" for each in reviews for one in each.others)
    return ExitCode.UNSETTLED if left or warned else ExitCode.OK


def earlier(path: Path) -> dict[str, Row]:
    """The decisions of an earlier review that are a person's.

    Raises:
        ConfigurationError: the file is there and cannot be read as one; it is left as it is.
    """
    try:
        rows, wrong = read_sheet(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise ConfigurationError(f"{path} cannot be read: {problem.strerror}.", remedy="Name another --file.") from None
    if wrong:
        first = f"line {wrong[0].line}: {wrong[0].says}"
        raise ConfigurationError(
            f"{path} holds decisions, but {len(wrong)} of its rows cannot be used: {first}",
            remedy="Mend it, or name another --file; nothing was written.",
        )
    return {row.record_key: row for row in rows if row.is_by_a_person}


async def _review(company: CompanySettings, sides: Sides, path: Path, before: Mapping[str, Row], wish: Wish) -> Review:
    proposals = sides.proposals()
    kept = {one.ours.key: row for one in proposals if (row := _kept(one, before, sides)) is not None}
    if not wish.as_json and sys.stdin.isatty() and sys.stdout.isatty():
        kept |= await asyncio.to_thread(ask_about, proposals, kept)
    text = sheet_text(proposals, kept)
    await asyncio.to_thread(_write, path, text)
    made = Review(
        company=company.company,
        name=company.name,
        file=str(path),
        kept=len(kept),
        types=tuple(_types(sides, proposals, kept)),
        starts=sides.starts,
        before_start={kind: sides.source.before[kind] for kind in sides.starts},
        passed_over=dict(sorted(sides.source.passed_over.items())),
        others=suspects(sides.books.posted, list(sides.source.facts.values())),
        reads=sides.reads,
    )
    if not wish.as_json:
        _show(made, proposals, kept)
    return made


def _kept(one: Proposal, before: Mapping[str, Row], sides: Sides) -> Row | None:
    """What was decided before: in the file, else in the log."""
    row = before.get(one.ours.key)
    if row is not None and (row.decision != "adopt" or (one.ours.entity, row.books_id) in sides.books.facts):
        return replace(row, line=0)
    match sides.known.reviewed.get(one.ours.key):
        case "create":
            return Row(line=0, decision="create", record_key=one.ours.key, books_id="")
        case "skip":
            return Row(line=0, decision="skip", record_key=one.ours.key, books_id="")
        case "ask":
            # Also what was adopted by mistake, and must not be proposed again as if nothing had been said.
            likest = one.best.theirs.key if one.best is not None else ""
            return Row(line=0, decision="ask", record_key=one.ours.key, books_id=likest)
        case _:
            return None


def _types(sides: Sides, proposals: Sequence[Proposal], kept: Mapping[str, Row]) -> list[OfType]:
    found: list[OfType] = []
    for kind in TYPES:
        mine = [one for one in proposals if one.ours.type == kind]
        decisions: Counter[Decision] = Counter(_decision(one, kept) for one in mine)
        linked = sum(one.type == kind and key in sides.known.linked for key, one in sides.source.facts.items())
        if mine or linked:
            found.append(
                OfType(
                    type=kind,
                    records=len(mine) + linked,
                    linked=linked,
                    adopt=decisions["adopt"],
                    ask=decisions["ask"],
                    create=decisions["create"],
                    skip=decisions["skip"],
                )
            )
    return found


def _decision(one: Proposal, kept: Mapping[str, Row]) -> Decision:
    row = kept.get(one.ours.key)
    return row.decision if row is not None else one.decision


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for its owner alone: names and addresses stand in it."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _RIGHTS)
        with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
            file.write(text)
        beside.replace(path)
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be written: {problem.strerror}.", remedy="Name another --file."
        ) from None


def _show(made: Review, proposals: Sequence[Proposal], kept: Mapping[str, Row]) -> None:
    out = console()
    shown = table(
        f"{made.name} (company {made.company}), as its books are",
        *("type", ">records", ">stand for something", ">adopt", ">ask", ">create", ">skip", ">before the start date"),
    )
    for one in made.types:
        early = made.before_start.get(one.type)
        cells = [one.records, one.linked, one.adopt, one.ask, one.create, one.skip]
        add_row(shown, one.type, *(f"{cell:,}" for cell in cells), "" if early is None else f"{early:,}")
    out.print(shown)
    for kind, start in made.starts.items():
        out.print(Text(f"{kind}: {made.before_start[kind]:,} dated before {start} are not posted."))
    for reason, count in made.passed_over.items():
        out.print(Text(f"{count:,} records passed over: {reason}."))
    _show_doubtful(proposals, kept)
    for suspect in made.others:
        _show_suspect(suspect)
    out.print(Text(f"QuickBooks was read in {made.reads:,} metered calls; nothing was written there."))
    out.print(Text(f"Wrote {made.file}, {made.kept:,} earlier decisions kept."), soft_wrap=True)
    out.print(Text(f"Decide in its first column, then: counterfoil onboard --apply {made.file}"), soft_wrap=True)
    out.print()


def _show_doubtful(proposals: Sequence[Proposal], kept: Mapping[str, Row]) -> None:
    doubtful = [one for one in proposals if _decision(one, kept) == "ask"]
    if not doubtful:
        return
    shown = table(f"To decide: {len(doubtful):,}", "type", "record", "name", "perhaps", "in the books", ">score", "why")
    for one in doubtful[:DOUBTFUL_SHOWN_MAX]:
        best = one.best
        if best is not None:
            name = one.ours.name or " / ".join(one.ours.numbers)
            theirs = best.theirs.name or " / ".join(best.theirs.numbers)
            perhaps = f"{best.theirs.entity} {best.theirs.key}"
            add_row(shown, one.ours.type, one.ours.key, name, perhaps, theirs, best.score, best.why)
    console().print(shown)
    more = len(doubtful) - DOUBTFUL_SHOWN_MAX
    if more > 0:
        console().print(Text(f"… and {more:,} more in the file."))


def _show_suspect(one: Suspect) -> None:
    head = f"Somebody else posts {one.entity} ({one.level}): {one.documents:,} lately, the last on {one.last}."
    console().print(Text(f"{head} App: {one.app}."), style="yellow")
    console().print(Text(f"  Because {'; '.join(one.evidence)}. For example {', '.join(one.examples)}."))
    console().print(Text(f"  {one.what_to_do}"))
