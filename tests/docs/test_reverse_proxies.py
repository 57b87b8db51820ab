"""The ingress of docs/how-to/reverse-proxies.md; tests/integration/replicas runs the others."""

import pytest
import yaml

from tests.support.replicated.nginx import documented
from tests.support.values import INGRESS, check, load


def test_the_chart_takes_the_values_of_the_ingress() -> None:
    values = yaml.safe_load(documented("ingress"))

    assert check([*load(*INGRESS), ("ingress.yaml", values)]) == check([*load(*INGRESS)])


def test_the_api_server_takes_the_ingress() -> None:
    """As the chart renders it: with its annotations, class, hosts and TLS."""
    kubernetes_validate = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate: `make test-chart` installs it"
    )
    values = yaml.safe_load(documented("ingress"))["ingress"]
    assert values.pop("enabled") is True
    backend = {"service": {"name": "proxy-public", "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "jupyterhub", "annotations": values.pop("annotations")},
        "spec": {
            "ingressClassName": values.pop("ingressClassName"),
            "rules": [{"host": host, "http": {"paths": [path]}} for host in values.pop("hosts")],
            "tls": values.pop("tls"),
        },
    }

    kubernetes_validate.validate(ingress, "1.32", strict=True)
    assert values == {}


@pytest.mark.parametrize("mark", ["traefik hub", "traefik replicas"])
def test_the_routers_of_traefik_lead_to_services_that_exist(mark: str) -> None:
    http = yaml.safe_load(documented(mark))["http"]

    assert {router["service"] for router in http["routers"].values()} == set(http["services"])
