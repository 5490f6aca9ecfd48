"""The command: rounds until enough was killed, a table at the end, and an exit code that says if all held."""

import argparse
import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from counterfoil_schema.exact_json import dumps
from support.chaos.report import Report
from support.chaos.round import Order, run_round
from support.chaos.scene import Size

logger = logging.getLogger("chaos")
LOAD_MAX: Final = 6.0
LOAD_LOOK_SECONDS: Final = 10.0
ROUND_KILLS: Final = 40
UNFINISHED_MAX: Final = 3


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="make chaos",
        description="Engines, Postgres and QuickBooks' emulator as real processes, killed, halted and cut off while "
        "people trade; then the books are compared with the sources.",
        epilog="Leaves with 0 if every promise held, with 1 if one was broken. The seed decides what happens when, "
        "not how the machine's processes interleave: the same seed is the same storm, not the same run.",
    )
    made.add_argument("--kills", type=int, default=40, help="SIGKILLs in all rounds together (default: %(default)s)")
    made.add_argument("--seed", type=int, default=1, help="of the first round; the next has the next (default: 1)")
    made.add_argument("--round", type=int, default=ROUND_KILLS, help="kills in a round (default: %(default)s)")
    made.add_argument("--engines", type=int, default=3, choices=(1, 2, 3, 4, 5), help="at once (default: 3)")
    made.add_argument("--companies", type=int, default=3, help="(default: 3)")
    made.add_argument("--gap", type=float, default=4.0, help="seconds between blows, on average (default: 4)")
    made.add_argument("--json", action="store_true", help="everything as one object, for programs")
    made.add_argument("--figures", type=Path, metavar="FILE", help="write the figures there after each round, as JSON")
    made.add_argument("--verbose", action="store_true", help="say what happens as it happens")
    made.add_argument("--keep", type=Path, help="keep the folders of rounds that broke a promise here")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code."""
    made = parser()
    asked = made.parse_args(list(arguments))
    if min(asked.kills, asked.round, asked.companies) < 1 or asked.gap <= 0:
        made.error("kills, round, companies and gap must be more than nothing")
    logging.basicConfig(level=logging.INFO if asked.verbose else logging.WARNING, format="%(asctime)s %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = Report()
    seed = asked.seed
    while report.kills < asked.kills and len(report.unfinished) < UNFINISHED_MAX:
        _wait_for_quiet()
        kills = min(asked.round, asked.kills - report.kills)
        order = Order(seed, kills, Size(asked.engines, asked.companies), gap_seconds=asked.gap)
        told = _one_round(order, report, asked.keep)
        sys.stderr.write(f"seed {seed}: {told}\n")
        sys.stderr.flush()
        if asked.figures is not None:
            asked.figures.write_bytes(dumps(report.told()) + b"\n")
        seed += 1
    if asked.json:
        report.write_json()
    else:
        report.show()
    return 1 if report.broken else 0


def _one_round(order: Order, report: Report, kept: Path | None) -> str:
    """Run a round and add it up; what came of it, in a few words."""
    folder, keep = Path(tempfile.mkdtemp(prefix="counterfoil-chaos-")), True
    try:
        result = asyncio.run(run_round(folder / "round", order))
        report.add(result)
        keep = bool(result.broken or result.stuck)
        return f"{result.kills} kills, {len(result.broken)} broken"
    except Exception as trouble:
        # The rounds before it count, and so does this: as a promise that was not kept.
        report.unfinished.append(f"seed {order.seed}: the round came to no end: {trouble!r}")
        logger.exception("seed %d", order.seed)
        return f"no end: {trouble!r}"
    finally:
        if keep and kept is not None:
            shutil.copytree(folder, kept / f"seed-{order.seed}", ignore=shutil.ignore_patterns("disk"))
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_quiet() -> None:
    """A machine that is busy with much else would only show that it is."""
    while os.getloadavg()[0] > LOAD_MAX:
        time.sleep(LOAD_LOOK_SECONDS)
