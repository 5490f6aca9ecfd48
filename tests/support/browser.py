"""A browser without a screen: what a page holds once a real browser has shown it."""

import shutil
import subprocess
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BROWSER_SECONDS = 60


def shown_by_browser(address: str, profile: Path, *options: str) -> str:
    """The page at an address as a browser holds it once it has shown it; skips where there is no browser.

    `profile` is an empty folder for what the browser keeps.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no browser is here that shows pages without a screen (Chromium)")
    command = [browser, *OPTIONS, f"--user-data-dir={profile}", *options, "--dump-dom", address]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=BROWSER_SECONDS).stdout
