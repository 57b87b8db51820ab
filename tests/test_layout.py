"""The location of code and its tests, as documented in CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGE = ROOT / "tornado_service"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

#: The table of CONTRIBUTING.md: modules whose tests have another name.
TESTED_ELSEWHERE = dict(
    re.findall(r"^\| `(\S+\.py)` \| `(\S+\.py)` \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
)


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def mirror_of(module: Path) -> Path:
    """The path of a module's tests, unless the table has another."""
    path = module.relative_to(PACKAGE)
    return ROOT / "tests" / path.parent / f"test_{path.stem.strip('_')}.py"


def test_each_module_has_tests_of_its_name_or_is_in_the_table() -> None:
    nameless = {
        str(module.relative_to(PACKAGE))
        for module in MODULES
        if lines(module) >= 40 and not mirror_of(module).exists()
    }

    assert nameless - TESTED_ELSEWHERE.keys() == set(), "add tests of its name, or a row"


@pytest.mark.parametrize(("module", "test"), TESTED_ELSEWHERE.items())
def test_each_row_of_the_table_is_true_and_needed(module: str, test: str) -> None:
    assert (PACKAGE / module).exists()
    assert (ROOT / "tests" / test).exists()
    assert not mirror_of(PACKAGE / module).exists()


def test_no_folder_of_the_package_has_more_than_12_modules() -> None:
    folders = [module.parent for module in MODULES]
    top = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]

    assert {folder for folder in folders if folders.count(folder) > 12} <= {PACKAGE}
    assert len(top) <= 28


@pytest.mark.parametrize("files", [MODULES, TESTS], ids=["modules", "tests"])
def test_no_file_has_more_than_320_lines(files: list[Path]) -> None:
    assert {str(file): lines(file) for file in files if lines(file) > 320} == {}


def test_tests_import_nothing_from_other_tests() -> None:
    imports = re.compile(r"^\s*(?:from|import) tests\.\S*\btest_\w+", re.MULTILINE)

    assert {str(test): imports.findall(test.read_text()) for test in TESTS} == {
        str(test): [] for test in TESTS
    }
