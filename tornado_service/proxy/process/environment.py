"""The environment of a web app's command: an allow-list, and what the administrator adds."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

#: Variables of the service that a command gets. Proxy settings are left out, as their URLs may
#: have passwords, and PYTHONPATH, by which an app with an environment of its own would import
#: packages of the hub.
ALLOWED = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TZDIR",
        "TMPDIR",
        "VIRTUAL_ENV",
        "CONDA_DEFAULT_ENV",
        "CONDA_EXE",
        "CONDA_PREFIX",
        "CONDA_PYTHON_EXE",
        "CONDA_SHLVL",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
        "PYTHONUTF8",
        "R_HOME",
        "R_LIBS",
        "R_LIBS_USER",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
    }
)

#: The variable by which a command's processes are found if its launcher has been killed.
MARK = "TORNADO_SERVICE_WEB_APP"


def make_environment(
    ours: Mapping[str, str], additional: Mapping[str, str], mark: str
) -> dict[str, str]:
    """The environment of a command.

    Args:
        ours: the environment of the service.
        additional: variables that the administrator has set; they take precedence.
        mark: identifies the command's processes.
    """
    environment = {
        name: value for name, value in ours.items() if name in ALLOWED or name.startswith("LC_")
    }
    environment["PATH"] = _with_our_programs(environment.get("PATH") or os.defpath)
    # else lines of output arrive late, and the last ones of a crash never
    environment["PYTHONUNBUFFERED"] = "1"
    return {**environment, **additional, MARK: mark}


def _with_our_programs(path: str) -> str:
    """A search path that ends with the programs installed in the service's own environment."""
    programs = str(Path(sys.executable).parent)
    return path if programs in path.split(os.pathsep) else path + os.pathsep + programs
