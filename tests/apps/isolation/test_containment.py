"""A broken, slow or hanging app affects no other app."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from pathlib import Path

import pytest

from tests.support.apps import GOOD, StartApps, states
from tornado_service.apps import manager
from tornado_service.testing import (
    BROWSER,
    PREFIX,
    StandInHub,
)
from tornado_service.web.status import status_report

FAILED_ALONE = {
    "StartRaises": "RuntimeError: no database",
    "StartExits": "SystemExit in start()",
    "StartHangs": "start() takes more than 3 s.",
    "HandlersRaise": "NameError: name 'Nothing' is not defined",
    "HandlersHang": "handlers() takes more than 3 s.",
    "Unsigned": "neither a PageHandler nor an APIHandler",
    "Slash": "the path '/': write it without / or ^",
    "Group": "no regular expression",
    "NoTuple": "where (path, handler) is expected",
}
FAILED_UNNAMED = {
    "Again": "good_apps:Reports has the name reports, too: only that one runs.",
    "BadName": "BadName.name is 'Bad_Name': it takes a-z, 0-9 and - only.",
    "Core": "Core.name is 'api', a path of the service itself.",
    "Nameless": "Nameless.name is ''",
    "Scopes": "Scopes.service_scopes is no set",
    "Plain": "is no subclass of tornado_service.ServiceApp",
    "Missing": "broken_apps has no Missing",
    "Other": "is another name of StartRaises",
}


async def test_a_broken_app_breaks_nothing_else(
    start_apps: StartApps,
    hub: StandInHub,
    monkeypatch: pytest.MonkeyPatch,
    client,
) -> None:
    monkeypatch.setattr(manager, "START_TIMEOUT", 3)  # others need some of it on a busy machine
    imports = ["raises_app:App", "exits_app:App", "syntax_app:App", "no_such_module:App", "entry"]
    names = [*FAILED_ALONE, *FAILED_UNNAMED]
    broken = [f"broken_apps:{name}" for name in names]

    service = await start_apps("good_apps:Reports", *broken, *imports, "good_apps:Admins")

    ready = [name for name, state in states(service).items() if state == "ready"]
    assert ready == ["Reports", "Admins"]
    found = {each["app"]: each["reason"] for each in service.app_manager.statuses()}
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

    sam, ada = hub.token_for("sam"), hub.token_for("ada", ("read:hub",), admin=True)
    assert (await get("reports/", sam)).code == 200
    assert (await get("", sam)).code == 200
    for token in ("", sam, ada):
        for path in ("start-raises/", "start-raises", "start-raises/api/x", "unsigned/"):
            response = await get(path, token)
            assert response.code == 503
            assert "Retry-After" not in response.headers
            assert json.loads(response.body)["message"] == (
                "This app is unavailable. Admins can see why on the Status page."
            )
        page = (await get("start-raises/", token, **BROWSER)).body.decode()
        assert "503 : Service Unavailable" in page
        assert "database" not in page
    # any app may own this path
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


async def test_everything_responds_while_an_app_is_imported(
    start_service: StartApps, modules: Path, hub: StandInHub, client
) -> None:
    """A slow app does not delay the others."""
    gate = threading.Event()
    sys.gate = gate
    (modules / "slow_app.py").write_text(
        "import sys; sys.gate.wait(20)\n" + GOOD.replace('"reports"', '"slow"')
    )
    max_import_wait, manager.MAX_IMPORT_WAIT = manager.MAX_IMPORT_WAIT, 0.1
    service = await start_service(
        load=False, TornadoService={"apps": ["slow_app:Reports", "good_apps:Admins"]}
    )
    loading = asyncio.create_task(service.app_manager.load())

    async def get(path: str):
        return await client.fetch(
            f"http://127.0.0.1:{service.port}{PREFIX}{path}",
            headers={"Authorization": f"token {hub.token_for('ada', ('admin:users',))}"},
            raise_error=False,
            follow_redirects=False,
        )

    try:
        assert (await get("")).code == 200
        response = await get("slow/")
        assert response.code == 503
        assert response.headers["Retry-After"] == "3"
        assert json.loads((await get("health/ready")).body)["checks"]["app Reports"] == "not ready"
        while (await get("admins/")).code == 503:
            await asyncio.sleep(0.02)
        assert states(service) == {"Reports": "loading", "Admins": "ready"}
    finally:
        gate.set()
        manager.MAX_IMPORT_WAIT = max_import_wait
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

    assert service.app_manager.stop_timeout == 0.2
    await asyncio.wait_for(service.app_manager.stop(), 10)

    assert sys.modules["good_apps"].Reports.events == ["start", "stop"]
    reported = capsys.readouterr().err
    assert "App slow: stop() takes more than 0.2 s." in reported
    assert "App raises: stop() failed" in reported


@pytest.mark.parametrize("name", ["problem", "trouble"])
@pytest.mark.parametrize(
    ("body", "reported"),
    [
        ("return 'The disk is full: set c.Ill.file.'", "The disk is full: set c.Ill.file."),
        ("raise OSError('the password is 1234')", "It cannot report its problems: OSError"),
        ("raise SystemExit(3)", "It cannot report its problems: SystemExit"),
    ],
)
async def test_problems_of_a_running_app_are_shown_to_admins(
    start_apps: StartApps, modules: Path, name: str, body: str, reported: str
) -> None:
    (modules / "ill_app.py").write_text(
        "from tornado_service import ServiceApp\n\n\n"
        "class Ill(ServiceApp):\n"
        "    name = 'ill'\n\n"
        "    @property\n"
        f"    def {name}(self):\n        {body}\n"
    )
    service = await start_apps("ill_app:Ill")

    [app] = service.app_manager.statuses()

    assert (app["state"], app["reason"]) == ("ready", reported)
    status = await status_report(service.selfcheck, service.app_manager, service.context.replicas)
    assert status["status"] == "wrong"
