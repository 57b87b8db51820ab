"""The check's data about the chart equal those of the chart and Helm."""

from pathlib import Path

import pytest

from tests.packaging.chart.charts import HOW, Chart, Values, find
from tests.packaging.chart.generate import OFF, defaults_of, keys_of, nested, refusal, schema_of
from tests.support.values import check
from tornado_service.values.chart import chart_data


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Chart:
    """The chart of the data."""
    found = find("Z2JH_CHART", tmp_path_factory.mktemp("chart"))
    if found is None:
        pytest.skip(HOW)
    return found


def test_the_schema_and_the_defaults_are_the_charts(release: Chart) -> None:
    assert schema_of(release) == chart_data.SCHEMA
    assert defaults_of(release) == chart_data.DEFAULTS


@pytest.mark.parametrize(
    "section", sorted({*chart_data.SCHEMA["properties"], *chart_data.DEFAULTS})
)
def test_helm_fails_over_the_empty_keys_that_the_check_names(
    release: Chart, tmp_path: Path, section: str
) -> None:
    """Each key of the chart, with null as its value."""
    # its null makes keys required that --set may bring
    paths = set(keys_of(release)) - {("imagePullSecret", "create")}
    for path in [path for path in paths if path[0] == section]:
        null = nested(path, None)
        key = ".".join(path)
        findings = check([("x", null)])
        named = [item.key for item in findings if item.consequence.startswith("Helm ")]
        refused = refusal(release, tmp_path, null)
        assert bool(named) == bool(refused), (key, named, refused)


@pytest.mark.parametrize(("conditions", "on"), OFF, ids=lambda keys: ".".join(keys))
def test_what_a_part_needs_once_it_is_on(
    release: Chart, tmp_path: Path, conditions: Values, on: Values
) -> None:
    needed = [key for key, needs in chart_data.REQUIRED_KEYS.items() if needs == conditions]
    for key in needed:
        null = nested(tuple(key.split(".")), None)
        assert refusal(release, tmp_path, on, null) == "template"
        assert key in [finding.key for finding in check([("x", on), ("y", null)])]
    assert not refusal(release, tmp_path, on)
