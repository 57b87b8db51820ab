import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.chart import charts
from tests.packaging.chart.charts import HOW, Chart, Object, Values

Render = Callable[..., list[Object]]


@pytest.fixture(scope="session", params=["Z2JH_CHART", "Z2JH_CHART_MAIN"])
def chart(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chart:
    """The chart of the release, and the newest one if available."""
    found = charts.find(request.param, tmp_path_factory.mktemp("chart"))
    if found is None:
        pytest.skip(HOW.replace("Z2JH_CHART", request.param))
    return found


@pytest.fixture
def render(chart: Chart, tmp_path: Path) -> Render:
    """Render values, our overlays by their names and a site's own as maps."""

    def render(*names: str | Values, release: str = "r") -> list[Object]:
        values = []
        for overlay in names:
            values.append(charts.overlay(overlay) if isinstance(overlay, str) else overlay)
            if overlay == "extra-files":
                values.append(charts.FILE)
        return chart.render(*values, release=release, workdir=tmp_path)

    return render


@pytest.fixture(scope="session")
def own_chart() -> Chart:
    """The chart that runs the service in pods of its own."""
    if not shutil.which("helm"):
        pytest.skip(HOW)
    return Chart(charts.OWN)


@pytest.fixture
def render_own(own_chart: Chart, tmp_path: Path) -> Render:
    """Render it with values as maps."""

    def render_own(*values: Values, release: str = "r") -> list[Object]:
        directory = tmp_path / "own"
        directory.mkdir(exist_ok=True)
        return own_chart.render(*values, release=release, workdir=directory)

    return render_own
