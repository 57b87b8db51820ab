from pathlib import Path

import pytest

from tornado_service.values.merge import Values, ValuesError, hub_service, read_files


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
    (lost,) = [value for value in values.replaced if value.path == ("hub", "list")]
    assert (lost.earlier_file, lost.later_file, lost.lost) == ("1", "2", (1,))
    assert not [value for value in values.replaced if value.path == ("hub", "same")]
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


def test_an_empty_file_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert read_files([str(tmp_path / "a")]) == [(str(tmp_path / "a"), {})]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValuesError, match=r"nosuch\.yaml: No such file"):
        read_files([str(tmp_path / "nosuch.yaml")])
