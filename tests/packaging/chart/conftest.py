from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.chart import charts
from tests.packaging.chart.charts import Chart, Object, Values

Render = Callable[..., list[Object]]


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


@pytest.fixture
def render_own(own_chart: Chart, tmp_path: Path) -> Render:
    """Render it with values as maps."""

    def render_own(*values: Values, release: str = "r") -> list[Object]:
        directory = tmp_path / "own"
        directory.mkdir(exist_ok=True)
        return own_chart.render(*values, release=release, workdir=directory)

    return render_own
