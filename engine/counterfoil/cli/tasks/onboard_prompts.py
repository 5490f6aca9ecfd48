"""Goes through what is doubtful with whoever sits at the terminal."""

from collections.abc import Mapping, Sequence

import typer
from rich.text import Text

from counterfoil.cli.output import console
from counterfoil.onboarding.matching import Candidate, Proposal
from counterfoil.onboarding.sheet import Row

_LEAVE = "l"


def ask_about(proposals: Sequence[Proposal], kept: Mapping[str, Row]) -> dict[str, Row]:
    """What a person says of each doubtful record, by record key, as far as they wish to go."""
    doubtful = [one for one in proposals if one.decision == "ask" and one.ours.key not in kept]
    said: dict[str, Row] = {}
    if not doubtful or not typer.confirm(f"{len(doubtful):,} are doubtful. Go through them now?", default=False):
        return said
    for place, one in enumerate(doubtful, start=1):
        _show(one, place, len(doubtful))
        answer = _answer(len(one.candidates))
        if answer == _LEAVE:
            return said
        if answer:
            said[one.ours.key] = _row(one, answer)
    return said


def _answer(candidates: int) -> str:
    """A number, `c`, `s`, `l`, or nothing for later."""
    allowed = {*(str(number) for number in range(1, candidates + 1)), "c", "s", _LEAVE, ""}
    while True:
        given = typer.prompt("Which", default="", show_default=False).strip().casefold()
        if given in allowed:
            return str(given)
        console().print(Text("Type a number, c, s, l, or nothing."))


def _row(one: Proposal, answer: str) -> Row:
    if answer == "c":
        return Row(line=0, decision="create", record_key=one.ours.key, books_id="", proposed=one.decision)
    if answer == "s":
        return Row(line=0, decision="skip", record_key=one.ours.key, books_id="", proposed=one.decision)
    chosen = one.candidates[int(answer) - 1].theirs.key
    return Row(line=0, decision="adopt", record_key=one.ours.key, books_id=chosen, proposed=one.decision)


def _show(one: Proposal, place: int, of: int) -> None:
    ours = one.ours
    known = ", ".join(part for part in (ours.name, ours.email, *ours.numbers, _worth(one)) if part)
    console().print(Text(f"\n{place} of {of}: {ours.type} {ours.key}: {known}"))
    for number, candidate in enumerate(one.candidates, start=1):
        console().print(Text(f"  {number}  {_words(candidate)}"))
    console().print(Text("  c  create   s  leave out   l  leave the rest   (nothing)  later"))


def _words(one: Candidate) -> str:
    theirs = one.theirs
    known = ", ".join(part for part in (theirs.name, theirs.email, *theirs.numbers) if part)
    state = "" if theirs.active else ", inactive"
    return f"{theirs.entity} {theirs.key}: {known} ({one.score}: {one.why}{state})"


def _worth(one: Proposal) -> str:
    amount, dated = one.ours.amount, one.ours.dated
    return f"{amount:,.2f} {one.ours.currency} of {dated}" if amount is not None else ""
