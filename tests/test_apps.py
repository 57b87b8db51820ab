"""Apps: what runs, what is refused, and that one that is broken breaks nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import tornado_service
from tests.conftest import PREFIX, Fetch, make_config
from tests.test_config import ENVIRONMENT
from tests.visitor import BROWSER, SCRIPT
from tornado_service import ServiceApp, mounts
from tornado_service.app import TornadoService
from tornado_service.config import ConfigError
from tornado_service.handlers.base import METHODS
from tornado_service.testing.stand_in_hub import StandInHub

StartApps = Callable[..., Awaitable[TornadoService]]

GOOD = '''
import asyncio
from traitlets import Integer
from tornado_service import APIHandler, PageHandler, ServiceApp, allow_unauthenticated, needs_scopes


class Home(PageHandler):
    def get(self):
        self.write_page("reports.html", limit=self.app.limit)


class Items(APIHandler):
    def get(self, number="0"):
        self.write_json({"limit": self.app.limit, "number": number})

    @needs_scopes("custom:reports:write")
    def post(self, number="0"):
        self.write_json({"user": self.current_user["name"]})


class Fails(PageHandler):
    def get(self):
        raise RuntimeError("the database's password is 1234")


class Open(APIHandler):
    @allow_unauthenticated
    def get(self):
        self.write_json({})


class Reports(ServiceApp):
    """Reports of use."""

    name = "reports"
    title = "Reports of <use>"
    service_scopes = {"list:users"}
    limit = Integer(3, help="How many reports are shown.").tag(config=True)
    events = []

    def handlers(self):
        return [("", Home), ("api/items", Items), (r"api/items/(\\d+)|x", Items), ("fails", Fails),
                ("open", Open)]

    async def start(self):
        self.events.append("start")

    async def stop(self):
        self.events.append("stop")


class Admins(ServiceApp):
    name = "admins"

    class Home(PageHandler):
        @needs_scopes("admin:users")
        def get(self):
            self.write("for admins")

    def handlers(self):
        return [("", self.Home)]


class Headless(ServiceApp):
    name = "headless"
'''

TEMPLATE = """
{% extends "templates/page.html" %}
{% block main %}<h1>{{ app_title }}</h1><p>{{ limit }} of {{ user.name }} at {{ app_prefix }}</p>
<img src="{{ app_static_url('deep/chart.svg') }}">{% endblock %}
"""

BROKEN = """
import asyncio
import sys
import time
from tornado_service import PageHandler, ServiceApp
from tornado.web import RequestHandler


class StartRaises(ServiceApp):
    name = "start-raises"

    async def start(self):
        raise RuntimeError("no database")


class StartExits(ServiceApp):
    name = "start-exits"

    async def start(self):
        sys.exit(3)


class StartHangs(ServiceApp):
    name = "start-hangs"

    async def start(self):
        while True:
            try:
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                if asyncio.get_running_loop().time() > END:
                    raise


class HandlersRaise(ServiceApp):
    name = "handlers-raise"

    def handlers(self):
        return [("", Nothing)]


class HandlersHang(ServiceApp):
    name = "handlers-hang"

    def handlers(self):
        time.sleep(3)
        return []


class Unsigned(ServiceApp):
    name = "unsigned"

    def handlers(self):
        return [("", RequestHandler)]


class Slash(ServiceApp):
    name = "slash"

    def handlers(self):
        return [("/", PageHandler)]


class Group(ServiceApp):
    name = "group"

    def handlers(self):
        return [("a)|(?:.*", PageHandler)]


class NoTuple(ServiceApp):
    name = "no-tuple"

    def handlers(self):
        return [PageHandler]


class Again(ServiceApp):
    name = "reports"


class BadName(ServiceApp):
    name = "Bad_Name"


class Core(ServiceApp):
    name = "api"


class Nameless(ServiceApp):
    pass


class Scopes(ServiceApp):
    name = "scopes"
    service_scopes = "list:users"


class Plain:
    name = "plain"


Other = StartRaises
END = 0
"""

FAILED_ALONE = {
    "StartRaises": "RuntimeError: no database",
    "StartExits": "SystemExit in start()",
    "StartHangs": "start() takes more than 0.5 s.",
    "HandlersRaise": "NameError: name 'Nothing' is not defined",
    "HandlersHang": "handlers() takes more than 0.5 s.",
    "Unsigned": "neither a PageHandler nor an APIHandler",
    "Slash": "the path '/': write it without / or ^",
    "Group": "no regular expression",
    "NoTuple": "where (path, handler) is expected",
}
FAILED_UNNAMED = {
    "Again": "good_apps:Reports has the name reports, too: only that one runs.",
    "BadName": "BadName.name is 'Bad_Name': it takes a-z, 0-9 and - only.",
    "Core": "Core.name is 'api', an address of the service itself.",
    "Nameless": "Nameless.name is ''",
    "Scopes": "Scopes.service_scopes is no set",
    "Plain": "is no subclass of tornado_service.ServiceApp",
    "Missing": "broken_apps has no Missing",
    "Other": "is another name of StartRaises",
}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that modules are imported from: good and broken apps."""
    (tmp_path / "good_apps").mkdir()
    (tmp_path / "good_apps/__init__.py").write_text(GOOD)
    (tmp_path / "good_apps/templates").mkdir()
    (tmp_path / "good_apps/templates/reports.html").write_text(TEMPLATE)
    (tmp_path / "good_apps/static/deep").mkdir(parents=True)
    (tmp_path / "good_apps/static/deep/chart.svg").write_text("<svg/>")
    (tmp_path / "broken_apps.py").write_text(BROKEN)
    (tmp_path / "raises_app.py").write_text("raise ValueError('password=1234 is wrong')")
    (tmp_path / "exits_app.py").write_text("import sys; sys.exit(1)")
    (tmp_path / "syntax_app.py").write_text("class App(\n")
    monkeypatch.syspath_prepend(tmp_path)
    ours = ("good_apps", "broken_apps", "raises_app", "exits_app", "slow_app", "apps_in_zip")
    yield tmp_path
    for name in ours:
        sys.modules.pop(name, None)
    tornado_service.handlers.ops.static_files.cache_clear()


@pytest.fixture
def start_apps(start_service: StartApps, modules: Path) -> StartApps:
    """Start the service with these apps, and wait until each is ready or has failed."""

    async def start(*specs: str, **settings: Any) -> TornadoService:
        ours = {"apps": list(specs), **settings.pop("TornadoService", {})}
        service = await start_service(TornadoService=ours, **settings)
        await service.mounts.load()
        return service

    return start


@pytest.fixture
async def service(start_apps: StartApps) -> TornadoService:
    return await start_apps("good_apps:Reports", "good_apps.Admins", "good_apps:Headless")


def states(service: TornadoService) -> dict[str, str]:
    return {each["app"].rpartition(":")[2]: each["state"] for each in service.mounts.describe()}


def reasons(service: TornadoService) -> dict[str, str]:
    return {each["app"].rpartition(":")[2]: each["reason"] for each in service.mounts.describe()}


async def test_a_page_has_the_apps_templates_and_static_files(
    hub: StandInHub, fetch: Fetch
) -> None:
    answer = await fetch("reports/", token=hub.token_for("sam"), headers=BROWSER)

    page = answer.body.decode()
    assert answer.code == 200
    assert "<h1>Reports of &lt;use&gt;</h1>" in page
    assert f"3 of sam at {PREFIX}reports/" in page
    assert f"{PREFIX}static/service." in page, "the look of the service"
    source = page.partition('img src="/')[2]
    source = page.partition(f'<img src="{PREFIX}reports/')[2].partition('"')[0]
    image = await fetch(f"reports/{source}")
    assert (image.code, image.body) == (200, b"<svg/>")
    assert "immutable" in image.headers["Cache-Control"]
    assert image.headers["Content-Type"] == "image/svg+xml"
    assert (await fetch("reports/static/deep%2Fchart.svg")).code == 200
    assert (await fetch("reports/static/../__init__.py")).code == 404


async def test_an_api_its_groups_and_scopes(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("sam")
    writer = hub.token_for("sam", ("custom:reports:write",))

    assert json.loads((await fetch("reports/api/items/7", token=token)).body)["number"] == "7"
    assert (await fetch("reports/api/items", token=token, method="POST", body="")).code == 403
    assert (await fetch("reports/api/items", token=writer, method="POST", body="")).code == 200
    assert (await fetch("reports/api/items", token=token, method="DELETE")).code == 405
    assert (await fetch("admins/", token=token)).code == 403
    missing = await fetch("reports/api/nothing", token=token, headers=BROWSER)
    assert missing.code == 404
    assert json.loads(missing.body)["status"] == 404
    assert (await fetch("reports/nothing", token=token)).code == 404
    assert (await fetch("nothing/", token=token)).code == 404


async def test_strangers_may_use_what_an_app_opens_and_nothing_else(
    service: TornadoService, fetch: Fetch
) -> None:
    reached = set()
    for mount in service.mounts:
        for route in mount.routes:
            below = route.path.replace(r"(\d+)|x", "1").replace("(.*)", "deep/chart.svg")
            path = f"{mount.name}/{below}"
            for method in METHODS:
                body = "" if method in ("POST", "PUT", "PATCH") else None
                answer = await fetch(path, method=method, body=body, headers=SCRIPT)
                if answer.code not in (401, 405):
                    reached.add((method, f"{mount.name}/{route.path}"))

    assert reached == {
        (method, path)
        for path in ("reports/open", *(f"{mount.name}/static/(.*)" for mount in service.mounts))
        for method in ("GET", "HEAD")
    }
    assert (await fetch("reports/", headers=BROWSER)).code == 302


async def test_an_address_without_its_slash_leads_to_the_app(fetch: Fetch) -> None:
    answer = await fetch("reports")

    assert (answer.code, answer.headers["Location"]) == (302, f"{PREFIX}reports/")


async def test_an_error_of_an_app_is_shown_as_ours_are(
    service: TornadoService, hub: StandInHub, fetch: Fetch
) -> None:
    answer = await fetch("reports/fails", token=hub.token_for("sam"), headers=BROWSER)
    assert answer.code == 500
    assert "500 : Internal Server Error" in answer.body.decode()
    assert b"password" not in answer.body

    # counted by the app's name and the handler's
    counted = service.metrics.exposition().decode()
    assert 'handler="reports.Fails",method="GET",status="500"' in counted


async def test_the_home_page_lists_what_the_caller_may_open(hub: StandInHub, fetch: Fetch) -> None:
    sam = (await fetch("", token=hub.token_for("sam"))).body.decode()
    ada = (await fetch("", token=hub.token_for("ada", ("admin:users",)))).body.decode()

    assert f'<a href="{PREFIX}reports/">Reports of &lt;use&gt;</a>' in sam
    assert f"{PREFIX}admins/" not in sam
    assert f"{PREFIX}admins/" in ada
    assert f"{PREFIX}headless/" not in ada


async def test_an_app_is_the_home_page_of_those_who_may_open_it(
    start_apps: StartApps, hub: StandInHub, client
) -> None:
    service = await start_apps(
        "good_apps:Reports", "good_apps:Admins", TornadoService={"home_app": "admins"}
    )

    async def home(*scopes: str):
        headers = {"Authorization": f"token {hub.token_for('ada', scopes)}"}
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{PREFIX}",
            headers=headers,
            follow_redirects=False,
            raise_error=False,
        )

    answer = await home("admin:users")
    assert (answer.code, answer.headers["Location"]) == (302, f"{PREFIX}admins/")
    assert (await home()).code == 200


async def test_settings_reach_the_app(start_apps: StartApps) -> None:
    service = await start_apps("good_apps:Reports", Reports={"limit": 5})

    (mount,) = service.mounts
    assert mount.app.limit == 5
    assert "list:users" in service.selfcheck.needed


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"limti": 5}, "c.Reports.limti: there is no such setting. Did you mean c.Reports.limit?"),
        ({"limit": "many"}, "'limit' trait of a Reports instance"),
    ],
)
async def test_a_wrong_setting_fails_its_app_only(
    start_apps: StartApps, settings: dict[str, Any], said: str
) -> None:
    service = await start_apps("good_apps:Reports", "good_apps:Admins", Reports=settings)

    assert states(service)["Reports"] == "failed"
    assert said in reasons(service)["Reports"]


async def test_settings_of_a_class_that_no_app_has_end_the_process(hub: StandInHub) -> None:
    ours = {"apps": ["good_apps:Reports"]}
    service = TornadoService(config=make_config(hub))
    service.update_config(make_config(hub, TornadoService=ours, Reports={"x": 1}))
    with pytest.raises(ConfigError, match=r"c\.Reprots: there is no such class"):
        service.update_config(make_config(hub, TornadoService=ours, Reprots={"x": 1}))
    # an entry point that is not installed: its class has an unknown name
    service.update_config(make_config(hub, TornadoService={"apps": ["gone"]}, Gone={"x": 1}))


async def test_a_broken_app_breaks_nothing_else(
    start_apps: StartApps,
    hub: StandInHub,
    monkeypatch: pytest.MonkeyPatch,
    client,
) -> None:
    monkeypatch.setattr(mounts, "START_LIMIT", 0.5)
    imports = ["raises_app:App", "exits_app:App", "syntax_app:App", "no_such_module:App", "entry"]
    names = [*FAILED_ALONE, *FAILED_UNNAMED]
    broken = [f"broken_apps:{name}" for name in names]

    service = await start_apps("good_apps:Reports", *broken, *imports, "good_apps:Admins")

    ready = [name for name, state in states(service).items() if state == "ready"]
    assert ready == ["Reports", "Admins"]
    found = {each["app"]: each["reason"] for each in service.mounts.describe()}
    for name, reason in {**FAILED_ALONE, **FAILED_UNNAMED}.items():
        assert reason in found[f"broken_apps:{name}"]
    assert found["raises_app:App"] == "ValueError: password=[secret] is wrong"
    assert found["exits_app:App"] == "SystemExit: 1"
    assert found["syntax_app:App"].startswith("SyntaxError: ")
    assert "Is it installed where the service runs?" in found["no_such_module:App"]
    assert "write a class as my_module:MyApp" in found["entry"]

    async def get(path: str, token: str = "", **headers: str):
        auth = {"Authorization": f"token {token}"} if token else {}
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{PREFIX}{path}",
            headers={**headers, **auth},
            follow_redirects=False,
            raise_error=False,
        )

    sam, ada = hub.token_for("sam"), hub.token_for("ada", admin=True)
    assert (await get("reports/", sam)).code == 200
    assert (await get("", sam)).code == 200
    for token in ("", sam, ada):
        for path in ("start-raises/", "start-raises", "start-raises/api/x", "unsigned/"):
            answer = await get(path, token)
            assert answer.code == 503
            assert "Retry-After" not in answer.headers
            assert json.loads(answer.body)["message"] == (
                "This part of the service does not run. Admins see why at status."
            )
        page = (await get("start-raises/", token, **BROWSER)).body.decode()
        assert "503 : Service Unavailable" in page
        assert "database" not in page
    # whose address this is, nobody knows
    assert (await get("app/", sam)).code == 503
    assert (await get("api/nothing", sam)).code == 404

    ready = await get("health/ready")
    checks = json.loads(ready.body)["checks"]
    assert ready.code == 503
    assert (checks["app reports"], checks["app start-raises"]) == ("ok", "not ready")
    assert b"database" not in ready.body

    status = json.loads((await get("api/status", ada)).body)
    assert status["status"] == "wrong"
    assert {
        "name": "start-raises",
        "app": "broken_apps:StartRaises",
        "state": "failed",
    }.items() <= next(each for each in status["apps"] if each["name"] == "start-raises").items()
    assert "RuntimeError: no database" in (await get("status", ada)).body.decode()
    assert (await get("api/status", sam)).code == 403


async def test_everything_answers_while_an_app_is_imported(
    start_service: StartApps, modules: Path, hub: StandInHub, client
) -> None:
    """One that takes long does not hold up the others."""
    gate = threading.Event()
    sys.gate = gate
    (modules / "slow_app.py").write_text(
        "import sys; sys.gate.wait(20)\n" + GOOD.replace('"reports"', '"slow"')
    )
    mounts_patience, mounts.IMPORT_PATIENCE = mounts.IMPORT_PATIENCE, 0.1
    service = await start_service(TornadoService={"apps": ["slow_app:Reports", "good_apps:Admins"]})
    loading = asyncio.create_task(service.mounts.load())

    async def get(path: str):
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{PREFIX}{path}",
            headers={"Authorization": f"token {hub.token_for('ada', ('admin:users',))}"},
            raise_error=False,
            follow_redirects=False,
        )

    try:
        assert (await get("")).code == 200
        answer = await get("slow/")
        assert answer.code == 503
        assert answer.headers["Retry-After"] == "3"
        assert json.loads((await get("health/ready")).body)["checks"]["app Reports"] == "not ready"
        while (await get("admins/")).code == 503:
            await asyncio.sleep(0.02)
        assert states(service) == {"Reports": "loading", "Admins": "ready"}
    finally:
        gate.set()
        mounts.IMPORT_PATIENCE = mounts_patience
        del sys.gate
    await loading
    assert (await get("slow/api/items")).code == 200


async def test_stop_is_bounded_and_each_for_itself(
    start_apps: StartApps, modules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (modules / "slow_app.py").write_text(
        GOOD.replace('"reports"', '"slow"').replace(
            'self.events.append("stop")', "await asyncio.sleep(60)"
        )
        + "\nclass Raises(ServiceApp):\n    name = 'raises'\n"
        "    async def stop(self):\n        raise RuntimeError('stop went wrong')\n"
    )
    service = await start_apps(
        "slow_app:Reports",
        "slow_app:Raises",
        "good_apps:Reports",
        TornadoService={"shutdown_grace": 0.4},
    )

    assert service.mounts.stop_limit == 0.2
    await asyncio.wait_for(service.mounts.stop(), 10)

    assert sys.modules["good_apps"].Reports.events == ["start", "stop"]
    said = capsys.readouterr().err
    assert "App slow: stop() takes more than 0.2 s." in said
    assert "App raises: stop() failed" in said


async def test_an_entry_point_names_an_app(
    start_apps: StartApps, modules: Path, hub: StandInHub
) -> None:
    info = modules / "good_apps-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: good_apps\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[tornado_service.apps]\nuse-reports = good_apps:Reports\n"
    )

    service = await start_apps("use-reports", Reports={"limit": 6})

    (mount,) = service.mounts
    assert (mount.name, mount.app.limit) == ("reports", 6)


async def test_an_app_in_a_zip(
    start_apps: StartApps, modules: Path, hub: StandInHub, client, monkeypatch
) -> None:
    import zipfile

    with zipfile.ZipFile(modules / "apps.zip", "w") as archive:
        for file in sorted((modules / "good_apps").rglob("*")):
            inside = file.relative_to(modules / "good_apps")
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, f"apps_in_zip/{inside}")
    monkeypatch.syspath_prepend(modules / "apps.zip")
    service = await start_apps("apps_in_zip:Reports")

    async def get(path: str):
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{PREFIX}reports/{path}",
            headers={"Authorization": f"token {hub.token_for('sam')}"},
        )

    assert b"Reports of" in (await get("")).body
    assert (await get("static/deep/chart.svg")).body == b"<svg/>"


async def test_a_module_in_no_package_has_its_folders_beside_it(
    start_apps: StartApps, modules: Path, hub: StandInHub, client
) -> None:
    (modules / "slow_app.py").write_text(GOOD)
    (modules / "templates").mkdir()
    (modules / "templates/reports.html").write_text(TEMPLATE)
    (modules / "static/deep").mkdir(parents=True)
    (modules / "static/deep/chart.svg").write_text("<svg/>")
    service = await start_apps("slow_app:Reports")

    answer = await client.fetch(
        f"http://127.0.0.1:{service.port}{PREFIX}reports/",
        headers={"Authorization": f"token {hub.token_for('sam')}"},
    )
    assert b"chart." in answer.body


def run(*args: str, cwd: Path, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tornado_service", *args],
        cwd=cwd,
        env={**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_values_have_the_scopes_that_an_app_declares(modules: Path) -> None:
    values = run("values", "--app=good_apps:Reports", "--image=x:1", cwd=modules).stdout

    assert "--TornadoService.apps=good_apps:Reports" in values
    assert "list:users" in values


def test_settings_of_apps_are_shown_with_the_others(modules: Path) -> None:
    named = "--TornadoService.apps=good_apps:Reports"
    (modules / "config.py").write_text("c.TornadoService.apps = ['good_apps:Reports']\n")

    assert "--Reports.limit=<Int>" in run("--help-all", named, cwd=modules).stdout
    assert "--Reports.limit=<Int>" in run("--config=config.py", "--help-all", cwd=modules).stdout
    broken = run("--help-all", "--TornadoService.apps=raises_app:App", named, cwd=modules)
    assert "--Reports.limit=<Int>" in broken.stdout
    run("--generate-config", named, cwd=modules)
    assert "# c.Reports.limit = 3" in (modules / "tornado_service_config.py").read_text()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--config=config.py", "--Reprots.limit=5"], "c.Reprots: there is no such class here."),
        (["--TornadoService.apps=a:B", "--Reprots.limit=5"], "c.Reprots: there is no such class"),
        (["--Reports.limit=5"], "c.Reports: there is no such class"),
    ],
)
def test_the_command_line_knows_which_apps_have_settings(
    modules: Path, args: list[str], said: str
) -> None:
    (modules / "config.py").write_text("c.TornadoService.apps = ['good_apps:Reports']\n")

    result = run(*args, cwd=modules)

    assert result.returncode == 2
    assert said in result.stderr


def test_the_version_alone_loads_nothing() -> None:
    code = "import sys, tornado_service; print('tornado' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "False\n"
    assert tornado_service.ServiceApp is ServiceApp
    with pytest.raises(AttributeError):
        tornado_service.nothing  # noqa: B018
