"""Download helm and zero-to-jupyterhub's chart for the tests in this directory.

Prints the variables to export. A helm on the PATH, $Z2JH_CHART and $Z2JH_CHART_MAIN are used if
set. Downloads go to build/chart.

    eval "$(python tests/packaging/chart/fetch.py)" && python -m pytest tests/packaging/chart
"""

import hashlib
import io
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.request import urlopen

DIRECTORY = Path("build/chart")
HELM = "v4.1.4"
HELM_SITE = "https://get.helm.sh"
CHARTS = "https://hub.jupyter.org/helm-chart/"
RELEASE = "4.4.0"

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def helm() -> str:
    """The path of helm."""
    if found := shutil.which("helm", path=f"{os.environ['PATH']}:{DIRECTORY}"):
        return found
    system, machine = platform.system().lower(), platform.machine()
    name = f"helm-{HELM}-{system}-{MACHINES.get(machine, machine)}.tar.gz"
    archive = _download(f"{HELM_SITE}/{name}")
    checksum = _download(f"{HELM_SITE}/{name}.sha256").split()[0].decode()
    if hashlib.sha256(archive).hexdigest() != checksum:
        sys.exit(f"{name}: the checksum is wrong, nothing was installed")
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        (member,) = [info for info in tar.getmembers() if Path(info.name).name == "helm"]
        content = tar.extractfile(member)
        assert content is not None, name
        (DIRECTORY / "helm").write_bytes(content.read())
    (DIRECTORY / "helm").chmod(0o755)
    return str(DIRECTORY / "helm")


def _download(url: str) -> bytes:
    print(f"Fetching {url}", file=sys.stderr)
    with urlopen(url, timeout=60) as response:
        return response.read()


def chart(variable: str, helm: str, *version: str) -> str:
    """The path of a chart: that of a variable, or an archive from the chart's own site."""
    if given := os.environ.get(variable):
        return given
    target = DIRECTORY / variable
    if not list(target.glob("*.tgz")):
        target.mkdir(exist_ok=True)
        pull = [helm, "pull", "jupyterhub", f"--repo={CHARTS}", f"--destination={target}"]
        print(f"Fetching {variable} from {CHARTS}", file=sys.stderr)
        subprocess.run([*pull, *version], check=True, stdout=sys.stderr)
    return str(next(target.glob("*.tgz")).absolute())


def main() -> None:
    """Download all three."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    try:
        program = helm()
        charts = {
            "Z2JH_CHART": chart("Z2JH_CHART", program, f"--version={RELEASE}"),
            "Z2JH_CHART_MAIN": chart("Z2JH_CHART_MAIN", program, "--devel"),
        }
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{error}. Bring helm and the chart yourself; this file says where to.")
    path = f"{Path(program).parent.absolute()}:{os.environ['PATH']}"
    for name, value in {"PATH": path, **charts}.items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
