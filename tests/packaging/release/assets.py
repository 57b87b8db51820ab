"""Create the files of a GitHub release from a built wheel: `assets.py SOURCE RELEASE [TAG]`.

The single file, its base64 for `helm --set-file`, Helm values for every network-policy mode and
kind of delivery, the chart of an external service, notes from the changelog, and checksums of all,
also of the wheel and the sdist.
"""

import base64
import hashlib
import re
import runpy
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml
from packaging.version import Version

MODES = ("allowed-ingress-ports", "ingress")
DELIVERIES = ("image", "extra-files")


def main(source: str, release: str, tag: str = "") -> None:
    """Write them to RELEASE/assets."""
    (wheel,) = Path(release).glob("*.whl")
    version = Version(wheel.name.split("-")[1])
    if tag and tag != f"v{version}":
        sys.exit(
            f"The tag is {tag}, and tornado_service/_version.py says {version}: they must agree."
        )
    if tag and version.is_devrelease:
        sys.exit(f"{version} is no release: remove .dev from tornado_service/_version.py.")
    assets = Path(release, "assets")
    pyz = assets / "tornado_service.pyz"
    runpy.run_path(str(Path(source, "image/pyz.py")))["pack"](wheel, pyz)
    # one line, as helm's binaryData requires
    (assets / "tornado_service.b64").write_bytes(base64.b64encode(pyz.read_bytes()))
    for mode in MODES:
        for delivery in DELIVERIES:
            text = values(mode, f"--delivery={delivery}")
            (assets / f"values-{delivery}-{mode}.yaml").write_text(text)
        (assets / f"values-external-{mode}.yaml").write_text(values(mode, "--external"))
    package_chart(Path(source, "chart"), assets)
    (assets / "NOTES.md").write_text(notes(Path(source, "CHANGELOG.md").read_text(), version))
    files = sorted([*Path(release).glob("*.*"), *assets.iterdir()])
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in files]
    (assets / "SHA256SUMS").write_text("\n".join(sums) + "\n")


def values(mode: str, option: str) -> str:
    """The Helm values for a policy mode, and a kind of delivery or an external service."""
    command = [sys.executable, "-m", "tornado_service", "values", f"--mode={mode}", option]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def package_chart(chart: Path, target: Path) -> None:
    """Write the archive of the chart, as ``helm package`` does, which is not everywhere.

    https://helm.sh/docs/topics/charts/#the-chart-file-structure
    """
    fields = yaml.safe_load((chart / "Chart.yaml").read_text())
    name, version = fields["name"], fields["version"]
    with tarfile.open(target / f"{name}-{version}.tgz", "w:gz") as archive:
        archive.add(chart, name)


def notes(changelog: str, version: Version) -> str:
    """The changelog's section of a version; of a development version, what is unreleased."""
    name = (
        "Unreleased" if version.is_devrelease else re.escape(str(version)) + r" - \d{4}-\d\d-\d\d"
    )
    match = re.search(rf"^## {name}\n+(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if match is None:
        sys.exit(f"CHANGELOG.md has no section '## {version} - YYYY-MM-DD'.")
    return match[1]


if __name__ == "__main__":
    main(*sys.argv[1:])
