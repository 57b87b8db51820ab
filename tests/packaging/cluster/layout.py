"""The pods of a cluster, and what each of them runs, from the objects that helm renders."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.packaging.chart.charts import Object, one
from tests.packaging.chart.hub_pod import service_container, variable_value, volume_files
from tests.packaging.chart.pods import pod_of, user_pod
from tests.packaging.chart.policy import NAMESPACE, OUTSIDE, Pod, namespace_of, selects
from tests.packaging.cluster.documented import documented
from tests.packaging.cluster.rules import policy_rules

REPLICAS = ("replica-1", "replica-2", "replica-3")
SERVICE_PORT = 8181
#: Where visitors find the hub: the address of the load balancer in front of the proxy.
PUBLIC = "198.51.100.10"
INTERNET = Pod("internet", {}, "203.0.113.5", namespace=OUTSIDE)

_METADATA = {"name": "postgres", "namespace": "databases"}
_DNS = {"name": "kube-dns", "namespace": "kube-system"}
DATABASE_URL = "postgresql+psycopg2://service:secret@postgres.databases.svc/service"
#: What the cluster has besides the two charts; administrators make the Secret and the policy.
SITE: list[Object] = [
    {
        "kind": "Service",
        "metadata": _METADATA,
        "spec": {"selector": {"app": "postgres"}, "ports": [{"port": 5432}]},
    },
    {
        "kind": "Service",
        "metadata": _DNS,
        "spec": {
            "selector": {"k8s-app": "kube-dns"},
            "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}],
        },
    },
    {
        "kind": "Secret",
        "metadata": {"name": "tornado-service-database"},
        "data": {},
        "stringData": {"url": DATABASE_URL},
    },
    documented("database policy", "spec"),
]
PROGRAMS = (sys.executable, "-m", "tests.packaging.cluster.programs")

Container = dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """The plan of a cluster.

    Attributes:
        objects: those of both charts and of the site.
        pods: by name; ``internet`` is a host outside of the cluster.
    """

    objects: list[Object]
    pods: dict[str, Pod]

    @classmethod
    def of(cls, hub: Sequence[Object], own: Sequence[Object]) -> Layout:
        objects = [*hub, *own, *SITE]
        first = pod_of(one(objects, "Deployment", "tornado-service"), "")
        pods = [
            pod_of(one(objects, "Deployment", "hub"), "10.1.0.1"),
            pod_of(one(objects, "Deployment", "proxy"), "10.1.0.2"),
            replace(user_pod(objects, "hub"), name="user"),
            Pod("unlabelled", {}, "10.1.0.4"),
            Pod("elsewhere", {"app": "x"}, "10.1.0.5", namespace="other"),
            Pod("database", {"app": "postgres"}, "10.1.1.1", namespace="databases"),
            Pod("dns", {"k8s-app": "kube-dns"}, "10.1.1.2", namespace="kube-system"),
            Pod("prometheus", {"app": "prometheus"}, "10.1.1.3", namespace="monitoring"),
            INTERNET,
            *(
                replace(first, name=name, ip=f"10.1.2.{number}")
                for number, name in enumerate(REPLICAS, 1)
            ),
        ]
        return cls(objects, {pod.name: pod for pod in pods})

    def rules(self, objects: Sequence[Object]) -> str:
        """The policies of these objects, at the pods."""
        return policy_rules(objects, [pod for pod in self.pods.values() if pod is not INTERNET])

    def write(self, at: Path, proxy: list[str]) -> None:
        """Write what the node needs: files of the pods, and ``plan.json``.

        Args:
            at: the directory.
            proxy: the command of the hub's proxy on this machine.
        """
        containers = self._containers(at, proxy)
        services = list(self._services())
        for pod in self.pods.values():
            home = at / pod.name
            home.mkdir(exist_ok=True)
            (home / "hosts").write_text(_hosts(pod, services))
            if not (home / "mounts.json").exists():
                (home / "mounts.json").write_text("{}")
        plan = {
            "pods": {
                pod.name: {"ip": pod.ip, **containers[pod.name]} for pod in self.pods.values()
            },
            "services": services,
            "policy": self.rules(self.objects),
        }
        (at / "plan.json").write_text(json.dumps(plan))

    def _containers(self, at: Path, proxy: list[str]) -> dict[str, Container]:
        listening = {
            "user": ["8888"],
            "unlabelled": ["8888"],
            "elsewhere": ["8888"],
            "dns": ["53", "53/udp"],
            "prometheus": ["9090"],
            "internet": ["443", "53"],
        }
        containers: dict[str, Container] = {
            name: {"command": [*PROGRAMS, "listen", *ports]} for name, ports in listening.items()
        }
        containers["database"] = {"command": [*PROGRAMS, "database", DATABASE_URL]}
        containers["hub"] = self._rendered("hub", at, ["jupyterhub"])
        containers["proxy"] = self._rendered("proxy", at, proxy)
        deployment = one(self.objects, "Deployment", "tornado-service")
        for name in REPLICAS:
            home = at / name
            home.mkdir()
            service = service_container(self.objects, deployment, home)
            containers[name] = {
                "command": [sys.executable, "-m", "tornado_service", *service["arguments"]],
                "environment": service["environment"],
                "probes": self._probes(deployment),
            }
        return containers

    def _rendered(self, name: str, at: Path, program: list[str]) -> Container:
        """The container of a Deployment, but for its program."""
        deployment = one(self.objects, "Deployment", name)
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        home = at / name
        home.mkdir()
        files = volume_files(self.objects, spec, home / "mount")
        (home / "mounts.json").write_text(json.dumps(files))
        environment = self._service_variables() | {
            entry["name"]: variable_value(self.objects, entry) for entry in container["env"]
        }
        words = [*container.get("command", []), *container.get("args", [])][1:]
        for variable, text in environment.items():
            words = [word.replace(f"$({variable})", text) for word in words]
        return {
            "command": [*program, *words],
            "environment": environment,
            "probes": self._probes(deployment),
        }

    def _probes(self, deployment: Object) -> dict[str, Any]:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        ports = pod_of(deployment, "").ports
        probes = {}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if probe := container.get(kind):
                port = ports[probe["httpGet"]["port"]]
                probes[kind] = {**probe, "path": probe["httpGet"]["path"], "port": port}
        return probes

    def _service_variables(self) -> dict[str, str]:
        """What the kubelet sets in a pod for each Service of its namespace."""
        variables = {}
        for service in self._services():
            if service["namespace"] == NAMESPACE:
                name = service["name"].upper().replace("-", "_")
                variables[f"{name}_SERVICE_HOST"] = service["addresses"][0]
                variables[f"{name}_SERVICE_PORT"] = str(service["ports"][0]["port"])
        return variables

    def _services(self) -> Iterable[dict[str, Any]]:
        found = [item for item in self.objects if item["kind"] == "Service"]
        for number, service in enumerate(found, 10):
            spec = service["spec"]
            namespace = namespace_of(service)
            addresses = [f"10.96.0.{number}"]
            if spec.get("type") == "LoadBalancer":
                addresses.append(PUBLIC)
            pods = [
                pod
                for pod in self.pods.values()
                if pod.namespace == namespace
                and selects({"matchLabels": spec["selector"]}, pod.labels)
            ]
            ports = [
                {
                    "port": port["port"],
                    "protocol": port.get("protocol", "TCP"),
                    "endpoints": [
                        (pod.ip, pod.ports.get(target, target))
                        for pod in pods
                        for target in [port.get("targetPort", port["port"])]
                    ],
                }
                for port in spec["ports"]
            ]
            yield {
                "name": service["metadata"]["name"],
                "namespace": namespace,
                "addresses": addresses,
                "ports": ports,
            }


def _hosts(pod: Pod, services: Iterable[dict[str, Any]]) -> str:
    """Names of Services, instead of DNS, and the pod's own."""
    lines = ["127.0.0.1 localhost", f"{pod.ip} {pod.name}"]
    for service in services:
        name, namespace = service["name"], service["namespace"]
        names = [f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local"]
        names += [name] if namespace == pod.namespace else []
        lines.append(f"{service['addresses'][0]} {' '.join(names)}")
    return "\n".join(lines) + "\n"
