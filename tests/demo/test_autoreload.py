"""Changes of files that restart the service of a demonstration."""

import os
import secrets
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from tornado_service.demo import autoreload as demo_service
from tornado_service.demo.autoreload import WatchedFiles, is_project_path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with an app; the folder above it is named like one of ignored files."""
    package = tmp_path / "static" / f"package_{secrets.token_hex(4)}"
    (package / "pages" / "templates").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "app.py").write_text("def (")
    (package / "pages" / "templates" / "home.html").write_text("before")
    (package / "data.sqlite").write_text("before")
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    # edits of this code must not interfere
    monkeypatch.setattr(
        demo_service, "is_project_path", lambda path: Path(path).is_relative_to(tmp_path)
    )
    for path in package.rglob("*"):
        age(path)
    return package


def age(path: Path, seconds: float = 100) -> None:
    """Set its time of modification this long ago."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def write(path: Path) -> None:
    """Write a file, at a time that the system's coarser clock has not rounded."""
    path.write_text("after")
    os.utime(path, (time.time(), time.time()))


@pytest.fixture
def files(package: Path) -> WatchedFiles:
    files = WatchedFiles([f"{package.name}.app:App"], lambda: True)
    assert files.find_changed() is None
    return files


@pytest.mark.parametrize(
    "name",
    [
        "app.py",
        "__init__.py",
        "new.py",
        "pages/templates/home.html",
        "pages/templates/new.html",
        "../beside.py",
    ],
)
def test_code_and_templates_count_even_if_nothing_could_be_imported(
    files: WatchedFiles, package: Path, name: str
) -> None:
    write(package / name)

    changed = files.find_changed()

    # a new file changes its folder, too
    assert changed
    assert (package / name).resolve().is_relative_to(changed.resolve())


def test_a_file_that_is_replaced_by_an_older_one_has_changed(
    files: WatchedFiles, package: Path
) -> None:
    age(package / "app.py")

    assert files.find_changed() == package / "app.py"


def test_data_of_an_app_do_not_count(files: WatchedFiles, package: Path) -> None:
    write(package / "data.sqlite")
    write(package / "new.log")

    assert files.find_changed() is None


def test_a_file_from_the_future_counts_when_it_is_written_again(
    files: WatchedFiles, package: Path
) -> None:
    write(package / "new.py")
    age(package / "new.py", seconds=-1000)

    assert files.find_changed() is None
    write(package / "new.py")
    assert files.find_changed() == package / "new.py"


@pytest.mark.parametrize("apps", [["nowhere_to_be_found:App"], ["no-entry-point"], [".x:App"], []])
def test_apps_that_are_nowhere_break_nothing(package: Path, apps: list[str]) -> None:
    assert WatchedFiles(apps, lambda: True).find_changed() is None


def test_once_the_apps_are_imported_other_modules_next_to_them_do_not_count(package: Path) -> None:
    files = WatchedFiles([f"{package.name}.app:App"], lambda: False)
    assert files.find_changed() is None

    write(package.parent / "beside.py")
    assert files.find_changed() is None
    write(package / "new.py")
    assert files.find_changed() == package / "new.py"


def test_templates_next_to_a_module_count(package: Path) -> None:
    module = package.parent / f"{package.name}_module.py"
    template = package.parent / "templates" / "home.html"
    template.parent.mkdir()
    for path in (module, template):
        path.write_text("")
        age(path)
    files = WatchedFiles([f"{module.stem}:App"], lambda: False)
    assert files.find_changed() is None

    write(template)

    assert files.find_changed() == template


def test_libraries_are_not_watched(tmp_path: Path) -> None:
    assert is_project_path(str(tmp_path / "app.py"))
    assert not is_project_path(f"{sysconfig.get_path('stdlib')}/json/__init__.py")
    assert not is_project_path(f"{sysconfig.get_path('purelib')}/tornado/web.py")
    assert not is_project_path("/elsewhere/lib/python3/dist-packages/tornado/web.py")
