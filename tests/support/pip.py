"""Packages installed as their users install them."""

import subprocess
import sys
from pathlib import Path


def install(project: Path, site: Path) -> None:
    """Install a project into a folder, without its dependencies."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command = [*pip, "install", "--no-deps", f"--target={site}", str(project)]
    subprocess.run(command, check=True)
