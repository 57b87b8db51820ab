import re
from pathlib import Path

import pytest

import tornado_service
from tests.support.api_document import routes_of
from tests.support.writing_an_app import FILES
from tests.support.writing_an_app import TEXT as WRITING_AN_APP
from tornado_service import testing
from tornado_service.activity.web.routes import ROUTES
from tornado_service.app import TornadoService
from tornado_service.apps import manager
from tornado_service.apps.isolation import threads, watchdog
from tornado_service.apps.loader import RESERVED_NAMES
from tornado_service.openapi.operations import path_template
from tornado_service.streaming import channel
from tornado_service.streaming.registry import Streams
from tornado_service.testing import fixtures
from tornado_service.testing import playwright as browser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


async def test_every_path_is_in_the_reference(service: TornadoService) -> None:
    api = (DOCS / "reference/http-api.md").read_text()
    for route in routes_of(service):
        path = re.sub(r"\\(.)", r"\1", route[0]).replace(service.prefix, "P/", 1)
        path = path.replace(service.prefix[:-1], "P").removesuffix("/?").replace("(.*)", "…")
        if path.endswith(".*"):
            continue
        name = "P" if path in ("P", "P/") else path.removeprefix("P").removeprefix("/")
        assert re.search(rf"`{re.escape(name)}[`?/ ]", api), f"http-api.md says nothing of {path}"


def test_every_path_of_activity_is_in_its_page() -> None:
    page = (DOCS / "reference/http-api.md").read_text()
    table = page.partition("## Activity")[2].partition("##")[0]
    named = set(re.findall(r"`(api/[^`]+)`", table))
    paths = {path_template(pattern, []) for pattern, *_ in ROUTES}

    assert named == {path for path in paths if "api/" in path}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_make_commands_of_a_page_exist(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = " ".join(re.findall(r"^([\w. -]+):", makefile, re.MULTILINE)).split()
    named = set(re.findall(r"(?:`|^ *)make ([\w.-]*\w)", (ROOT / page).read_text(), re.MULTILINE))

    assert {"demo", "test"} & named
    assert named <= set(targets)


def test_the_rules_for_apps_are_those_of_the_code() -> None:
    rules = (DOCS / "reference/apps.md").read_text()

    for name in RESERVED_NAMES - {"oauth_callback"}:  # no valid name because of its underscore
        assert f"`{name}`" in rules
    for number, words in [
        (manager.START_TIMEOUT, "{:g} s at most. Until it returns"),
        (manager.STOP_TIMEOUT, "{:g} s at most, as part of"),
        (threads.QUEUE_TIMEOUT, "longer than {:g} s for a thread"),
        (channel.MAX_EVENT_SIZE / 1024, "{:g} KiB each"),
        (Streams.per_user.default_value, "`c.Streams.per_user` ({:g})"),
    ]:
        assert words.format(number) in rules
    assert threads.POOL_SIZE == 10
    assert "one of the app's own ten threads" in WRITING_AN_APP
    assert f"after {watchdog.BLOCK_LIMIT:g} s the log names its line" in WRITING_AN_APP


def test_the_readme_has_the_smallest_app() -> None:
    readme = (ROOT / "README.md").read_text()

    assert f"```python\n{FILES['hello.py']}```" in readme
    assert "    tornado-service demo --app=hello:HelloApp\n" in readme


def test_all_names_for_authors_are_documented() -> None:
    names = (DOCS / "reference/apps.md").read_text().partition("## Names to import")[2]
    signatures = (DOCS / "reference/python-api.md").read_text()
    for_tests = (DOCS / "reference/testing-api.md").read_text()

    for name in {*tornado_service.__all__} - {"__version__"}:
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", names), f"apps.md says nothing of {name}"
        assert f":: tornado_service.{name}\n" in signatures, f"python-api.md lacks {name}"
    for name in testing.__all__:
        entry = rf":: tornado_service\.testing\.{name}$|`{name}`"
        assert re.search(entry, for_tests, re.MULTILINE), f"testing-api.md lacks {name}"
    table = WRITING_AN_APP.partition("| fixture | |")[2].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        for name in re.findall(r"`(\w+)", row.split("|")[1]):
            assert hasattr(fixtures, name) or hasattr(browser, name)
