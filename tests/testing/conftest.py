import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

REPORTS = '''
import json

from traitlets import Integer

from tornado_service import APIHandler, PageHandler, ServiceApp, needs_scopes


class HomePage(PageHandler):
    async def get(self):
        self.write_page("reports.html", titles=self.app.titles[-self.app.limit :])

    async def post(self):
        self.app.titles.append(self.get_body_argument("title"))
        self.redirect(self.app.prefix)


class ReportsAPI(APIHandler):
    async def get(self):
        self.write_json(self.app.titles)

    @needs_scopes("custom:reports:write")
    async def post(self):
        self.app.titles.append(json.loads(self.request.body)["title"])
        self.set_status(201)


class Reports(ServiceApp):
    """What happened on this hub."""

    name = "reports"
    service_scopes = {"list:users"}
    user_scopes = {"custom:reports:write"}
    limit = Integer(10, help="How many are shown.").tag(config=True)

    def handlers(self):
        return [("", HomePage), ("api/reports", ReportsAPI)]

    async def start(self):
        self.titles = []


class NoDatabase(ServiceApp):
    name = "no-database"

    async def start(self):
        raise RuntimeError("no database")
'''

TEMPLATE = """
{% extends "templates/page.html" %}
{% block main %}
<h1>{{ user.name }} reads</h1>
<p>{{ titles | join(", ") }}</p>
{% endblock %}
"""

CONFTEST = """
import pytest

pytest_plugins = ["tornado_service.testing"]


@pytest.fixture
def service_config():
    return {"TornadoService": {"apps": ["reports:Reports"]}, "Reports": {"limit": 2}}
"""


OPTIONS = ("-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider", "--tb=short", "-rs")
ENVIRONMENT = {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"}


class Outcome:
    """The result of a run of an author's tests."""

    def __init__(self, text: str) -> None:
        self.text = text
        summary = text.rstrip().rpartition("\n")[2]
        self.counts = {word: int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", summary)}
        self.counts.pop("s", None)


#: Runs an author's tests, given as files.
Run = Callable[..., Outcome]


@pytest.fixture(params=["auto", "strict"])
def mode(request: pytest.FixtureRequest) -> str:
    """The mode of pytest-asyncio: every coroutine is a test, or only marked ones."""
    mode: str = request.param
    return mode


@pytest.fixture
def run_tests(tmp_path: Path) -> Run:
    """Run the tests of an author with the installed package: warnings are errors."""

    def run_tests(
        tests: str,
        conftest: str = CONFTEST,
        mode: str = "auto",
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        (tmp_path / "reports.py").write_text(REPORTS)
        (tmp_path / "templates").mkdir(exist_ok=True)
        (tmp_path / "templates/reports.html").write_text(TEMPLATE)
        (tmp_path / "conftest.py").write_text(conftest)
        marked = "import pytest\n\npytestmark = pytest.mark.asyncio\n" if mode == "strict" else ""
        (tmp_path / "test_reports.py").write_text(marked + tests)
        (tmp_path / "pytest.ini").write_text(
            f"[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\n"
            "filterwarnings = error\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *OPTIONS],
            cwd=tmp_path,
            env={**os.environ, **ENVIRONMENT, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=180,
        )
        return Outcome(done.stdout + done.stderr)

    return run_tests
