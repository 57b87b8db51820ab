"""The process: addresses, shutdown, and that it never outlives its parent."""

import asyncio
import signal
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.launched import accept_slow_request, wait_for_line
from tornado_service.server import http as server
from tornado_service.testing import StartService


def responses(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with urlopen(f"http://{host}:{port}/health", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_status_0(launch, number: int) -> None:
    process = launch()
    wait_for_line(process, "Listening")

    process.send_signal(number)

    assert process.wait(timeout=4) == 0


def slow_request(port: int) -> socket.socket:
    """A request that stays open: its token is looked up at a hub that does not respond."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"GET /services/tornado-service/api/user HTTP/1.1\r\nHost: x\r\n"
        b"Authorization: token abc\r\n\r\n"
    )
    return connection


def test_open_requests_are_finished_before_it_ends(launch, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = launch(
            "--HubClient.hub_timeout=1.5",
            JUPYTERHUB_API_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/hub/api",
        )
        wait_for_line(process, "Listening")
        with slow_request(port) as connection:
            waiting = accept_slow_request(silent)
            process.terminate()
            wait_for_line(process, "requests are open")

            response = connection.recv(100)
            waiting.close()

        assert response.startswith(b"HTTP/1.1 503")
        assert process.wait(timeout=4) == 0


def test_a_second_signal_ends_it_at_once(launch, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = launch(
            "--TornadoService.shutdown_grace=60",
            "--HubClient.hub_timeout=60",
            JUPYTERHUB_API_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/hub/api",
        )
        wait_for_line(process, "Listening")
        with slow_request(port):
            connection = accept_slow_request(silent)
            process.terminate()
            wait_for_line(process, "requests are open")
            process.terminate()

            assert process.wait(timeout=10) == 0
            connection.close()


SLOW_TO_STOP = """
import asyncio
from tornado_service import ServiceApp

class Slow(ServiceApp):
    name = "slow"

    async def stop(self):
        self.log.warning("the app is stopping")
        await asyncio.sleep(1.9)
        self.log.warning("the app has stopped")
"""


def test_a_second_signal_does_not_wait_for_apps_either(launch, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW_TO_STOP)
    process = launch("--TornadoService.apps=slow:Slow", PYTHONPATH=str(tmp_path))
    wait_for_line(process, "App slow is ready")
    process.terminate()
    wait_for_line(process, "the app is stopping")

    process.terminate()

    assert "the app has stopped" not in process.stderr.read()
    assert process.wait() == 0


NEEDS_THE_HUB = """
from tornado_service import ServiceApp

class Needs(ServiceApp):
    name = "needs"

    async def start(self):
        self.users = [user async for user in self.hub.users()]
"""


def test_an_app_that_is_tried_again_does_not_keep_the_process(launch, tmp_path: Path) -> None:
    (tmp_path / "needs.py").write_text(NEEDS_THE_HUB)
    process = launch("--TornadoService.apps=needs:Needs", PYTHONPATH=str(tmp_path))
    wait_for_line(process, "App needs cannot start yet, and is tried again", "Connection refused")
    wait_for_line(process, "Circuit breaker open")  # it has been retried five times

    process.terminate()

    rest = process.stderr.read()
    assert process.wait() == 0
    assert "Stopped" in rest
    assert "Traceback" not in rest


HANGING_LOOK_UP = """
import socket, sys, threading
look_up = socket.getaddrinfo

def getaddrinfo(host, *args, **kwargs):
    if host == "hub.invalid":
        name = threading.current_thread().name
        print("looking up in", name, file=sys.stderr, flush=True)
        threading.Event().wait()
    return look_up(host, *args, **kwargs)

socket.getaddrinfo = getaddrinfo
"""


def test_a_look_up_that_hangs_does_not_keep_the_process(launch, port: int, tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING_LOOK_UP)
    process = launch("--config=hanging.py", JUPYTERHUB_API_URL="http://hub.invalid:1/hub/api")
    wait_for_line(process, "Listening")
    with slow_request(port):
        wait_for_line(process, "looking up in asyncio")
        process.terminate()

        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("file", ["missing.pem", "rubbish.pem"])
def test_certificates_that_cannot_be_used_are_reported_in_one_line(
    launch, tmp_path: Path, file: str
) -> None:
    (tmp_path / "rubbish.pem").write_text("no certificate")
    names = ("KEYFILE", "CERTFILE", "CLIENT_CA")

    process = launch(**{f"JUPYTERHUB_SSL_{name}": file for name in names})
    lines = process.stderr.read().splitlines()

    assert process.wait() == 2
    assert len(lines) == 1
    assert "JUPYTERHUB_SSL_CERTFILE" in lines[0]


async def test_a_body_that_does_not_arrive_is_given_up(
    start_service: StartService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BODY_TIMEOUT", 0.1)
    service = await start_service()
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it")

    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()
