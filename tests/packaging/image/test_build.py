"""The Dockerfile, really built: on a stand-in for k8s-hub, as tests have no registry."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.packaging.image.buildah import (
    MARKS,
    Buildah,
    BuildFailed,
    cannot_write,
    in_a_pod,
    stand_in,
    temporary,
    user_of,
)
from tests.packaging.image.service import running
from tests.support import ROOT

pytestmark = MARKS
DOCKERFILE = ROOT / "image/Dockerfile"
#: What the user of the image may write to, if its root is not read-only.
WRITABLE = ("/tmp", "/home/jovyan", "/srv/jupyterhub")
#: All that a build may add to the base.
ADDED = re.compile(
    r"usr/local/bin/tornado-service"
    r"|usr/local/lib/python3\.\d+/site-packages/(tornado_service|h11)(-[^/]+\.dist-info)?(/.*)?"
)


@pytest.fixture(scope="module")
def buildah() -> Iterator[Buildah]:
    with temporary() as directory:
        yield Buildah(Path(directory))


@pytest.fixture(scope="module")
def base(buildah: Buildah, request: pytest.FixtureRequest) -> str:
    return stand_in(buildah, request.config.cache.mkdir("stand-in-for-k8s-hub"))


@pytest.fixture(scope="module")
def image(buildah: Buildah, base: str) -> str:
    return buildah.build(DOCKERFILE, ROOT, HUB_IMAGE=base)


def files_in(root: Path) -> dict[str, tuple[int, int, int, int]]:
    """Every file of a container, with data that detect a change."""
    found = {}
    for directory, _, names in os.walk(root):
        for path in (Path(directory), *(Path(directory, name) for name in names)):
            status = path.lstat()
            is_folder = path.is_dir() and not path.is_symlink()
            size, time = (0, 0) if is_folder else (status.st_size, status.st_mtime_ns)
            found[str(path.relative_to(root))] = (status.st_mode, status.st_uid, size, time)
    return found


def command_of(overlay: str) -> list[str]:
    """The command of a values file."""
    values = yaml.safe_load((ROOT / "values" / overlay).read_text())
    return values["hub"]["services"]["tornado-service"]["command"]


def test_the_service_is_all_that_is_new(buildah: Buildah, base: str, image: str) -> None:
    with buildah.container(base) as root:
        before = files_in(root)
    with buildah.container(image) as root:
        after = files_in(root)

    assert {path: after.get(path) for path in before if after.get(path) != before[path]} == {}
    assert not [path for path in after.keys() - before.keys() if not ADDED.fullmatch(path)]


def test_it_starts_as_the_base_does(buildah: Buildah, base: str, image: str) -> None:
    before, after = buildah.settings(base), buildah.settings(image)
    labels = after.pop("Labels")
    before.pop("Labels", None)

    assert after == before
    assert after["User"] == "jovyan"
    assert labels["org.opencontainers.image.base.name"] == base


def test_the_service_runs_on_a_read_only_root(buildah: Buildah, image: str) -> None:
    with buildah.container(image) as root:
        cannot_write(root, *WRITABLE)
        with running(in_a_pod(root, *command_of("image.yaml"))) as service:
            assert user_of(service.pid) == 1000
            service.shows_pages()


def test_the_single_file_runs_in_the_base_alone(
    buildah: Buildah, base: str, pack: Callable[[Path], None]
) -> None:
    command = command_of("extra-files.yaml")
    with buildah.container(base) as root:
        file = root / command[1].lstrip("/")
        file.parent.mkdir(parents=True)
        pack(file)
        cannot_write(root, *WRITABLE)
        with running(in_a_pod(root, *command)) as service:
            assert user_of(service.pid) == 1000
            service.shows_pages()


def test_two_lines_add_an_app(buildah: Buildah, base: str, tmp_path: Path) -> None:
    write_context(tmp_path, requires="tornado-service>=0.1.0.dev0")

    image = buildah.build(tmp_path / "Dockerfile", tmp_path, HUB_IMAGE=base)

    with buildah.container(image) as root:
        done = run_in(root, "python3", "-c", "import my_app, tornado_service")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_web_apps_need_is_in_an_environment_of_its_own(
    buildah: Buildah, base: str, tmp_path: Path
) -> None:
    write_context(tmp_path, requires="tornado-service>=0.1.0.dev0")
    # another version than the hub may have, and a package that it does not have
    (tmp_path / "mine.txt").write_text("# ours\n\n  jupyterhub==6.0.0\nflask\n")
    given = {"HUB_IMAGE": base, "REQUIREMENTS": "mine.txt"}

    image = buildah.build(DOCKERFILE, tmp_path, **given)

    version = "from importlib.metadata import version; print(version('jupyterhub'))"
    with buildah.container(image) as root:
        theirs = run_in(root, "/opt/web-apps/bin/python3", "-c", f"import flask; {version}")
        hubs = run_in(root, "python3", "-c", f"import h11, tornado_service; {version}")
        without = run_in(root, "python3", "-c", "import flask")
    assert (theirs.stdout, theirs.stderr) == ("6.0.0\n", "")
    assert hubs.stdout.startswith("5.5.")
    assert "No module named 'flask'" in without.stderr


def run_in(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(in_a_pod(root, *command), capture_output=True, text=True)


def test_a_build_that_would_change_the_hub_stops(
    buildah: Buildah, base: str, tmp_path: Path
) -> None:
    write_context(tmp_path, requires="jupyterhub>=6")

    with pytest.raises(
        BuildFailed, match=r"jupyterhub>=6[^\n]*\n[^\n]*\(constraint\) jupyterhub==5"
    ):
        buildah.build(tmp_path / "Dockerfile", tmp_path, HUB_IMAGE=base)


def write_context(directory: Path, requires: str) -> None:
    """The repository as in the guide for an app."""
    guide = (ROOT / "docs/how-to/kubernetes-image.md").read_text()
    (lines,) = re.findall(r"```dockerfile\n(.*?)```", guide, re.DOTALL)
    place = "# Apps of your own: here.\n"
    text = DOCKERFILE.read_text()
    assert (text.count(place), lines.count("\n")) == (1, 2)
    (directory / "Dockerfile").write_text(text.replace(place, lines))
    npm = ("hatch_build.py", "package.json", "package-lock.json")
    for name in ("pyproject.toml", "README.md", "LICENSE", *npm):
        shutil.copy(ROOT / name, directory)
    shutil.copytree(ROOT / "tornado_service", directory / "tornado_service")
    (directory / "image").mkdir()
    shutil.copy(ROOT / "image/requirements.txt", directory / "image")
    (directory / "my-app").mkdir()
    (directory / "my-app/my_app.py").write_text("")
    (directory / "my-app/pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "my-app"\nversion = "1"\ndependencies = ["{requires}"]\n'
    )
