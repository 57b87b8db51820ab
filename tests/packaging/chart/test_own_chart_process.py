"""The service itself, started with the command and the environment of a pod of our own chart."""

from __future__ import annotations

import http.client
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.packaging.chart.charts import Values, one
from tests.packaging.chart.conftest import Render
from tests.support.launched import Launch, wait_for_line

VALUES: Values = {
    "replicas": 1,
    "database": {"existingSecret": {"name": ""}},
    "hub": {"baseUrl": "/lab/"},
    "config": {"TornadoService": {"title": "Usage of the lab"}},
}
TOKEN = "0123456789abcdef0123456789abcdef"


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with closing(connection):
        connection.request("GET", path)
        return connection.getresponse().status


def test_it_starts_and_answers_the_probes_while_the_hub_is_away(
    render_own: Render, external: Launch, port: int, tmp_path: Path
) -> None:
    objects = render_own(VALUES)
    spec = one(objects, "Deployment", "tornado-service")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    config = tmp_path / "config.json"
    config.write_text(one(objects, "ConfigMap", "tornado-service")["data"]["config.json"])
    (tmp_path / "token").write_text(TOKEN)
    here = {
        "--port=8181": f"--port={port}",
        "/etc/tornado-service": str(tmp_path),
        "/run/secrets/tornado-service": str(tmp_path),
    }
    arguments = [_replace(word, here) for word in container["args"]]
    variables = {
        # a hub that is away
        entry["name"]: entry["value"].replace("//hub:8081/", "//127.0.0.1:1/")
        for entry in container["env"]
    }

    process = external(*arguments, **{"JUPYTERHUB_API_TOKEN": None, **variables})

    assert f"port {port} for /lab/services/tornado-service/" in wait_for_line(process, "Listening")
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert _settled(port, container[name]["httpGet"]["path"]) == 200, name
    assert get(port, "/lab/services/tornado-service/health") == 200
    process.send_signal(signal.SIGTERM)
    rest = process.stderr.read() if process.stderr else ""
    assert process.wait(20) == 0
    assert TOKEN not in rest


def _replace(word: str, texts: dict[str, str]) -> str:
    for old, new in texts.items():
        word = word.replace(old, new)
    return word


def _settled(port: int, path: str) -> int:
    """The status once apps are loaded: as a probe, again until it is right."""
    end = time.monotonic() + 30
    while (status := get(port, path)) != 200 and time.monotonic() < end:
        time.sleep(0.05)
    return status


@pytest.mark.parametrize("replicas", ["2", "5"])
def test_without_a_database_the_service_refuses_what_the_chart_refuses(
    external: Launch, replicas: str, port: int
) -> None:
    process = external(f"--port={port}", TORNADO_SERVICE_REPLICAS=replicas)

    assert f"There are {replicas} replicas and no database" in wait_for_line(process, "replicas")
    assert process.wait(20) == 2
