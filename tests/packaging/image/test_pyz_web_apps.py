"""The single file does without web apps, and says so."""

import json
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient

from tests.packaging.image.service import running
from tornado_service.testing import Fetch, StandInHub

SETTINGS = {"TornadoService": {"apps": ["activity"], "web_apps": {"wiki": {"url": "http://wiki"}}}}


async def test_a_web_app_fails_with_one_line_and_all_else_runs(
    hub: StandInHub,
    hub_python: str,
    pyz: Path,
    as_jovyan: dict[str, Any],
    client: AsyncHTTPClient,
) -> None:
    hub.service_scopes = {"list:users", "read:servers", "read:users"}
    config = pyz.parent.parent / "service.json"
    config.write_text(json.dumps(SETTINGS))
    command = [hub_python, str(pyz), f"--config={config}"]
    with running(command, hub.api_url, cwd=pyz.parent, **as_jovyan) as service:
        fetch = Fetch(client, service.origin, service.prefix)
        token = hub.token_for("ada", ("read:hub",), admin=True)
        while True:
            response = await fetch("api/status", token=token)
            apps = {app["app"]: app for app in json.loads(response.body)["apps"]}
            if "loading" not in {app["state"] for app in apps.values()}:
                break
        wiki = apps['web_apps["wiki"]']
        page = await fetch("activity/", token=token)

    assert wiki["state"] == "failed"
    assert wiki["reason"].startswith("The single file does without web apps: use an image")
    assert apps["activity"]["state"] == "ready"
    assert page.code == 200
