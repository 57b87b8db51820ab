"""Apps in a service that a real hub launches."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.support.real_hub import LOG_SIGNALS, ended_at_first_signal, service_pids

APPS = """
import asyncio
from tornado_service import APIHandler, PageHandler, ServiceApp
from traitlets import Integer


class Home(PageHandler):
    def get(self):
        self.write(f"limit {self.app.limit}")

    def post(self):
        self.write("posted")


class User(APIHandler):
    def get(self):
        self.write_json({"name": self.current_user["name"]})


class Good(ServiceApp):
    name = "good"
    limit = Integer(1).tag(config=True)

    def handlers(self):
        return [("", Home), ("api/user", User)]

    async def stop(self):
        print("good has stopped", flush=True)


class Stubborn(Good):
    name = "stubborn"

    async def stop(self):
        while True:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pass


class Raises(ServiceApp):
    name = "raises"

    async def start(self):
        raise RuntimeError("no database")


class Hangs(ServiceApp):
    name = "hangs"

    async def start(self):
        await asyncio.sleep(3600)
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    (tmp_path / "my_apps.py").write_text(APPS)
    (tmp_path / "hanging_app.py").write_text("import time; time.sleep(3600)")
    (tmp_path / "bad_app.py").write_text("import nothing_of_this_name")
    return tmp_path


async def test_apps_run_next_to_broken_ones(start_hub, browse, modules: Path) -> None:
    apps = ["hanging_app:App", "bad_app:App", "my_apps:Raises", "my_apps:Hangs"]
    apps += ["my_apps:Good", "my_apps:Stubborn"]
    hub = start_hub(
        service_command=[
            *(sys.executable, "-m", "tornado_service", "--Good.limit=7"),
            *(f"--TornadoService.apps={app}" for app in apps),
        ],
        service_environment={"PYTHONPATH": str(modules)},
        extra_config=LOG_SIGNALS,
    )
    visitor = browse(hub)
    good = hub.service_prefix + "good/"
    signed_in = await visitor.sign_in(hub.service_prefix, "sam")
    assert signed_in.code == 200

    deadline = time.monotonic() + 30
    while (response := await visitor.get(good)).code == 503:
        assert "Retry-After" in response.headers, (response.body, hub.log)
        assert time.monotonic() < deadline
    assert (response.code, response.body) == (200, b"limit 7")
    api = await visitor.get(
        good + "api/user", headers={"Authorization": f"token {hub.token_for('kim')}"}
    )
    assert json.loads(api.body) == {"name": "kim"}
    # a change needs the page's XSRF token, without code in the app
    await visitor.open(hub.service_prefix)
    assert (await visitor.fetch(good, xsrf=False, method="POST", body="")).code == 403
    assert (await visitor.fetch(good, method="POST", body="", xsrf=True)).code == 200
    assert f'href="{good}"' in visitor.page
    assert (await visitor.get(hub.service_prefix + "raises/")).code == 503
    assert (await visitor.get(hub.service_prefix + "hangs/")).code == 503
    ready = await visitor.get(hub.service_prefix + "health/ready")
    assert json.loads(ready.body)["checks"] == {
        "hub": "ok",
        "sign-in": "ok",
        "app App": "not ready",
        "app App 2": "not ready",
        "app raises": "not ready",
        "app hangs": "not ready",
        "app good": "ok",
        "app stubborn": "ok",
    }

    directory = hub.directory
    (pid,) = service_pids(directory)
    hub.process.send_signal(signal.SIGTERM)
    hub.process.wait(timeout=60)
    assert ended_at_first_signal(pid, hub.log)
    assert service_pids(directory) == []
    assert "good has stopped" in hub.log
    assert "App stubborn: stop() takes more than 2 s." in hub.log
