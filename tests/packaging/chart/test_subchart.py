"""Our values below charts that depend on the chart."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.packaging.chart.charts import Chart, Object, one
from tests.support.values import stop
from tornado_service.values import ValuesApp

PORTS = [8081, 8181]


def above(chart: Chart, directory: Path, name: str, alias: str = "") -> Chart:
    """A chart that depends on another one."""
    (directory / "charts").mkdir(parents=True)
    copy = shutil.copytree if chart.path.is_dir() else shutil.copy
    copy(chart.path, directory / "charts" / chart.path.name)
    dependency = {"name": "jupyterhub", "version": ">=0.0.0-0", "repository": ""}
    if chart.path.name == "binderhub":
        dependency["name"] = "binderhub"
    if alias:
        dependency["alias"] = alias
    about = {"apiVersion": "v2", "name": name, "version": "1.0.0", "dependencies": [dependency]}
    (directory / "Chart.yaml").write_text(yaml.safe_dump(about))
    return Chart(directory)


def rendered(
    chart: Chart, workdir: Path, capsys: pytest.CaptureFixture[str], *argv: str
) -> list[Object]:
    """The objects that Helm renders with the values of the command."""
    assert stop(ValuesApp, list(argv)) == 0
    return chart.render(yaml.safe_load(capsys.readouterr().out), workdir=workdir)


def ports(objects: list[Object], name: str = "hub") -> list[int]:
    return [port["port"] for port in one(objects, "Service", name)["spec"]["ports"]]


def test_below_two_charts(chart: Chart, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    binder = above(chart, tmp_path / "binderhub", "binderhub")
    mine = above(binder, tmp_path / "mine", "mine")
    objects = rendered(mine, tmp_path, capsys, "--parent=binderhub.jupyterhub")
    assert ports(objects) == PORTS
    assert ports(rendered(mine, tmp_path, capsys)) == [8081]


def test_below_an_alias(chart: Chart, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = above(chart, tmp_path / "mine", "mine", alias="staging")
    site = tmp_path / "site.yaml"
    site.write_text("staging: {fullnameOverride: null, hub: {pdb: {enabled: false}}}")
    argv = [f"--site={site}", "--fullname-override=null", "--release=r"]
    assert stop(ValuesApp, argv) == 0
    ours = yaml.safe_load(capsys.readouterr().out)
    objects = mine.render(ours, yaml.safe_load(site.read_text()), workdir=tmp_path)
    assert ports(objects, "r-staging-hub") == PORTS
    labels = one(objects, "Deployment", "r-staging-hub")["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "hub"
