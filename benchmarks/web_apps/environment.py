"""An environment with the app's server and another proxy, from PyPI, made once."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

DIRECTORY = Path("build/benchmark-web-apps")
REQUIREMENTS = ("uvicorn[standard]", "jupyter-server-proxy", "jupyterhub")


def make() -> Path:
    """The environment's programs; it is made if it does not exist, in about half a minute."""
    programs = DIRECTORY.absolute() / "bin"
    if not (programs / "uvicorn").exists():
        venv.create(DIRECTORY, with_pip=True, clear=True)
        install = [str(programs / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
        subprocess.run(install, check=True)
    return programs


def versions(programs: Path) -> str:
    """The versions of what is compared."""
    code = (
        "from importlib.metadata import version\n"
        "names = ('uvicorn', 'jupyter-server-proxy')\n"
        "print(', '.join(f'{name} {version(name)}' for name in names))"
    )
    command = [str(programs / "python"), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
