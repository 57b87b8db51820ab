"""A running cluster, for tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.packaging.chart.charts import Object, secret_texts
from tests.packaging.chart.policy import Pod
from tests.packaging.cluster.layout import PROGRAMS, PUBLIC, REPLICAS, SERVICE_PORT, SITE, Layout
from tests.support import ROOT
from tests.support.prepare import find_postgresql
from tornado_service.demo.proxy import find_proxy, installed_proxy

PATH = "/services/tornado-service/"
PATIENCE = 60
#: setpriv: the namespaces end with the test, even if it is killed.
NAMESPACES = [
    *("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--net", "--pid", "--mount-proc"),
    *("--fork", "--kill-child"),
]


def missing() -> str:
    """What this machine lacks, and how to install it."""
    how = ". On Debian, as root: make test-cluster"
    if os.geteuid():
        return f"only root makes the namespaces{how}"
    programs = ("nft", "ip", "unshare", "nsenter", "setpriv")
    lacking = [name for name in programs if not shutil.which(name)]
    lacking += [] if find_postgresql() else ["PostgreSQL"]
    lacking += [] if installed_proxy() else ["configurable-http-proxy"]
    if lacking:
        return f"no {', '.join(lacking)}{how}"
    table = ["nft", "add table ip policies"]
    done = subprocess.run([*NAMESPACES, *table], capture_output=True, text=True, check=False)
    return f"no namespaces with nftables here: {done.stderr.strip()}" if done.returncode else ""


class Cluster:
    """Both charts, three replicas, a database and pods that try to connect."""

    def __init__(self, layout: Layout, at: Path) -> None:
        self.layout = layout
        self._at = at
        self._node: subprocess.Popen[str] | None = None

    @property
    def pods(self) -> dict[str, Pod]:
        return self.layout.pods

    @property
    def state(self) -> dict[str, dict[str, Any]]:
        """The state of each pod, as ``Node`` writes it."""
        file = self._at / "state.json"
        state: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}
        return state

    def status(self, name: str) -> dict[str, Any]:
        """The ``api/status`` of a replica."""
        token = secret_texts(self.layout.objects, "hub")["hub.services.tornado-service.apiToken"]
        answer = self.request("node", f"{self.at_replica(name)}api/status", token)
        status: dict[str, Any] = json.loads(answer["text"])
        return status

    @property
    def ready(self) -> list[str]:
        """The replicas that are endpoints of their Service."""
        return [name for name in REPLICAS if self.state[name]["ready"]]

    def log(self, name: str) -> str:
        log = self._at / f"{name}.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def start(self) -> None:
        """Start everything; the hub last, as it checks the service once, when it starts."""
        self.layout.write(self._at, find_proxy())
        scripts = Path(sys.executable).parent
        with (self._at / "node.log").open("wb") as log:
            self._node = subprocess.Popen(
                [*NAMESPACES, sys.executable, "-m", "tests.packaging.cluster.node", str(self._at)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                env={
                    **os.environ,
                    "PATH": f"{scripts}:{os.environ['PATH']}",
                    "PYTHONPATH": str(ROOT),
                },
            )
        self.wait_until(lambda: bool(self.state), "node")
        self.start_containers(*self.pods.keys() - {"hub", *REPLICAS})
        self.wait_until(lambda: "ready" in self.log("database"), "database")
        self.start_containers(*REPLICAS)
        self.wait_until(lambda: len(self.ready) == len(REPLICAS), REPLICAS[0])
        self.start_containers("hub")
        self.wait_until(lambda: self.state["hub"]["ready"], "hub")
        self.wait_until(self._has_routes, "hub")

    def _has_routes(self) -> bool:
        """Whether the hub has told the proxy of the service."""
        return self.request("internet", f"http://{PUBLIC}{PATH}health")["status"] == 200

    def stop(self) -> None:
        if self._node:
            self._node.kill()
            self._node.wait()
            assert self._node.stdin
            self._node.stdin.close()

    def start_containers(self, *names: str) -> None:
        assert self._node
        assert self._node.stdin
        self._node.stdin.write("".join(f"{name}\n" for name in names))
        self._node.stdin.flush()

    def wait_until(self, condition: Callable[[], bool], name: str) -> None:
        """Wait for a condition.

        Raises:
            AssertionError: it is not met in time; with the log of this pod.
        """
        deadline = time.monotonic() + PATIENCE
        while not condition():
            alive = self._node is not None and self._node.poll() is None
            if not alive or time.monotonic() > deadline:
                raise AssertionError(f"{name}: {self.log('node')}{self.log(name)[-6000:]}")
            time.sleep(0.2)

    def run(self, pod: str, *command: str, text: str = "") -> str:
        """Run a command in the namespaces of a pod, or of the ``node``; returns its output."""
        assert self._node
        children = Path(f"/proc/{self._node.pid}/task/{self._node.pid}/children").read_text()
        enter = ["nsenter", f"--target={children.strip()}", "--mount", "--net", "--pid", "--"]
        if pod != "node":
            enter += ["nsenter", f"--target={self.state[pod]['pause']}", "--mount", "--net", "--"]
        done = subprocess.run(
            [*enter, "env", f"PYTHONPATH={ROOT}", *command],
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, pod: str, *arguments: str) -> Any:
        """Run one of our clients in a pod."""
        return json.loads(self.run(pod, *PROGRAMS, *arguments))

    def request(self, pod: str, url: str, token: str = "") -> dict[str, Any]:
        """A request from a pod: its status and text."""
        answer: dict[str, Any] = self.client(pod, "get", url, token)
        return answer

    def connections(self, pod: str, *targets: str) -> dict[str, str]:
        """How connections from a pod end: ``open``, ``dropped``, or an error.

        Args:
            pod: its name.
            targets: HOST:PORT, where HOST can be a pod's name or that of a Service.
        """
        places = {}
        for target in targets:
            host, _, port = target.partition(":")
            places[f"{self.pods[host].ip if host in self.pods else host}:{port}"] = target
        outcomes = self.client(pod, "connect", *places)
        return {places[place]: outcome for place, outcome in outcomes.items()}

    def sign_in(self, *names: str) -> list[dict[str, Any]]:
        """Sign users in through the load balancer, from a browser outside of the cluster."""
        visits: list[dict[str, Any]] = self.client(
            "internet", "sign-in", f"http://{PUBLIC}", PATH, *names
        )
        return visits

    def at_replica(self, name: str) -> str:
        """The service's URL at one replica."""
        return f"http://{self.pods[name].ip}:{SERVICE_PORT}{PATH}"

    @contextmanager
    def policies_of(self, *objects: Object, site: Sequence[Object] = SITE) -> Iterator[None]:
        """Apply the policies of other objects of the charts until the end of the block."""
        self._set_policies([*objects, *site])
        try:
            yield
        finally:
            self._set_policies(self.layout.objects)

    def _set_policies(self, objects: list[Object]) -> None:
        self.run("node", "nft", "-f", "-", text=self.layout.rules(objects))
