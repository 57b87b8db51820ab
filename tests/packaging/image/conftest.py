import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support import ROOT

#: Options for root to become the user of the hub's image.
AS_JOVYAN: dict[str, Any] = {"user": 1000, "group": 1000, "extra_groups": []}


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Build the file from the current sources."""
    recipe = runpy.run_path(str(ROOT / "image/pyz.py"))
    wheel = recipe["build_wheel"](tmp_path_factory.mktemp("wheel"))
    return lambda pyz: recipe["pack"](wheel, pyz)


@pytest.fixture(scope="session")
def as_jovyan() -> dict[str, Any]:
    """Options of a process that runs as user 1000, or without root as the current user."""
    return AS_JOVYAN if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def read_only_directory() -> Iterator[Path]:
    """A directory that all may read; only root can write there."""
    with tempfile.TemporaryDirectory(prefix="tornado-service-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="session")
def pyz(read_only_directory: Path, pack: Callable[[Path], None]) -> Path:
    """The file, as in a pod."""
    mount = read_only_directory / "share"
    mount.mkdir()
    pack(mount / "tornado_service.pyz")
    (mount / "tornado_service.pyz").chmod(0o444)
    mount.chmod(0o555)
    return mount / "tornado_service.pyz"


@pytest.fixture(scope="session")
def hub_python(read_only_directory: Path, as_jovyan: dict[str, Any]) -> str:
    """A python3 with JupyterHub and its requirements only.

    The chart's image has more than that.
    """
    home = read_only_directory / "hub"
    make = [find_python(as_jovyan), "-m", "venv", "--without-pip", str(home)]
    subprocess.run(make, check=True, capture_output=True)
    (packages,) = home.glob("lib/python*/site-packages")
    for package in required_by("jupyterhub"):
        install(package, packages)
    return str(home / "bin/python3")


def find_python(options: dict[str, Any]) -> str:
    """A Python of this version that a user may run: root's own may be inaccessible."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (os.path.realpath(sys.executable), shutil.which(name, path="/usr/bin")):
        try:
            subprocess.run([candidate or name, "-c", ""], check=True, **options)
        except OSError:
            continue
        return candidate or name
    pytest.skip(f"user 1000 cannot run {name} here: install one for all, and make test-image")


def required_by(name: str) -> list[Distribution]:
    """An installed package and its requirements."""
    found: dict[str, Distribution] = {}
    names = [Requirement(name)]
    for requirement in names:
        if requirement.name in found:
            continue
        found[requirement.name] = distribution(requirement.name)
        for line in found[requirement.name].requires or []:
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in extras):
                names.append(needed)
    return list(found.values())


def install(package: Distribution, target: Path) -> None:
    """Copy a package's modules."""
    for file in package.files or []:
        source = Path(str(package.locate_file(file)))
        if ".." not in file.parts and source.exists():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / file)
