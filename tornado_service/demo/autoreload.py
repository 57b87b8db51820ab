"""The service of a demonstration with apps: restarts when one of their files changes."""

import asyncio
import os
import socket
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from types import ModuleType

from traitlets import List, Unicode

from ..app import TornadoService
from ..apps.loader import resolve_spec

#: Polling interval for the files in seconds.
POLL_INTERVAL = 0.3


class DemoService(TornadoService):
    """The service for the author of an app: it warns of new scopes and reloads."""

    service_scopes = List(
        Unicode(), help="What the hub of the demonstration grants the service."
    ).tag(config=True)

    user_scopes = List(Unicode(), help="What the hub lets a user's token carry.").tag(config=True)

    changed_file: Path | None = None

    def start(self) -> None:
        """Serve; restart in the same process when a file has changed."""
        hub = os.getppid()
        super().start()
        if self.changed_file and os.getppid() == hub:
            command = [sys.executable, "-m", "tornado_service.demo.autoreload", *sys.argv[1:]]
            os.execv(sys.executable, command)  # noqa: S606 - the sockets close by themselves

    async def main(self, sockets: list[socket.socket]) -> None:
        watching = asyncio.create_task(
            self._watch(WatchedFiles(self.apps, self._is_import_missing))
        )
        try:
            await super().main(sockets)
        finally:
            watching.cancel()

    def _is_import_missing(self) -> bool:
        return not all(mounted.is_imported for mounted in self.app_manager)

    async def _watch(self, files: "WatchedFiles") -> None:
        while not (changed := await asyncio.to_thread(files.find_changed)):  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(POLL_INTERVAL)
        self.changed_file = changed
        self.log.info("%s has changed: starting again", changed)
        self.server.stop_immediately()

    async def load_apps(self) -> None:
        await super().load_apps()
        for app in filter(None, (mounted.app for mounted in self.app_manager)):
            new = {*app.service_scopes} - {*self.service_scopes}
            new |= {*app.user_scopes} - {*self.user_scopes}
            if new:
                self.log.warning(
                    "%s declares scopes that this hub does not define: %s. Stop the demonstration"
                    " (Ctrl-C) and start it again.",
                    type(app).__name__,
                    ", ".join(sorted(new)),
                )


class WatchedFiles:
    """The files of the apps: code, templates, static files; no installed packages.

    These are the imported modules, and all files in the folders of the apps. While an app cannot
    be imported, the missing module may appear anywhere on Python's path: then all modules there are
    watched.
    """

    def __init__(self, specs: list[str], is_import_missing: Callable[[], bool]) -> None:
        self._specs = specs
        self._is_import_missing = is_import_missing
        self._started = time.time()
        self._mtimes: dict[Path, float] = {}

    def find_changed(self) -> Path | None:
        """A changed file; one seen for the first time counts if it is new."""
        now = time.time()
        for path in self._files():
            try:
                modified = path.stat().st_mtime
            except OSError:
                continue  # an editor is replacing it
            is_new = self._started < modified <= now
            if self._mtimes.setdefault(path, modified) != modified or is_new:
                return path
        return None

    def _files(self) -> Iterator[Path]:
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None) if isinstance(module, ModuleType) else None
            if file and is_project_path(file):
                yield Path(file)
        if self._is_import_missing():
            for folder in map(Path, filter(is_project_path, {*sys.path})):
                for pattern in ("*.py", "*/*.py"):
                    yield from folder.glob(pattern)
        # the apps' outermost packages, found without importing them
        names = {resolve_spec(spec)[0].partition(".")[0] for spec in self._specs} - {""}
        for spec in filter(None, map(find_spec, names)):
            if spec.submodule_search_locations is None and spec.origin:
                code = Path(spec.origin)
                resources = (code.parent.glob(f"{name}/**/*") for name in ("templates", "static"))
                yield from chain([code], *resources)
            for package in map(
                Path, filter(is_project_path, spec.submodule_search_locations or ())
            ):
                for path in package.rglob("*"):
                    folders = path.relative_to(package).parts
                    if path.suffix == ".py" or {"templates", "static"} & {*folders}:
                        yield path


@cache
def is_project_path(path: str) -> bool:
    """Whether a file or folder is outside of installed libraries."""
    libraries = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
    if any(Path(path).is_relative_to(library) for library in libraries):
        return False
    return not {"site-packages", "dist-packages"} & {*Path(path).parts}


if __name__ == "__main__":
    DemoService.launch_instance()
