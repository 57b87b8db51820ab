"""The node of a cluster: it routes between pods, runs their containers and probes them.

``Cluster`` starts it as the first process of namespaces of its own, so all that it has started
ends with it. Each line of its input is the name of a pod whose container is to start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tests.packaging.chart import hub_pod
from tests.packaging.cluster.rules import SERVICE_NETWORK, service_rules

ADDRESS = "10.1.255.254"
#: The gateway of each pod, at the node's end of its cable.
GATEWAY = "169.254.1.1"


def call(*command: str, text: str = "") -> None:
    subprocess.run(command, input=text, text=True, check=True)


class Node:
    """The pods and their state.

    Attributes:
        state: for each pod the processes of its namespaces and of its container, the exit status of
            an ended container, whether it is ready, and the failures of its livenessProbe.
    """

    def __init__(self, at: Path) -> None:
        self._at = at
        self._plan = json.loads((at / "plan.json").read_text())
        self._lock = threading.Lock()
        self.state: dict[str, dict[str, Any]] = {}

    def prepare(self) -> None:
        """Connect the pods, without containers."""
        call("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run")
        call("ip", "link", "set", "lo", "up")
        call("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        call("nft", "-f", "-", text=self._plan["policy"])
        call(*f"ip route add {SERVICE_NETWORK} dev lo".split())
        unshare = ["unshare", "--net", "--mount", sys.executable, "-m", __spec__.name]
        pauses = {
            name: subprocess.Popen(
                [*unshare, str(self._at), name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
            )
            for name in self._plan["pods"]
        }
        for number, (name, pause) in enumerate(pauses.items()):
            self._add_pod(name, pause, f"pod{number}")
        self._publish()

    def _add_pod(self, name: str, pause: subprocess.Popen[bytes], cable: str) -> None:
        ip = self._plan["pods"][name]["ip"]
        assert pause.stdout
        assert pause.stdout.readline(), f"{name} has no namespaces"
        call(*f"ip link add {cable} type veth peer name eth0 netns {pause.pid}".split())
        call(*f"ip address add {GATEWAY}/32 dev {cable}".split())
        call(*f"ip link set {cable} up".split())
        call(*f"ip route add {ip}/32 dev {cable} src {ADDRESS}".split())
        inside = ["nsenter", f"--target={pause.pid}", "--net", "ip"]
        call(*inside, *f"address add {ip}/32 dev eth0".split())
        call(*inside, "link", "set", "eth0", "up")
        call(*inside, *f"route add default via {GATEWAY} dev eth0 onlink".split())
        self.state[name] = {"pause": pause.pid, "ready": False}

    def start(self, name: str) -> None:
        """Start the container of a pod."""
        container = self._plan["pods"][name]
        home = self._at / name / "work"
        home.mkdir(exist_ok=True)
        pause = self.state[name]["pause"]
        with (self._at / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *("nsenter", f"--target={pause}", "--net", "--mount"),
                    *("env", f"--chdir={home}", *container["command"]),
                ],
                env={
                    **{variable: os.environ[variable] for variable in ("PATH", "PYTHONPATH")},
                    **container.get("environment", {}),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.state[name].update(pid=process.pid, ended=None, liveness_failures=0)
        threading.Thread(target=self._watch, args=[name, process], daemon=True).start()

    def _watch(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Probe a container until it ends. Unlike a kubelet, this restarts none."""
        probes = self._plan["pods"][name].get("probes", {})
        if "startupProbe" in probes:
            self._repeat(name, process, probes["startupProbe"], until=True)
        if "livenessProbe" in probes:
            threading.Thread(
                target=self._repeat, args=[name, process, probes["livenessProbe"]], daemon=True
            ).start()
        if "readinessProbe" in probes:
            self._repeat(name, process, probes["readinessProbe"], sets_ready=True)
        else:
            self._set(name, ready=True)
        status = process.wait()
        self._set(name, ready=False, ended=status)

    def _repeat(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        probe: dict[str, Any],
        *,
        until: bool = False,
        sets_ready: bool = False,
    ) -> None:
        """Probe a container until it ends, or until a first success."""
        failures = 0
        time.sleep(0 if until else probe.get("initialDelaySeconds", 0))
        while process.poll() is None:
            if self._succeeds(self._plan["pods"][name]["ip"], probe):
                failures = 0
                if until:
                    return
                if sets_ready and not self.state[name]["ready"]:
                    self._set(name, ready=True)
            else:
                failures += 1
                if sets_ready and failures == probe["failureThreshold"]:
                    self._set(name, ready=False)
                if not until and not sets_ready:
                    self._set(name, liveness_failures=self.state[name]["liveness_failures"] + 1)
            end = time.monotonic() + probe["periodSeconds"]
            while time.monotonic() < end and process.poll() is None:
                time.sleep(0.1)

    @staticmethod
    def _succeeds(ip: str, probe: dict[str, Any]) -> bool:
        connection = HTTPConnection(ip, probe["port"], timeout=probe["timeoutSeconds"])
        with closing(connection):
            try:
                connection.request("GET", probe["path"])
                return 200 <= connection.getresponse().status < 400
            except (OSError, HTTPException):
                return False

    def _set(self, name: str, **facts: Any) -> None:
        with self._lock:
            self.state[name].update(facts)
            self._publish()

    def _publish(self) -> None:
        """Update the endpoints of Services to the ready pods, and write ``state.json``."""
        pods = self._plan["pods"]
        ready = {pods[name]["ip"] for name, facts in self.state.items() if facts["ready"]}
        addresses = [pod["ip"] for pod in pods.values()]
        rules = service_rules(self._plan["services"], ready, addresses)
        call("nft", "-f", "-", text=rules)
        new = self._at / "state.json.new"
        new.write_text(json.dumps(self.state))
        new.replace(self._at / "state.json")


def main(at: Path, *pod: str) -> None:
    """Run the node, or the process that holds the namespaces of a pod."""
    if pod:
        hub_pod.mount(at / pod[0])
        print("ready", flush=True)
        threading.Event().wait()
    node = Node(at)
    node.prepare()
    for line in sys.stdin:
        node.start(line.strip())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
