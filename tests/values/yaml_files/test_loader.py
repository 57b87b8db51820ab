import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.helm_yaml import DOCUMENTS, SCALARS
from tests.support.values import stop
from tornado_service.values.cli import CheckApp
from tornado_service.values.merge import Values, ValuesError, read_files
from tornado_service.values.yaml_files.loader import load
from tornado_service.values.yaml_files.writer import scalar


def merged(text: str) -> dict[str, Any]:
    """A file's values, with every number a float as in Helm's JSON."""
    tree = Values(("x", document) for document in load(text)).tree
    return json.loads(json.dumps(tree), parse_int=float)


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_has_helms_value(text: str) -> None:
    value = merged(f"v: {text}\n")["v"]
    assert (type(value), value) == (type(SCALARS[text]), SCALARS[text])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_file_has_helms_values_or_is_refused_as_by_helm(name: str) -> None:
    text, values = DOCUMENTS[name]
    if values is None:
        with pytest.raises(yaml.YAMLError):
            load(text)
    else:
        assert merged(text) == values


def test_a_number_is_an_integer_where_it_can_be() -> None:
    (values,) = load("a: [8181, 1e3, 100.0, 0o17, -0, 1.5]")
    assert [type(number) for number in values["a"]] == [int] * 5 + [float]


def test_the_text_of_what_is_no_text_is_kept() -> None:
    (values,) = load("a: {b: [x, 0012345, yes], c: 1_000}\nd: &d 22:15\ne: ~\nf:\ng: *d")
    assert values.texts == {
        ("a", "b", 1): "0012345",
        ("a", "b", 2): "yes",
        ("a", "c"): "1_000",
        ("e",): "~",
        ("f",): "",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hub: [", "line"),
        ("- a", "line 1: a values file holds a map"),
        ("a: 1\n--- b: 2", "line 2: "),
        ("hub:\n\tx: 1", "line 2: "),
        ("a: 1\n---\nb:\n\tx: 1", "line 4: "),
        ("a: .inf", "line 1: Helm cannot hold infinity or NaN"),
        ("a:\n  ~: 1", "line 2: a key is text"),
        ("a: !!int x", "line 1: this is no int"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: \x01", "not allowed"),
    ],
)
def test_what_helm_cannot_read_is_refused_by_its_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError, match=says) as error:
        read_files([str(file)])
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{file}: ")
    assert stop(CheckApp, [f"-f{file}"]) == 2


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a: \xe9")
    with pytest.raises(ValuesError, match="not a text file in UTF-8"):
        read_files([str(tmp_path / "x")])


def test_documents_of_one_file_are_merged_and_a_lost_list_is_noticed() -> None:
    text = "l: [1]\nm: {a: 1}\n---\nl: [2]\nm: {b: 2}"
    values = Values(("x.yaml", document) for document in load(text))
    assert values.tree == {"l": [2], "m": {"a": 1, "b": 2}}
    assert [(value.earlier_file, value.later_file, value.lost) for value in values.replaced] == [
        ("x.yaml", "x.yaml", (1,))
    ]


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("hub: {labels: {}}\nproxy: {}\nhub: {}", ("hub",), 3),
        ("hub: {}\n---\nhub:\n  a: 1\n  a: 2", ("hub", "a"), 5),
        ('1: a\n"1": b', ("1",), 2),
        ("yes: a\non: b", ("true",), 2),
        ("a: {b: 1, b: 1}", ("a", "b"), 1),
    ],
)
def test_a_key_that_stands_twice_is_noticed(text: str, path: tuple[str, ...], line: int) -> None:
    values = Values(("x.yaml", document) for document in load(text))
    assert values.duplicates == [("x.yaml", path, line)]


def test_a_key_next_to_a_merged_one_stands_once() -> None:
    assert load("a: &a {b: 1}\nc: {<<: *a, b: 2}")[0].duplicates == {}


@pytest.mark.parametrize("text", ["y", "N", "1e3", "0o17", "1_000", "2026-05-26", "22:15", "=", ""])
def test_text_that_we_write_stays_text_for_helm(text: str) -> None:
    values = {text or "x": [text, {text: text}, {"a": {"b": text}}]}
    assert merged(scalar(values)) == values
    assert yaml.safe_load(scalar(values)) == values
