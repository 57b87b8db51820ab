"""The page of recipes; tests/web_apps starts its entries, where their frameworks are installed."""

import re

import pytest

from tests.support import ROOT
from tests.web_apps.recipes import GUIDE, HERE, blocks, read_recipes
from tornado_service.proxy.options import PLACEHOLDERS, Options
from tornado_service.proxy.settings import make_web_app_class

RECIPES = read_recipes()


@pytest.mark.parametrize("name", RECIPES)
def test_the_options_are_valid(name: str) -> None:
    assert make_web_app_class(name, RECIPES[name]).name == name


@pytest.mark.parametrize("name", RECIPES)
def test_it_is_started_by_a_test(name: str) -> None:
    assert f'open_app("{name}"' in (HERE / f"test_{name}.py").read_text()


def test_all_apps_have_one() -> None:
    assert {path.name.removeprefix("test_") for path in HERE.glob("test_*.py")} == {
        f"{name}.py" for name in RECIPES
    }


def test_the_app_for_fastapi_is_the_one_that_is_tested() -> None:
    assert (HERE / "fastapi/app.py").read_text() in blocks()


def test_the_settings_for_django_are_those_that_are_tested() -> None:
    shown = next(block for block in blocks() if "WHITENOISE" in block)
    settings = (HERE / "django/shop/settings.py").read_text()
    for line in ("STATIC_URL = ", "WHITENOISE_STATIC_PREFIX = ", "WHITENOISE_USE_FINDERS = "):
        (assignment,) = [each for each in shown.splitlines() if each.startswith(line)]
        assert assignment in settings


def test_the_environments_are_no_part_of_the_repository() -> None:
    assert ".venv*/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_guide_has_all_keys_and_placeholders() -> None:
    keys, placeholders = re.findall(r"^\| --- .*?\n\n", GUIDE.read_text(), re.M | re.S)[:2]
    first = [row.split("|")[1] for row in keys.splitlines() if row]
    assert set(re.findall(r"`(\w+)`", "".join(first))) == set(Options.model_fields)
    assert set(re.findall(r"^\| `\{(\w+)\}`", placeholders, re.M)) == set(PLACEHOLDERS)
