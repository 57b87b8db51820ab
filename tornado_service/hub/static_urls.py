"""Style sheet and scripts of the installed ``jupyterhub`` package, so that pages look like the hub.

The service serves them itself. A page that loads them from the hub stays blank while the hub hangs.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

STYLE_SHEET = "css/style.min.css"

#: Files that the pages use. Others are served only if a style sheet refers to them.
FILES = (
    STYLE_SHEET,
    "js/darkmode.js",
    "components/bootstrap/dist/js/bootstrap.bundle.min.js",
    "images/jupyterhub-80.png",
)

#: ``url(…)`` and ``@import "…"``, but no ``data:`` and nothing on another host.
_REFERENCE = re.compile(
    r"""(?:url\(\s*["']?|@import\s*["'])(?![a-z][a-z0-9+.-]*:|/|\#)([^"')?#\s]+)""", re.IGNORECASE
)


@cache
def hub_static_files() -> Mapping[str, bytes]:
    """The files by their path below the package's ``static``; missing ones are omitted."""
    root = data_files_path() / "static"
    contents: dict[str, bytes] = {}
    paths = list(FILES)
    for path in paths:
        if path in contents or path.startswith("../"):
            continue
        try:
            content = root.joinpath(path).read_bytes()
        except OSError:
            continue
        contents[path] = content
        if path.endswith(".css"):
            folder = posixpath.dirname(path)
            for reference in _REFERENCE.findall(content.decode(errors="replace")):
                paths.append(posixpath.normpath(posixpath.join(folder, reference)))
    return contents


def data_files_path() -> Path:
    from jupyterhub._data import DATA_FILES_PATH  # the default of c.JupyterHub.data_files_path

    return Path(DATA_FILES_PATH or "/nonexistent")


@cache
def hub_static_digest() -> str:
    """A hash of all files, for the path of each, as they refer to each other."""
    digest = hashlib.sha256()
    for path, content in sorted(hub_static_files().items()):
        digest.update(path.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:12]


def hub_static_urls(prefix: str) -> Callable[[str], str]:
    """The URLs of these files for templates; empty for a missing file."""
    contents = hub_static_files()  # read now, and not during the first request
    folder = f"{prefix}{hub_static_digest()}/"

    def hub_static_url(path: str) -> str:
        return folder + path if path in contents else ""

    return hub_static_url
