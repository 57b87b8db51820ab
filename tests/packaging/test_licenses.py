"""Files from npm have the licence files that they name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOOK = ast.parse((ROOT / "hatch_build.py").read_text())
(COPIED,) = (
    ast.literal_eval(statement.value)
    for statement in HOOK.body
    if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "COPIED"
)
FILES = [Path(ROOT, folder, Path(file).name) for file, folder in COPIED]
CODE = [file for file in FILES if file.suffix in (".js", ".css")]

#: Comments that bundlers keep: those with an exclamation mark, and the first of a file.
COMMENT = re.compile(r"\A\s*/\*.*?\*/|\A(?://[^\n]*\n)+|/\*!.*?\*/", re.DOTALL)
POINTER = re.compile(r"see (?:the )?(?:file )?(\S*LICEN[SC]E[\w.]*)", re.IGNORECASE)


def named_files(code: Path) -> list[str]:
    comments = COMMENT.findall(code.read_text())
    return [name for comment in comments for name in POINTER.findall(comment)]


@pytest.mark.parametrize("code", CODE, ids=lambda file: file.name)
def test_the_licence_files_that_it_names_are_there(code: Path) -> None:
    for name in named_files(code):
        assert Path(code.parent, name).is_file(), name
    assert Path(code.parent, "LICENSE").is_file()


def test_there_is_one_that_names_a_file() -> None:
    assert any(map(named_files, CODE))


@pytest.mark.parametrize(
    ("bundle", "packages"),
    [
        ("d3", ["d3-delaunay", "d3-ease", "d3-geo", "d3-scale-chromatic", "delaunator"]),
        ("plot", ["binary-search-bounds", "interval-tree-1d", "isoformat"]),
    ],
)
def test_packages_within_a_bundle_have_theirs(bundle: str, packages: list[str]) -> None:
    """The bundles leave their notices out."""
    for package in packages:
        text = (ROOT / "tornado_service/activity/static" / bundle / package / "LICENSE").read_text()
        assert "Copyright" in text
