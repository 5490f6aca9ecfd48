"""Other people's programs for Node, installed where a test runs; skipped with the reason where they cannot be had."""

import os
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

INSTALL = ("install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefer-offline")
INSTALL_SECONDS = 200


def installed(tmp_path_factory: pytest.TempPathFactory, here: Path) -> tuple[str, Path]:
    """Node, and a copy of a folder in which what its package.json names is installed.

    Tests in several processes share one run's copy.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("this needs node and npm, and they are not here")
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder = root / f"node-{here.name}"
    with (root / f"node-{here.name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not folder.exists():
            shutil.copytree(here, folder)
            (folder / "refused").write_text(_install(npm, folder))
    if refused := (folder / "refused").read_text():
        pytest.skip(f"npm cannot install what {here.name} needs: {refused.strip()[-300:]}")
    return node, folder


def _install(npm: str, folder: Path) -> str:
    """Why it could not be installed; nothing where it was."""
    try:
        done = subprocess.run(
            [npm, *INSTALL], check=False, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"it was not done after {INSTALL_SECONDS} seconds"
    return done.stderr if done.returncode else ""
