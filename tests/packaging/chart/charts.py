"""The real chart, rendered by the real helm."""

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

VALUES = Path(__file__).parents[3] / "values"
#: The chart that runs the service in pods of its own.
OWN = Path(__file__).parents[3] / "chart"
HOW = (
    "needs helm on the PATH and Z2JH_CHART, the path of zero-to-jupyterhub's chart;"
    " `make test-chart` fetches both"
)

Values = dict[str, Any]
Object = dict[str, Any]

#: A stand-in for tornado_service.pyz, which --set-file provides.
FILE = {"hub": {"extraFiles": {"tornado_service": {"binaryData": "UEs="}}}}

#: A site's own values for the network.
HARDENED_RULES = {"networkPolicy": {"egressAllowRules": {"privateIPs": False}}}
HARDENED: Values = {
    "hub": HARDENED_RULES,
    "proxy": {"chp": HARDENED_RULES, "traefik": HARDENED_RULES},
    "singleuser": HARDENED_RULES,
}
OWN_ALIASES: Values = {
    "hub": {"extraPodSpec": {"hostAliases": [{"ip": "10.9.8.7", "hostnames": ["ldap"]}]}}
}


def overlay(name: str) -> Values:
    """One of our files."""
    return yaml.safe_load((VALUES / f"{name}.yaml").read_text())


class HelmError(Exception):
    """Helm refused."""


@dataclass
class Chart:
    """A chart that helm can render; results are cached."""

    path: Path
    _rendered: dict[str, list[Object]] = field(default_factory=dict)

    def render(self, *values: Values, release: str = "r", workdir: Path) -> list[Object]:
        """The Kubernetes objects of these values.

        Args:
            values: as many values files, in Helm's order.
            release: name of the release.
            workdir: directory for the values.

        Raises:
            HelmError: the schema or a template refuses the values.
        """
        key = json.dumps([release, values])
        if key not in self._rendered:
            text = self.template(*values, release=release, workdir=workdir)
            self._rendered[key] = [document for document in yaml.safe_load_all(text) if document]
        return self._rendered[key]

    def template(self, *values: Values, release: str = "r", workdir: Path) -> str:
        """The output of ``helm template``; arguments as for ``render``."""
        command = ["helm", "template", release, str(self.path), "--namespace=lab"]
        for number, content in enumerate(values):
            file = workdir / f"{number}.yaml"
            file.write_text(json.dumps(content))
            command.append(f"--values={file}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HelmError(done.stderr)
        return done.stdout


def find(variable: str, workdir: Path) -> Chart | None:
    """The chart that an environment variable names."""
    if not os.environ.get(variable) or not shutil.which("helm"):
        return None
    return prepare(Path(os.environ[variable]), workdir)


def prepare(path: Path, workdir: Path) -> Chart:
    """The chart at a path: a checkout, the chart in it, or an archive."""
    if (path / "jupyterhub" / "Chart.yaml").exists():
        path = path / "jupyterhub"
    if path.is_dir() and not (path / "values.schema.json").exists():
        path = shutil.copytree(path, workdir / "jupyterhub")
        _write_schema(path)
    return Chart(path)


def _write_schema(chart: Path) -> None:
    """A checkout has the schema as YAML only; helm reads it as JSON."""
    schema = yaml.safe_load((chart / "values.schema.yaml").read_text())
    (chart / "values.schema.json").write_text(json.dumps(schema))


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The object of this kind and name."""
    (found,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def secret_texts(objects: list[Object], name: str) -> dict[str, str]:
    """What is in a Secret."""
    secret = one(objects, "Secret", name)
    encoded = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    return {**encoded, **secret.get("stringData", {})}
