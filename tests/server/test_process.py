"""The process: addresses, open files, and that it never outlives its parent."""

import os
import resource
import signal
import socket
import sys
import textwrap
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

from tests.support.launched import wait_for_line


def responses(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with urlopen(f"http://{host}:{port}/health", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def test_another_host_name_binds_all_interfaces(launch, port: int) -> None:
    process = launch(JUPYTERHUB_SERVICE_URL="http://hub.example.invalid:{port}")

    assert "all interfaces" in wait_for_line(process, "Listening")
    assert responses(port)
    if socket.has_ipv6:
        assert responses(port, "[::1]")


def test_loopback_is_loopback_only(launch, port: int) -> None:
    process = launch()

    assert "on 127.0.0.1" in wait_for_line(process, "Listening")
    assert responses(port)
    assert not responses(port, "127.0.0.2")


def test_a_port_in_use_is_reported_at_once(launch, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        process = launch()

        lines = process.stderr.read().splitlines()

    assert process.wait() == 1
    assert len(lines) == 1
    assert f"Cannot listen on port {port}" in lines[0]
    assert "earlier hub" in lines[0]


def test_it_takes_more_connections_than_a_shell_allows(launch) -> None:
    run = f"ulimit -Sn 256; exec {sys.executable} -m tornado_service"
    process = launch(command=["sh", "-c", run])
    wait_for_line(process, "Listening")

    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)

    assert soft == (65536 if hard == resource.RLIM_INFINITY else min(hard, 65536))


ORPHAN = """
import os, sys, time
from tornado_service.__main__ import main
parent = os.getppid()
print("imported", file=sys.stderr, flush=True)
while os.getppid() == parent:
    time.sleep(0.01)
print("orphaned", file=sys.stderr, flush=True)
main()
"""


def test_it_ends_when_its_parent_has_ended_before_the_first_check(launch) -> None:
    parent = textwrap.dedent(f"""
        import subprocess, sys, time
        command = [sys.executable, "-c", {ORPHAN!r}]
        print(subprocess.Popen(command, start_new_session=True).pid, file=sys.stderr, flush=True)
        time.sleep(600)
    """)
    process = launch(command=[sys.executable, "-c", parent])
    child = int(process.stderr.readline())
    give_up = threading.Timer(30, os.kill, (child, signal.SIGKILL))
    give_up.start()
    wait_for_line(process, "imported")

    process.kill()
    lines = process.stderr.read()  # it has the other end: this returns when it has ended
    give_up.cancel()

    assert "orphaned" in lines
    assert "Stopped" in lines


def test_it_ends_with_the_process_that_launched_it(launch, port: int) -> None:
    parent = textwrap.dedent("""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-m", "tornado_service"], start_new_session=True)
        print(child.pid, file=sys.stderr, flush=True)
        time.sleep(600)
    """)
    process = launch(command=[sys.executable, "-c", parent])
    child = int(process.stderr.readline())
    wait_for_line(process, "Listening")
    assert responses(port)

    process.kill()

    try:
        deadline = time.monotonic() + 10
        while responses(port):
            assert time.monotonic() < deadline, "it outlived its parent"
            time.sleep(0.05)
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def test_neither_a_home_nor_a_place_to_write_is_needed(launch, port: int, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)

    process = launch()
    wait_for_line(process, "Listening")

    assert responses(port)
    assert list(tmp_path.iterdir()) == []
