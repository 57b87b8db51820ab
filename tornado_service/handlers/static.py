"""Static files of packages, including the installed JupyterHub; read once, hashed, gzipped."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tornado.web import HTTPError

from ..auth.decorators import allow_unauthenticated
from ..hub.static_urls import hub_static_digest, hub_static_files
from .base import BaseHandler

if TYPE_CHECKING:
    from importlib.abc import Traversable

#: Files of more bytes are compressed in a thread, and once: a large one takes a tenth of a second.
LARGE_FILE = 32 * 1024

#: Types of files that are already compressed.
COMPRESSED_SUFFIXES = (".png", ".woff2")


class StaticHandler(BaseHandler):
    """GET static/…: files whose names contain a hash of their content."""

    metrics_name = "StaticHandler"

    quiet = True

    _HASHED_NAME = re.compile(r"^(?P<stem>.+)\.[0-9a-f]{12}(?P<suffix>\.[a-z0-9]+)$")

    def initialize(self, package: str) -> None:  # type: ignore[override]
        super().initialize()
        self._files = static_files(package)

    @allow_unauthenticated
    async def get(self, path: str) -> None:
        """Serve one file, by its own name or by the one with the hash."""
        name = self._HASHED_NAME.sub(r"\g<stem>\g<suffix>", path)
        if name not in self._files:
            raise HTTPError(404)
        content = self._files[name]
        await self.send_file(name, content, immutable=path == _hashed_name(name, content))

    async def send_file(self, name: str, content: bytes, *, immutable: bool) -> None:
        """Send a file.

        Args:
            name: its name, which determines its type.
            content: its content.
            immutable: whether the content at the path never changes, as the path contains a hash.
        """
        lasting = "public, max-age=31536000, immutable"
        self.set_header("Cache-Control", lasting if immutable else "no-cache")
        kind = mimetypes.guess_type(name)[0]
        self.set_header("Content-Type", kind or "application/octet-stream")
        is_worth_it = len(content) > LARGE_FILE and not name.endswith(COMPRESSED_SUFFIXES)
        if is_worth_it and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            content = await asyncio.to_thread(_compressed, content)
        self.write(content)


class HubStaticHandler(StaticHandler):
    """GET static/jupyterhub/DIGEST/…: files of the installed jupyterhub package."""

    metrics_name = "HubStaticHandler"

    def initialize(self) -> None:  # type: ignore[override]
        BaseHandler.initialize(self)

    @allow_unauthenticated
    async def get(self, path: str) -> None:
        """Serve one file, below the digest of all files."""
        digest, _, name = path.partition("/")
        files = hub_static_files()
        if name not in files:
            raise HTTPError(404)
        await self.send_file(name, files[name], immutable=digest == hub_static_digest())


@cache
def static_files(package: str) -> Mapping[str, bytes]:
    """The files below a package's ``static``, by name.

    They are read once, so that no request waits for a disk, and as resources, so that the package
    can be in a zip file.
    """
    found: dict[str, bytes] = {}
    static = resource_folder(package).joinpath("static")
    folders = [("", static)] if static.is_dir() else []
    for path, folder in folders:
        for entry in folder.iterdir():
            if entry.is_dir():
                folders.append((f"{path}{entry.name}/", entry))
            else:
                found[path + entry.name] = entry.read_bytes()
    return found


@cache
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def resource_folder(package: str) -> Traversable:
    """The folder of a package, or the one that contains a top-level module.

    Args:
        package: the name of the package or module.
    """
    spec = find_spec(package)
    if spec is not None and spec.origin and spec.submodule_search_locations is None:
        return Path(spec.origin).parent
    return files(package)


def static_urls(package: str, prefix: str) -> Callable[[str], str]:
    """The URLs of static files for templates, with a hash of the content.

    Args:
        package: the package with the files.
        prefix: their URL prefix, with a slash at its end.
    """
    known = static_files(package)  # read now, and not during the first request

    @cache
    def static_url(path: str) -> str:
        return prefix + _hashed_name(path, known[path])

    return static_url


@cache
def _hashed_name(path: str, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()[:12]
    stem, _, suffix = path.rpartition(".")
    return f"{stem}.{digest}.{suffix}"
