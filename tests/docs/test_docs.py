import re
import subprocess
import sys
from pathlib import Path

import pytest

import tornado_service
from tests.support.api_document import routes_of
from tests.support.writing_an_app import FILES
from tests.support.writing_an_app import TEXT as WRITING_AN_APP
from tornado_service.activity.web.routes import ROUTES
from tornado_service.app import TornadoService
from tornado_service.apps import manager
from tornado_service.apps.isolation import threads, watchdog
from tornado_service.apps.loader import RESERVED_NAMES
from tornado_service.openapi.operations import path_template
from tornado_service.streaming import channel
from tornado_service.streaming.registry import Streams
from tornado_service.testing import StartService, fixtures
from tornado_service.testing import playwright as browser

ROOT = Path(__file__).parents[2]


def test_the_reference_of_settings_is_that_of_the_code(tmp_path: Path) -> None:
    generated = subprocess.run(
        [sys.executable, "-c", "import generate; print(generate.page(), end='')"],
        cwd=ROOT / "docs",
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert (ROOT / "docs/configuration.md").read_text() == generated, "run: make docs"


async def test_every_address_is_in_the_reference(service: TornadoService) -> None:
    api = (ROOT / "docs/api.md").read_text()
    for route in routes_of(service):
        path = re.sub(r"\\(.)", r"\1", route[0]).replace(service.prefix, "P/", 1)
        path = path.replace(service.prefix[:-1], "P").removesuffix("/?").replace("(.*)", "…")
        if path.endswith(".*"):
            continue
        name = "P" if path in ("P", "P/") else path.removeprefix("P").removeprefix("/")
        assert re.search(rf"`{re.escape(name)}[`?/ ]", api), f"docs/api.md says nothing of {path}"


def test_every_address_of_activity_is_in_its_page() -> None:
    page = (ROOT / "docs/activity.md").read_text()
    named = set(re.findall(r"`(api/[^`]+)`", page.partition("## API")[2].partition("##")[0]))
    paths = {path_template(pattern, []) for pattern, *_ in ROUTES}

    assert named - {"api/openapi.json"} == {path for path in paths if "api/" in path}


async def test_every_gauge_of_activity_is_in_its_page(start_service: StartService) -> None:
    page = (ROOT / "docs/activity.md").read_text()
    service = await start_service(
        TornadoService={"apps": ["activity"]}, Activity={"database_url": ""}
    )
    shown = service.metrics.exposition().decode()
    names = set(re.findall(r"^# TYPE (tornado_service_activity_\w+) ", shown, re.MULTILINE))

    assert names
    assert set(re.findall(r"`(tornado_service_activity_\w+)`", page)) == names


PAGES = sorted(
    page
    for part in (".", "docs", "docs/examples/*", "image", "values")
    for page in ROOT.glob(f"{part}/*.md")
)


def prose(page: Path) -> str:
    """A page without its blocks of code, whose comments look like headings."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What a page's headings are called in addresses, by GitHub's rule."""
    headings = re.findall(r"^#+ +(.+)$", prose(page), re.MULTILINE)
    words = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w -]", "", word).replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)[^)]*\)", prose(page)):
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), f"it links to {target}"
        assert not anchor or anchor in anchors(other), f"it links to {target}"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_make_commands_of_a_page_exist(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = " ".join(re.findall(r"^([\w. -]+):", makefile, re.MULTILINE)).split()
    named = set(re.findall(r"(?:`|^ *)make ([\w.-]*\w)", (ROOT / page).read_text(), re.MULTILINE))

    assert {"demo", "test"} & named
    assert named <= set(targets)


def test_the_rules_for_apps_are_those_of_the_code() -> None:
    rules = WRITING_AN_APP.partition("## Rules")[2].partition("## When it breaks")[0]

    for name in RESERVED_NAMES - {"oauth_callback"}:  # which cannot be a name for its underscore
        assert f"`{name}`" in rules
    for number, words in [
        (manager.START_TIMEOUT, "{:g} s at most. The app's addresses"),
        (manager.STOP_TIMEOUT, "{:g} s at most, as part of"),
        (threads.QUEUE_TIMEOUT, "longer than {:g} s for a turn"),
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


def test_all_names_for_authors_are_told() -> None:
    names = WRITING_AN_APP.partition("## Names")[2]

    for name in {*tornado_service.__all__} - {"__version__"}:
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", names), f"the page says nothing of {name}"
    table = WRITING_AN_APP.partition("| fixture | |")[2].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        for name in re.findall(r"`(\w+)", row.split("|")[1]):
            assert hasattr(fixtures, name) or hasattr(browser, name)
