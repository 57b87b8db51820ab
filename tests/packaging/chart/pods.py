"""The pods of a deployment, built from the objects that helm renders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jupyterhub
import yaml

from tests.packaging.chart.charts import Object, Values, one, secret_texts
from tests.packaging.chart.policy import HUB_PORT, Cluster, Pod, namespace_of
from tornado_service.activity import Activity
from tornado_service.values.deployment import Deployment
from tornado_service.values.overlays import overlay_text

SERVICE_PORT = 8181


@dataclass(frozen=True)
class Deployed:
    """A cluster with a hub, its proxy and other pods that try to connect."""

    cluster: Cluster
    hub: Pod
    proxy: Pod
    user: Pod
    unlabelled: Pod
    elsewhere: Pod
    service_host: str

    @classmethod
    def of(cls, objects: list[Object], prefix: str = "", **choices: bool) -> Deployed:
        """The deployment of these objects.

        Args:
            objects: rendered by helm.
            prefix: of the names of the chart's objects.
            choices: see :class:`Cluster`.
        """
        pods = {
            "hub": pod_of(one(objects, "Deployment", f"{prefix}hub"), "10.1.0.1"),
            "proxy": pod_of(one(objects, "Deployment", f"{prefix}proxy"), "10.1.0.2"),
            "user": user_pod(objects, f"{prefix}hub"),
            "unlabelled": Pod("unlabelled", {}, "10.1.0.4"),
            "elsewhere": Pod("elsewhere", {"app": "x"}, "10.1.0.5", namespace="other"),
        }
        cluster = Cluster(objects, list(pods.values()), **choices)
        return cls(cluster=cluster, service_host=f"{prefix}hub", **pods)

    def service_from(self, pod: Pod) -> bool:
        """Whether a pod reaches the service, by its usual route."""
        return self.cluster.reaches(pod, self.service_host, SERVICE_PORT)

    def hub_api_from_service(self) -> bool:
        """Whether the service, in the hub's pod, reaches the Hub API at its configured URL."""
        return self.cluster.reaches(self.hub, self.service_host, HUB_PORT)

    def outcome(self) -> dict[str, bool]:
        """The result of each connection."""
        return {
            "proxy to service": self.service_from(self.proxy),
            "hub to service": self.service_from(self.hub),
            "service to hub": self.hub_api_from_service(),
            "user to service": self.service_from(self.user),
            "unlabelled to service": self.service_from(self.unlabelled),
            "other namespace to service": self.service_from(self.elsewhere),
        }


def pod_of(deployment: Object, ip: str) -> Pod:
    """A pod of a Deployment."""
    template = deployment["spec"]["template"]
    spec = template["spec"]
    ports = {
        port["name"]: port["containerPort"]
        for container in spec["containers"]
        for port in container.get("ports", [])
    }
    aliases: dict[str, set[str]] = {}
    for alias in spec.get("hostAliases", []):
        if alias["ip"] in ("127.0.0.1", "::1"):
            for host in alias["hostnames"]:
                aliases.setdefault(host, set()).add(alias["ip"])
    name = deployment["metadata"]["name"]
    labels = template["metadata"]["labels"]
    return Pod(name, labels, ip, namespace_of(deployment), ports=ports, aliases=aliases)


def user_pod(objects: list[Object], hub: str) -> Pod:
    """A user's server, labelled as the chart makes KubeSpawner label it."""
    values: dict[str, Any] = yaml.safe_load(secret_texts(objects, hub)["values.yaml"])
    app = values.get("nameOverride") or "jupyterhub"
    labels = {
        "app": app,
        "component": "singleuser-server",
        "release": values["Release"]["Name"],
        "app.kubernetes.io/name": app,
        "app.kubernetes.io/component": "singleuser-server",
        "app.kubernetes.io/instance": values["Release"]["Name"],
        "hub.jupyter.org/username": "ada",
        **values["singleuser"]["extraLabels"],
    }
    return Pod("jupyter-ada", labels, "10.1.0.3", ports={"notebook-port": 8888})


def external(mode: str, **options: Any) -> Values:
    """What the command writes for an app that is at hand in each mode."""
    is_6 = jupyterhub.version_info[0] >= 6
    deployment = Deployment(
        service_scopes=sorted(Activity.service_scopes),
        user_scopes=sorted(Activity.user_scopes),
        **options,
    )
    names = ["external.yaml", f"{mode}.yaml", *(["jupyterhub-6.yaml"] if is_6 else [])]
    return yaml.safe_load(overlay_text(deployment, names))
