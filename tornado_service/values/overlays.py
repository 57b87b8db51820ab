"""The values overlays for a service in zero-to-jupyterhub: ``overlays.yaml.j2``."""

import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from importlib.resources import files
from typing import Any

import jinja2
import yaml

from .._version import DOCS_URL
from . import paths
from .deployment import HUB_DIRECTORY, Deployment, includes_activity
from .merge import Values, as_list, value_at
from .yaml_files.writer import scalar

#: The files, in the order in which Helm gets them.
OVERLAYS = (
    "service.yaml",
    "allowed-ingress-ports.yaml",
    "ingress.yaml",
    "image.yaml",
    "extra-files.yaml",
    "jupyterhub-6.yaml",
    "groups.yaml",
    "external.yaml",
)

PYZ_PATH = "/usr/local/share/tornado_service/tornado_service.pyz"

_TEMPLATE = jinja2.Template(
    (files(__package__) / "overlays.yaml.j2").read_text(encoding="utf-8"),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
)


def overlay_text(deployment: Deployment, names: Iterable[str], site: Values | None = None) -> str:
    """One or more overlays as one YAML document.

    The lists of the site are joined with those of the overlays, which would replace them, and the
    keys of its parent charts are added above all others.
    """
    parts = [name.removesuffix(".yaml") for name in names]
    if parts == ["external"]:
        parts.append("ingress")
    if site is None:
        return _render(deployment, parts, {})
    ours = yaml.safe_load(_render(deployment, parts, {}))
    more = {
        ".".join(path): [
            item for item in site.list(*path) if item not in as_list(value_at(ours, path))
        ]
        for path in paths.SERVICE_LISTS
    }
    title, top, body = _render(deployment, parts, more).partition("hub:\n")
    for key in reversed(site.root):
        top, body = f"{scalar(key)}:\n", textwrap.indent(top + body, "  ")
    return title + top + body


def overlay_values(deployment: Deployment, *names: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(overlay_text(deployment, names))
    return values


def _render(deployment: Deployment, parts: list[str], site_items: dict[str, list[Any]]) -> str:
    def more(path: str, indent: int) -> str:
        return "".join(f"\n{' ' * indent}- {scalar(item)}" for item in site_items.get(path, ()))

    start = [PYZ_PATH] if "extra-files" in parts else ["-m", "tornado_service"]
    return _TEMPLATE.render(
        docs=DOCS_URL,
        **asdict(deployment)
        | {"image": deployment.image.rpartition(":")[::2], "web_apps": deployment.web_apps},
        path=deployment.path,
        access_scope=deployment.scope,
        custom_scopes=deployment.custom_scopes,
        pod_selector=deployment.pod_selector,
        external_host=deployment.external_host,
        external_selector=deployment.external_selector,
        command=["python3", *start, *(f"--TornadoService.apps={app}" for app in deployment.apps)],
        has_activity=includes_activity(deployment.apps),
        hub_directory=HUB_DIRECTORY,
        pyz_path=PYZ_PATH,
        parts=parts,
        yaml=scalar,
        more=more,
    )
