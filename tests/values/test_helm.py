from __future__ import annotations

from pathlib import Path

import pytest

from tests.values.support import stop
from tornado_service.values.app import CheckApp
from tornado_service.values.helm import Values, ValuesError, hub_service, read


def test_maps_merge_lists_replace_null_deletes() -> None:
    values = Values(
        [
            ("1", {"hub": {"a": {"x": 1}, "list": [1, 2], "gone": {"y": 1}, "same": [1]}}),
            ("2", {"hub": {"a": {"y": 2}, "list": [2, 3], "gone": None, "same": [1, 2]}}),
        ]
    )
    assert values.tree["hub"]["a"] == {"x": 1, "y": 2}
    assert values.list("hub", "list") == [2, 3]
    assert values.get("hub", "gone", default="-") == "-"
    (lost,) = [each for each in values.replaced if each.path == ("hub", "list")]
    assert (lost.earlier, lost.later, lost.lost) == ("1", "2", (1,))
    assert not [each for each in values.replaced if each.path == ("hub", "same")]
    assert values.file_of(("hub", "a", "x")) == "1"
    assert values.file_of(("hub", "a", "y")) == "2"
    assert values.file_of(("hub", "a", "z")) == "1"
    assert values.file_of(("nowhere",)) == "2"


@pytest.mark.parametrize(
    ("full_name", "chart_name", "release", "name"),
    [
        ("", None, "", "hub"),
        ("", "x", "r", "hub"),
        ("lab", None, "r", "lab-hub"),
        (None, None, "r", "r-jupyterhub-hub"),
        (None, None, "my-jupyterhub", "my-jupyterhub-hub"),
        (None, "lab", "r", "r-lab-hub"),
        (None, None, "", ""),
    ],
)
def test_the_name_of_the_hubs_service(
    full_name: str | None, chart_name: str | None, release: str, name: str
) -> None:
    assert hub_service(full_name, chart_name, release) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hub: [", "line"),
        ("- a", "no map"),
        ("hub: {labels: {}}\nproxy: {}\nhub: {services: {}}", "line 3: hub stands twice"),
        ("hub: {}\n---\nproxy: {}", "line 2"),
        ("hub: !secret x", "line 1"),
        ("hub:\n\tx: 1", "line 2"),
    ],
)
def test_a_file_that_helm_would_not_take(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError, match=says) as error:
        read(str(file))
    assert "\n" not in str(error.value)
    assert stop(CheckApp, [f"-f{file}"]) == 2


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValuesError, match="no text"):
        read(str(tmp_path / "x"))


def test_an_empty_file_and_merge_keys_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").write_text("x: &x {a: 1, b: 1}\ny: {<<: *x, a: 2}")
    assert read(str(tmp_path / "a")) == {}
    assert read(str(tmp_path / "b"))["y"] == {"a": 2, "b": 1}
