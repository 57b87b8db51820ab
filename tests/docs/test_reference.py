"""The reference: generated pages are up to date, the others are complete."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from tests.support import ROOT
from tornado_service.app import TornadoService
from tornado_service.testing import StartService

DOCS = ROOT / "docs"
GENERATED = ["settings.md", "cli.md", "api-operations.md"]


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_page_is_that_of_the_code(page: str) -> None:
    code = f"import generate; print(generate.PAGES[{page!r}](), end='')"
    generated = subprocess.run(
        [sys.executable, "-c", code], cwd=DOCS, capture_output=True, text=True, check=True
    ).stdout

    assert (DOCS / "reference" / page).read_text() == generated, "run: make docs"


def test_all_generated_pages_are_tested() -> None:
    code = "import generate; print(*generate.PAGES)"
    pages = subprocess.run([sys.executable, "-c", code], cwd=DOCS, capture_output=True, text=True)

    assert pages.stdout.split() == GENERATED


def metrics_of(service: TornadoService) -> dict[str, list[str]]:
    """The labels of all metrics, by name."""
    return {
        collector._name + ("_total" if collector._type == "counter" else ""): [
            *collector._labelnames
        ]
        for collector in service.metrics.registry._collector_to_names
        if isinstance(collector, MetricWrapperBase)
    }


async def test_every_metric_is_in_the_reference(start_service: StartService) -> None:
    web_apps = {"sales": {"command": ["sales", "{port}"]}}
    service = await start_service(
        TornadoService={"apps": ["activity"], "web_apps": web_apps},
        Activity={"database_url": ""},
    )
    page = (DOCS / "reference/metrics.md").read_text()
    rows = re.findall(r"^\| `(tornado_service_\w+)` \|([^|]*)\|", page, re.MULTILINE)

    assert metrics_of(service) == {name: re.findall(r"`(\w+)`", labels) for name, labels in rows}


def test_every_key_of_the_values_is_in_the_reference() -> None:
    page = (DOCS / "reference/helm-values.md").read_text()
    table = page.partition("## Keys")[2].partition("##")[0].replace("NAME", "tornado-service")
    for file in ROOT.glob("values/*.yaml"):
        for key in keys(yaml.safe_load(file.read_text())):
            assert re.search(rf"`[^`]*{re.escape(key)}[^`]*`", table), f"nothing of {key}"


def keys(values: dict[str, dict[str, Any]]) -> list[str]:
    """The keys of a values file: those of the service alone, all others with their path."""
    hub = dict(values.get("hub", {}))
    services = hub.pop("services", {})
    policy = hub.pop("networkPolicy", {})
    return [
        *(f"hub.{key}" for key in hub),
        *(f"hub.networkPolicy.{key}" for key in policy),
        *(f".{key}" if key != "timeout" else key for each in services.values() for key in each),
    ]


#: ``[W … Circuit breaker closed: the Hub API responds again``
LOGGED = re.compile(r"^    \[[IWE] … (.+)$", re.MULTILINE)


@cache
def messages() -> list[list[str]]:
    """The texts of the code, split at placeholders."""
    return [
        re.split(r"%[sdgr]", node.value)
        for file in (ROOT / "tornado_service").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def is_logged(line: str, parts: list[str]) -> bool:
    """Whether a message begins as a line of the documentation, which may omit its end."""
    position = known = 0
    for part in parts:
        text = part.strip()
        found = line.find(text, position)
        if found < 0 or (not position and parts[0] and found):
            break
        position, known = found + len(text), known + len(text)
    else:
        return known >= 12
    return line.endswith("…") and known >= 12


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_the_log_lines_of_a_page_are_those_of_the_code(page: Path) -> None:
    for line in LOGGED.findall(page.read_text()):
        assert any(is_logged(line, parts) for parts in messages()), line
