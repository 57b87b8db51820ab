"""Images for tests, made by buildah without a container engine, in a store of their own."""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

MISSING = [
    *(["root"] if os.geteuid() else []),
    *(tool for tool in ("buildah", "debootstrap", "unshare") if not shutil.which(tool)),
]
#: The marks of a module that builds images.
MARKS = [
    pytest.mark.image,
    pytest.mark.timeout(1800),  # the first makes a Debian
    pytest.mark.skipif(
        bool(MISSING),
        reason=f"no {', '.join(MISSING)}. On Debian, as root:"
        " apt-get install buildah debootstrap && make test-image",
    ),
]

#: A read-only root directory for user 1000, as in a hardened pod.
READ_ONLY = """
mount --bind "$0" "$0"
mount -o remount,bind,ro "$0"
mount -t proc proc "$0/proc"
mount --rbind /dev "$0/dev"
exec chroot --userspec=1000:1000 "$0" "$@"
"""


class Buildah:
    """Builds images in a directory; others on this machine are not touched."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._volumes = [f"--volume={volume}:ro" for volume in pip_settings(directory)]

    def run(self, *args: str | Path) -> str:
        """Run one command of buildah."""
        store = [f"--root={self._directory}/store", f"--runroot={self._directory}/run"]
        done = subprocess.run(["buildah", *store, *args], capture_output=True, text=True)
        if done.returncode:
            raise BuildFailed(done.stdout[-4000:] + done.stderr[-4000:])
        return done.stdout.strip()

    def build(self, file: Path, context: Path, target: str = "", **build_args: str) -> str:
        """Build an image of a Dockerfile, or of a target in it, and return its id."""
        given = [f"--build-arg={name}={value}" for name, value in build_args.items()]
        settings = ["--isolation=chroot", "--pull=false", *self._volumes, *given]
        settings += [f"--target={target}"] if target else []
        built = self._directory / "built"
        self.run("build", *settings, f"--file={file}", f"--iidfile={built}", context)
        return built.read_text().strip().removeprefix("sha256:")

    def settings(self, image: str) -> dict[str, Any]:
        """How containers of an image start, and its labels."""
        return json.loads(self.run("inspect", "--type=image", image))["OCIv1"]["config"]

    @contextmanager
    def container(self, image: str) -> Iterator[Path]:
        """The root directory of a new container."""
        name = self.run("from", "--pull-never", image)
        try:
            yield Path(self.run("mount", name))
        finally:
            self.run("rm", name)


class BuildFailed(Exception):
    """The error of buildah, or of a command in a build."""


def stand_in(buildah: Buildah, cache: Path) -> str:
    """The id of an image like k8s-hub; it is built once, and kept in a directory."""
    recipe = Path(__file__).with_name("stand_in.Dockerfile")

    def make() -> str:
        make_debian(buildah)
        return buildah.build(recipe, recipe.parent)

    return _keep(buildah, cache, hashlib.sha256(recipe.read_bytes()).hexdigest()[:12], make)


def stand_in_for_python(buildah: Buildah, cache: Path) -> str:
    """The id of an image with little more than a Python; it is built once, and kept."""
    return _keep(buildah, cache, "debian", lambda: make_debian(buildah))


def _keep(buildah: Buildah, cache: Path, name: str, make: Callable[[], str]) -> str:
    kept = cache / f"{name}.tar"
    if not kept.exists():
        new = make()
        part = kept.with_suffix(f".{os.getpid()}.part")
        buildah.run("push", "--quiet", new, f"oci-archive:{part}:stand-in")
        part.rename(kept)
    return buildah.run("pull", "--quiet", f"oci-archive:{kept}")


def make_debian(buildah: Buildah, suite: str = "bookworm") -> str:
    """Make the image ``debian``: the distribution's smallest system with a Python."""
    name = buildah.run("from", "scratch")
    root = buildah.run("mount", name)
    packages = "--include=python3,python3-venv,ca-certificates"
    command = ["debootstrap", "--variant=minbase", packages, suite, root]
    subprocess.run(command, check=True, capture_output=True)
    return buildah.run("commit", "--quiet", "--rm", name, "debian")


def pip_settings(directory: Path) -> list[str]:
    """Settings of pip on this machine, as volumes for a build: no image contains them."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(pip, check=True, capture_output=True, text=True).stdout
    settings: dict[str, str] = {}
    for line in listed.splitlines():  # those of the environment come first, and have precedence
        name, _, value = line.partition("=")
        settings.setdefault(name.rpartition(".")[2], ast.literal_eval(value))
    file = directory / "pip.conf"
    lines = [f"{name} = {value}" for name, value in settings.items()]
    file.write_text("\n".join(["[global]", *lines, ""]))
    return [f"{file}:/etc/pip.conf", *sorted({f"{path}:{path}" for path in _paths(settings)})]


def _paths(settings: dict[str, str]) -> Iterator[Path]:
    for word in " ".join(settings.values()).split():
        path = Path(word.removeprefix("file://"))
        if path.is_absolute() and path.exists():
            # an index's files may be next to it
            yield path.parent if word.startswith("file://") else path


def in_a_pod(root: Path, *command: str) -> list[str]:
    """Run a command as a pod of an image would, its root read-only."""
    return ["unshare", "--mount", "sh", "-euc", READ_ONLY, str(root), *command]


def cannot_write(root: Path, *places: str) -> None:
    """Check that the simulated pod is as hardened as intended."""
    for place in places:
        touch = in_a_pod(root, "touch", f"{place}/file")
        done = subprocess.run(touch, capture_output=True, text=True)
        assert "Read-only file system" in done.stderr


def user_of(pid: int) -> int:
    """The user of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    (user,) = re.findall(r"^Uid:\s+\d+\s+(\d+)", status, re.MULTILINE)
    return int(user)


def temporary() -> tempfile.TemporaryDirectory[str]:
    """The directory of the store."""
    return tempfile.TemporaryDirectory(prefix="tornado-service-image-")
