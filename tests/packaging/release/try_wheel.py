"""Start a hub with the lines of README and the installed package: `make test-wheel`.

It runs in an environment with the wheel and JupyterHub, without the source and pytest.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, build_opener

import tornado_service
from tornado_service.demo.processes import free_ports, kill_processes_in
from tornado_service.demo.proxy import find_proxy

ROOT = Path(__file__).resolve().parents[3]
PREFIX = "/services/tornado-service/"
TIMEOUT = 90  # seconds until the service responds

#: Configuration that README leaves to the hub.
HUB = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = {proxy}
"""


class NoRedirect(HTTPRedirectHandler):
    """Returns a redirect as an error, with its headers."""

    def redirect_request(self, *args: object) -> None:
        """Follow none."""


def main() -> None:
    """Exit with the hub's log if the service does not respond as documented in README."""
    if Path(tornado_service.__file__).is_relative_to(ROOT / "tornado_service"):
        sys.exit(f"This is the source, and not the wheel: {tornado_service.__file__}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            try_in(Path(folder))
        finally:
            kill_processes_in(Path(folder))
    print(
        f"tornado-service {tornado_service.__version__} responds on Python {sys.version.split()[0]}"
    )


def try_in(folder: Path) -> None:
    """Start a hub in a folder, and request pages of the service."""
    (lines,) = re.findall(
        r"```python\n(import sys\n.*?)```", (ROOT / "README.md").read_text(), re.S
    )
    port, hub_port, api_port, service_port = free_ports(4)
    hub = HUB.format(port=port, hub_port=hub_port, api_port=api_port, proxy=find_proxy())
    (folder / "jupyterhub_config.py").write_text(
        hub + lines.replace("127.0.0.1:8181", f"127.0.0.1:{service_port}")
    )
    log = folder / "hub.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "jupyterhub"]
        hub = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        wait_for(f"http://127.0.0.1:{port}{PREFIX}health", hub)
        check_pages(f"http://127.0.0.1:{port}")
    except Exception as error:
        sys.exit(f"{log.read_text()}\n{type(error).__name__}: {error}")
    finally:
        hub.terminate()
        hub.wait(30)


def wait_for(url: str, hub: "subprocess.Popen[bytes]") -> None:
    """Wait until a URL returns 200."""
    deadline = time.monotonic() + TIMEOUT
    while fetch(url)[0] != 200:
        if hub.poll() is not None:
            raise RuntimeError(f"the hub has ended with {hub.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} does not respond")
        time.sleep(0.5)


def check_pages(origin: str) -> None:
    """Check sign-in, the resources of pages, and the API."""
    status, location, _ = fetch(f"{origin}{PREFIX}", Accept="text/html")
    assert (status, "/hub/api/oauth2/authorize" in location) == (302, True), (status, location)
    status, _, body = fetch(f"{origin}{PREFIX}api/")
    assert (status, tornado_service.__version__ in body) == (200, True), (status, body)
    static = Path(tornado_service.__file__).parent
    for asset in ("static/swagger/swagger-ui-bundle.js", "activity/static/d3/d3.min.js"):
        assert (static / asset).stat().st_size > 100_000, asset


def fetch(url: str, **headers: str) -> tuple[int, str, str]:
    """Status, redirect and body of a response; status 0 if there is none."""
    opener = build_opener(NoRedirect)
    opener.addheaders = list(headers.items())
    try:
        with opener.open(url, timeout=10) as response:
            return response.status, "", response.read().decode()
    except HTTPError as error:
        return error.code, error.headers.get("Location", ""), error.read().decode()
    except URLError:
        return 0, "", ""


if __name__ == "__main__":
    main()
