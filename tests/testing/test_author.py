"""An author tests an app with our fixtures, in a project of their own."""

import subprocess
import sys

import pytest

from tests.testing.conftest import CONFTEST, Run

ALL_WELL = """
import json


async def test_only_writers_report(fetch, hub):
    reader = hub.token_for("sam")
    writer = hub.token_for("ada", scopes=("custom:reports:write",))
    report = {"method": "POST", "json": {"title": "x"}}

    assert (await fetch("reports/api/reports", **report)).code == 401
    assert (await fetch("reports/api/reports", token=reader, **report)).code == 403
    assert (await fetch("reports/api/reports", token=writer, **report)).code == 201
    assert json.loads((await fetch("reports/api/reports", token=reader)).body) == ["x"]


async def test_the_form_is_taken(visitor):
    answer = await visitor.post("reports/", {"title": "Disk is full"})

    assert answer.code == 200
    assert "<h1>ada reads</h1>" in visitor.page
    assert "<p>Disk is full</p>" in visitor.page


async def test_a_script_needs_the_scope_too(visitor):
    answer = await visitor.fetch("reports/api/reports", method="POST", json={"title": "x"})

    assert answer.code == 403
    assert (await visitor.fetch("reports/api/reports")).code == 200


async def test_two_people(new_visitor):
    sam, kim = new_visitor("sam"), new_visitor("kim")
    for title in ("one", "two", "three"):
        await sam.post("reports/", {"title": title})

    await kim.open("reports/")

    assert "<h1>kim reads</h1>" in kim.page
    assert "<p>two, three</p>" in kim.page


async def test_the_app_itself(service):
    (mount,) = service.app_manager

    assert mount.app.titles == []


async def test_other_settings(start_service, hub, client):
    service = await start_service(
        TornadoService={"apps": ["reports:Reports"]}, Reports={"limit": 1}
    )

    assert next(iter(service.app_manager)).app.limit == 1
    assert hub.service_scopes == {"list:users"}


async def test_the_hub_is_away(fetch, hub):
    hub.fault = "error"

    assert (await fetch("reports/", token=hub.token_for("sam"))).code == 503
"""


def test_the_fixtures_serve_an_app(run_tests: Run, mode: str) -> None:
    outcome = run_tests(ALL_WELL, mode=mode)

    assert outcome.counts == {"passed": 7}, outcome.text


def test_a_conftest_may_import_the_types_first(run_tests: Run) -> None:
    conftest = (
        "from tornado_service.testing import Fetch, ServiceConfig, StandInHub, Visitor\n" + CONFTEST
    )

    assert run_tests(ALL_WELL, conftest).counts == {"passed": 7}


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ("reports:NoDatabase", "RuntimeError: no database"),
        ("reports:Nothing", "reports has no Nothing"),
        ("report:Reports", "No module named 'report'. Is it installed where the service runs?"),
    ],
)
def test_a_broken_app_is_an_error_with_the_reason(run_tests: Run, app: str, reason: str) -> None:
    outcome = run_tests(
        "async def test_the_page(fetch):\n    assert (await fetch('reports/')).code == 200\n",
        CONFTEST.replace('["reports:Reports"]', f'["reports:Reports", "{app}"]'),
    )

    assert outcome.counts == {"error": 1}, outcome.text
    errors = outcome.text.partition("= ERRORS =")[2].partition("Captured stderr")[0].splitlines()
    assert len(errors) == 4, "nothing of ours is between the test and the reason"
    assert errors[2].startswith(f"{app} does not run: ")
    assert reason in errors[2]


def test_a_test_may_request_a_broken_app(run_tests: Run, mode: str) -> None:
    tests = """
import pytest
from tornado_service.testing import AppError


async def test_a_wrong_limit_is_told(start_service):
    with pytest.raises(AppError, match="'limit' trait"):
        await start_service(
            TornadoService={"apps": ["reports:Reports"]}, Reports={"limit": "many"}
        )


async def test_others_run_on(start_service, client):
    service = await start_service(load=False, TornadoService={"apps": ["reports:NoDatabase"]})
    await service.app_manager.load()
    home = f"http://127.0.0.1:{service.port}{service.prefix}"

    assert (await client.fetch(home + "health")).code == 200
    assert (await client.fetch(home + "no-database/", raise_error=False)).code == 503
"""
    outcome = run_tests(tests, mode=mode)

    assert outcome.counts == {"passed": 2}, outcome.text


def test_a_failed_test_is_reported_with_the_log(run_tests: Run) -> None:
    outcome = run_tests(
        "async def test_the_page(fetch):\n    assert (await fetch('reports/')).code == 200\n"
    )

    assert outcome.counts == {"failed": 1}
    assert "assert 302 == 200" in outcome.text
    assert "302 GET /services/tornado-service/reports/" in outcome.text


def test_nothing_is_left_behind(run_tests: Run) -> None:
    conftest = """
import logging
import os
import threading
from pathlib import Path

LOGGERS = ("", "TornadoService", "tornado", "tornado.application", "tornado.access")


def state():
    loggers = [logging.getLogger(name) for name in LOGGERS]
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return {
        "environment": {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"},
        "folder": os.getcwd(),
        "threads": {thread.name for thread in threading.enumerate()},
        "files": sorted(path.name for path in Path().iterdir() if path.name != "__pycache__"),
        "sockets": sum(os.readlink(link).startswith("socket:") for link in links),
        "loggers": [(log.level, log.handlers[:], log.filters[:], log.parent) for log in loggers],
    }


def pytest_sessionstart(session):
    logging.getLogger("TornadoService")
    session.config.state = state()


def pytest_sessionfinish(session):
    from tornado_service.app import TornadoService
    from tornado_service.auth.service_auth import ServiceAuth

    assert not TornadoService.initialized() and not ServiceAuth.initialized()
    now = state()
    assert now == session.config.state
    print("as it was")
"""
    theirs = {"JUPYTERHUB_HOST": "https://of-the-author.example", "JUPYTERHUB_API_TOKEN": "x"}

    outcome = run_tests(ALL_WELL, conftest + CONFTEST, environment=theirs)

    assert "as it was" in outcome.text, outcome.text
    assert outcome.counts == {"passed": 7}


def test_missing_programs_for_a_real_hub_skip_tests_and_are_reported(run_tests: Run) -> None:
    conftest = "from tornado_service.demo import proxy\nproxy.installed_proxy = lambda: []\n"
    tests = (
        "def test_in_a_real_hub(real_hub): ...\n"
        "def test_in_a_hub_of_its_own(start_hub): ...\n"
        "def test_in_a_browser(signed_in_page): ...\n"
    )

    outcome = run_tests(tests, conftest + CONFTEST)

    assert outcome.counts == {"skipped": 3}, outcome.text
    assert "npm install --global configurable-http-proxy" in outcome.text


def test_without_playwright_a_test_in_a_browser_is_skipped_with_the_reason(run_tests: Run) -> None:
    conftest = "import sys\nsys.modules['playwright'] = None\n"
    tests = "def test_in_a_browser(chromium): ...\n"

    outcome = run_tests(tests, conftest + CONFTEST)

    assert outcome.counts == {"skipped": 1}, outcome.text
    assert "pip install 'tornado-service[test-browser]'" in outcome.text


REAL = """
import json


async def test_in_a_real_hub(real_hub, browse, client):
    visitor = browse(real_hub)
    await visitor.sign_in("reports/", "sam")
    await visitor.post("reports/", {"title": "Disk is full"})
    assert "<h1>sam reads</h1>" in visitor.page
    assert "<p>Disk is full</p>" in visitor.page

    def post(token):
        return client.fetch(
            real_hub.service_public_url + "reports/api/reports",
            method="POST",
            body=json.dumps({"title": "x"}),
            headers={"Authorization": f"token {token}"},
            raise_error=False,
        )

    assert (await post(real_hub.token_for("ada", ["custom:reports:write"]))).code == 201
    assert (await post(real_hub.token_for("sam"))).code == 403
    assert [user["name"] for user in real_hub.ask("GET", "users")]
"""

BROWSER = """
def test_in_a_browser(signed_in_page, complaints):
    signed_in_page.goto("reports/")
    assert "ada reads" in signed_in_page.content()
    assert complaints == []


def test_a_student_in_a_browser(open_page):
    assert "sam reads" in open_page("reports/", "sam").content()
"""


@pytest.mark.hub
@pytest.mark.browser
def test_an_app_in_a_real_hub_and_a_browser(run_tests: Run) -> None:
    outcome = run_tests(REAL + BROWSER)

    assert outcome.counts == {"passed": 3}, outcome.text


@pytest.mark.hub
def test_a_broken_app_in_a_real_hub_is_reported_with_the_reason(run_tests: Run) -> None:
    outcome = run_tests(
        "def test_in_a_real_hub(real_hub): ...",
        CONFTEST.replace('["reports:Reports"]', '["reports:Reports", "reports:NoDatabase"]'),
    )

    assert outcome.counts == {"error": 1}, outcome.text
    assert "reports:NoDatabase does not run: RuntimeError: no database" in outcome.text


def test_the_service_never_loads_what_is_for_tests() -> None:
    code = (
        "import sys, tornado_service.app, tornado_service.demo.command, tornado_service.values\n"
        "print([name for name in sys.modules"
        " if name.startswith(('pytest', '_pytest', 'tornado_service.testing'))])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "[]\n"


def test_the_stand_in_hub_needs_no_pytest() -> None:
    code = "import sys, tornado_service.testing; print('pytest' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "False\n"
