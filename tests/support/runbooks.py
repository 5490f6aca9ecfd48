"""Runbooks followed to the letter: their own commands, run by a shell."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from counterfoil.postgres.binaries import find_binaries
from support.cli import environment_of

RUNBOOKS = Path(__file__).resolve().parents[2] / "ops" / "runbooks"


def commands(runbook: str) -> dict[str, list[str]]:
    """A runbook's blocks of commands, each under the bold word that begins the paragraph before it."""
    text = (RUNBOOKS / runbook).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    heading = ""
    for bold, block in re.findall(r"^\*\*([^*]+?)\.?\*\*|^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        heading = bold or heading
        if block:
            found[heading] = block.strip().splitlines()
    return found


def follow(
    lines: Sequence[str], folder: Path, environment: Mapping[str, str], codes: Sequence[int] | None = None
) -> list[str]:
    """Type the lines, one after the other; what each printed. Each must end with its code: by default 0."""
    programs = [str(Path(sys.executable).parent), str(find_binaries().program("pg_dump").parent), os.environ["PATH"]]
    said = []
    for line, code in zip(lines, codes or [0] * len(lines), strict=True):
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env={**environment_of(environment), "PATH": os.pathsep.join(programs)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == code, f"{line}\n{done.returncode}\n{done.stdout}{done.stderr}"
        said.append(done.stdout + (done.stderr if code else ""))
    return said
