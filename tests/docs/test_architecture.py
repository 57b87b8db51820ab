"""The architecture page: its hops are in the code, its layers are those enforced."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/architecture.md").read_text()
#: `` `web/api.py:UserHandler.get` ``
HOP = re.compile(r"`([a-z_/]+\.(?:py|js|html)):([\w.-]+)`")
WAYS = re.findall(r"^### \((\w)\) (.*?)\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE)


@cache
def source(file: str) -> str:
    return (ROOT / "tornado_service" / file).read_text()


@cache
def definitions(file: str) -> frozenset[str]:
    """Functions and classes of a module, methods as ``Class.method``."""

    def walk(node: ast.AST, prefix: str) -> list[str]:
        names = []
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names += [prefix + child.name, *walk(child, f"{prefix}{child.name}.")]
        return names

    return frozenset(walk(ast.parse(source(file)), ""))


def test_the_six_request_flows_are_documented() -> None:
    assert [letter for letter, _, _ in WAYS] == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(("letter", "title", "text"), WAYS)
def test_each_hop_is_in_the_code(letter: str, title: str, text: str) -> None:
    hops = HOP.findall(text)

    assert len(hops) >= 4
    for file, name in hops:
        if file.endswith(".py"):
            assert name in definitions(file), f"{file} has no {name}"
        else:
            assert name in source(file)


@pytest.mark.parametrize(("letter", "title", "text"), WAYS)
def test_each_hop_is_called_by_the_previous_one(letter: str, title: str, text: str) -> None:
    """In the list of a flow, unless its line names a library in between."""
    steps = re.findall(r"^\d+\. (.*?)(?=^\d+\. |\Z)", text, re.DOTALL | re.MULTILINE)
    before = ""
    for step in steps:
        hop = HOP.match(step)
        assert hop, step
        file, name = hop.groups()
        called = name.rpartition(".")[2]
        if called == "__init__":
            called = name.split(".")[-2]
        if before and "(called" not in step:
            assert re.search(rf"\b{called}\b", source(before)), f"{before} does not call {called}"
        before = file


def test_an_api_token_takes_ten_hops_at_most() -> None:
    (text,) = [text for letter, _, text in WAYS if letter == "a"]
    assert len(re.findall(r"^\d+\. ", text, re.MULTILINE)) <= 10


def test_the_diagram_has_the_layers_that_are_enforced() -> None:
    config = (ROOT / "pyproject.toml").read_text()
    (block,) = re.findall(r'type = "layers".*?layers = \[(.*?)\]', config, re.DOTALL)
    layers = re.findall(r'"(.*?)"', block)
    (picture,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    rows = [re.split(r"\s{2,}", line)[1] for line in picture.splitlines()]

    assert [set(row.split(" · ")) for row in rows] == [
        set(re.split(r" [:|] ", layer)) for layer in layers
    ]
