"""A browser for the tests of the pages: an installed one, or one from the distribution where that is allowed.

    python -m tests.chromium

prints its path, after installing it if need be; prints nothing when there is none to be had.
"""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_SECONDS = 240


def path() -> str | None:
    """The path of an installed browser."""
    told = os.environ.get("CHROMIUM_PATH")
    return told or next(filter(None, map(shutil.which, NAMES)), None)


def install() -> None:
    """Installs Chromium as root on Debian and its kin; anywhere else nothing happens."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        try:
            subprocess.run(["apt-get", *command], check=True, timeout=INSTALL_SECONDS, env=environment, **quiet)
        except (subprocess.SubprocessError, OSError):
            return


if __name__ == "__main__":
    if path() is None:
        install()
    print(path() or "")
