"""A load run told: its figures, a table, JSON, and a page with the backlog over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.html import html_table, whole_page
from counterfoil.cli.output import add_row, console, table
from counterfoil.dispatch.limiter import LimiterSettings
from counterfoil.loadtest.figures import Sample
from counterfoil.loadtest.run import Measured
from counterfoil.loadtest.shape import Volume

MAPPING_SAID = (
    "Made-up records went through a plain mapping: names in a deployment's own stand for accounts and items that only "
    "its own books have."
)
SHORT_SECONDS = 180.0
"""Below this, what the minute before the load left free carries much of it."""

_WIDTH, _HEIGHT, _LEFT, _BELOW = 720, 200, 46, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One company's part of the report.

    Attributes:
        ceiling: share of Intuit's limits that its engine may use.
        multiple_max: how many times the volume the limits would bear, with full batches; None where nothing is written.
    """

    company: int
    name: str
    volume: Volume
    measured: Measured
    requests_per_minute: int
    ceiling: float
    multiple_max: float | None

    @property
    def keeps_up(self) -> bool:
        """Whether the load was borne."""
        return self.measured.keeps_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole run; `peak_memory_bytes` of the engine's process, None where the system does not say."""

    times: float
    seconds: float
    seed: int
    began: datetime
    days: int | None
    companies: tuple[Company, ...]
    without_history: tuple[int, ...]
    peak_memory_bytes: int | None

    @property
    def exit_code(self) -> ExitCode:
        """0 if every company keeps up, else 1."""
        return ExitCode.OK if all(one.keeps_up for one in self.companies) else ExitCode.UNSETTLED


def as_data(report: Report) -> dict[str, object]:
    """The report for programs."""
    return {
        "times": report.times,
        "seconds": report.seconds,
        "seed": report.seed,
        "began": report.began,
        "days": report.days,
        "mapping": "plain",
        "companies": [{**_fields(one), "keeps_up": one.keeps_up} for one in report.companies],
        "without_history": report.without_history,
        "peak_memory_bytes": report.peak_memory_bytes,
        "exit": int(report.exit_code),
    }


def _fields(one: Company) -> dict[str, object]:
    return {name: getattr(one, name) for name in Company.__slots__}


def rows_of(one: Company) -> list[tuple[str, str, str]]:
    """What is told of a company: a name, a figure, and what belongs to it."""
    measured, limits = one.measured, LimiterSettings(requests_per_minute=one.requests_per_minute)
    course, delays, volume = measured.course, measured.delays, one.volume
    outcomes = ", ".join(f"{count:,} {name}" for name, count in measured.outcomes.items())
    drained = "not all was done in time" if course.drained is None else f"nothing left {course.drained:.0f} s later"
    rows = [
        ("own volume, changes an hour", f"{volume.peak.changes:,.1f}", volume.slot or "stated by hand"),
        ("changes made at the source", f"{measured.made:,}", f"of {measured.planned:,} planned; {outcomes}"),
        ("effects in the books", f"{measured.effects:,}", f"{measured.writes:,} writing calls of {measured.calls:,}"),
        ("backlog in the second quarter", f"{course.half:,.1f}", f"{course.peak:,} at the most"),
        ("backlog in the last quarter", f"{course.end:,.1f}", drained),
    ]
    if delays is not None:
        worst = f"p95 {delays.p95:.1f}, p99 {delays.p99:.1f}, max {delays.max:.1f}"
        rows.append(("seconds from source to books, p50", f"{delays.p50:.1f}", worst))
    rows += [
        _share("in a minute", measured.in_minute, limits.requests_per_minute),
        _share("in a second", measured.in_second, limits.requests_per_second),
        _share("batches in a minute", measured.batches_in_minute, limits.batches_per_minute),
        ("answers 429", f"{measured.throttled:,}", ""),
    ]
    if one.multiple_max is not None:
        said = f"the own volume, by Intuit's limits at a ceiling of {one.ceiling:.0%} and with full batches"
        rows.append(("the most they would bear", f"{one.multiple_max:,.0f} times", said))
    return rows


def _share(name: str, used: int, limit: int) -> tuple[str, str, str]:
    return f"calls {name}" if "batches" not in name else name, f"{used:,}", f"{used / limit:.0%} of {limit:,}"


def conclusion(report: Report, one: Company) -> str:
    """Whether it kept up, in a sentence."""
    what = f"{report.times:g} times its volume for {report.seconds:,.0f} s"
    if one.keeps_up:
        return f"It keeps up with {what}."
    if one.measured.outcomes.get("parked"):
        return f"It does not bear {what}: {one.measured.outcomes['parked']:,} changes were parked."
    return f"It does not keep up with {what}: the backlog grows, or was not done within two minutes."


def head(report: Report) -> str:
    """What was run, in a sentence or two."""
    memory = report.peak_memory_bytes
    held = "" if memory is None else f" The engine's process held {memory / 2**20:,.0f} MiB at the most."
    left = ", ".join(str(number) for number in report.without_history)
    without = f" Nothing is recorded of company {left}: left out." if left else ""
    short = "" if report.seconds >= SHORT_SECONDS else " So short a load hardly meets the limits of the minute."
    return f"{MAPPING_SAID}{held}{without}{short}"


def print_report(report: Report) -> None:
    """For a person, on standard output."""
    out = console()
    for one in report.companies:
        shown = table(f"{one.name} (company {one.company})", "", ">", "")
        for row in rows_of(one):
            add_row(shown, *row)
        out.print(shown)
        out.print(Text(conclusion(report, one)), soft_wrap=True)
        out.print()
    out.print(Text(head(report)), soft_wrap=True)


def page_of(report: Report) -> str:
    """As a page."""
    parts = [
        f"<h1>Load test</h1>\n<p>{report.began:%Y-%m-%d %H:%M} UTC, seed {report.seed}. {escape(head(report))}</p>"
    ]
    for one in report.companies:
        parts.append(f"<h2>{escape(one.name)} (company {one.company})</h2>")
        kind = "fine" if one.keeps_up else "bad"
        parts.append(f'<p class="{kind}">{escape(conclusion(report, one))}</p>')
        parts.append(_plot(one.measured.samples, report.seconds))
        parts.append(html_table("Figures", ("", ">", ""), rows_of(one)))
        kinds = [(name, f"{count:,}") for name, count in one.volume.kinds]
        if kinds:
            parts.append(html_table(f"Recorded in {report.days} days", ("connection and kind", ">changes"), kinds))
    return whole_page("Load test", "\n".join(parts))


def _plot(samples: Sequence[Sample], seconds: float) -> str:
    """The backlog over time; a line stands where the load ends."""
    if not samples:
        return ""
    last, most = max(seconds, samples[-1].at), max(1, *(one.backlog for one in samples))

    def place(at: float, backlog: float) -> str:
        return f"{_LEFT + _WIDTH * at / last:.1f},{_HEIGHT - (_HEIGHT - 12) * backlog / most:.1f}"

    line = " ".join(place(one.at, one.backlog) for one in samples)
    end = _LEFT + _WIDTH * seconds / last
    return (
        '<h3>Changes made at the source and not done, over time</h3>\n<div style="overflow-x:auto">'
        f'<svg role="img" aria-label="Backlog over time" width="{_LEFT + _WIDTH + 12}" height="{_HEIGHT + _BELOW}">'
        f'<line x1="{_LEFT}" y1="{_HEIGHT}" x2="{_LEFT + _WIDTH}" y2="{_HEIGHT}" stroke="#8884"/>'
        f'<line x1="{end:.1f}" y1="0" x2="{end:.1f}" y2="{_HEIGHT}" stroke="#f26419" stroke-dasharray="4 3">'
        "<title>The load ends</title></line>"
        f'<polyline fill="none" stroke="#33658a" stroke-width="2" points="{line}"/>'
        f'<text x="2" y="14">{most:,}</text><text x="2" y="{_HEIGHT}">0</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT + 14}">0 s</text>'
        f'<text x="{_LEFT + _WIDTH - 40}" y="{_HEIGHT + 14}">{last:,.0f} s</text></svg></div>'
    )
