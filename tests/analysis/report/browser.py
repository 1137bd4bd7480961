"""A headless Chromium, each time as a process of its own with an empty profile."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
)  # fmt: skip

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium in PATH to open the page in")


def browse(page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Opens a page from the disk; `flags` say what comes of it."""
    # Two that share a profile hand their page to whichever is still running.
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)


def console_messages(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What pages said on the browser's console."""
    return [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
