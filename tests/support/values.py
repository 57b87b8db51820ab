"""Helpers for tests of the values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from traitlets.config import Config

from tests.support.documentation import marked_block
from tornado_service.hub.versions import parse_version
from tornado_service.values.check.runner import find_mistakes
from tornado_service.values.merge import Values, read_files
from tornado_service.values.paths import KeyPath
from tornado_service.values.site import Site, ValuesFinding

VALUES = Path(__file__).parents[2] / "values"
SCOPE = "access:services!service=tornado-service"
INGRESS = ("service.yaml", "ingress.yaml", "image.yaml")
OPEN = ("service.yaml", "allowed-ingress-ports.yaml", "image.yaml")

Files = list[tuple[str, dict[str, Any]]]


def stop(app: Any, argv: list[str]) -> int:
    """Run a command to its end, for its exit status."""
    app.clear_instance()
    try:
        command = app(config=Config())
        command.initialize(argv)
        command.start()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def documented_web_apps() -> dict[str, Any]:
    """The values with web apps in the guide."""
    text = marked_block("how-to/kubernetes-operate.md", "web apps")
    values: dict[str, Any] = yaml.safe_load(text)
    return values


def load(*names: str) -> Files:
    """Overlays of ours."""
    return [(name, values) for name in names for _, values in read_files([str(VALUES / name)])]


def check(
    files: Files,
    version: str = "5.5",
    parent: KeyPath | None = None,
    release: str = "",
    service: str = "",
) -> list[ValuesFinding]:
    return find_mistakes(Site(Values(files, parent), parse_version(version), release, service))
