"""The charts, for the tests that render them and those that run them."""

import shutil

import pytest

from tests.packaging.chart import charts
from tests.packaging.chart.charts import HOW, Chart


@pytest.fixture(scope="session", params=["Z2JH_CHART", "Z2JH_CHART_MAIN"])
def chart(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chart:
    """The chart of the release, and the newest one if available."""
    found = charts.find(request.param, tmp_path_factory.mktemp("chart"))
    if found is None:
        pytest.skip(HOW.replace("Z2JH_CHART", request.param))
    return found


@pytest.fixture(scope="session")
def own_chart() -> Chart:
    """The chart that runs the service in pods of its own."""
    if not shutil.which("helm"):
        pytest.skip(HOW)
    return Chart(charts.OWN)
