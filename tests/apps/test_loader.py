"""Sources of apps: packages, modules, zips, entry points."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tornado_service
from tests.support.apps import GOOD, TEMPLATE, StartApps
from tornado_service import AppError, ServiceApp
from tornado_service.activity import Activity
from tornado_service.apps.loader import import_web_app, package_of
from tornado_service.testing import (
    PREFIX,
    StandInHub,
)

#: Requests each page and each response of the core with a model, except the OpenAPI document.
CORE_ALONE = """
import asyncio, sys
from tornado.httpclient import AsyncHTTPClient
from tornado_service.testing import PREFIX, StandInHub
from tornado_service.testing.service import service_starter

async def main():
    hub = StandInHub()
    await hub.start()
    token = hub.token_for("ada", ["read:hub", "read:metrics"], admin=True)
    headers = {"Authorization": f"token {token}"}
    async with service_starter(hub) as start:
        service = await start(TornadoService={"debug_api": True})
        origin = f"http://127.0.0.1:{service.port}{PREFIX}"
        for path in ("", "status", "api/", "api/user", "api/debug", "api/status", "metrics"):
            await AsyncHTTPClient().fetch(origin + path, headers=headers)
    await hub.stop()

asyncio.run(main())
print("pydantic" in sys.modules)
"""


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

    (mount,) = service.app_manager
    assert (mount.name, mount.app.limit) == ("reports", 6)


async def test_an_app_in_a_zip(
    start_apps: StartApps, modules: Path, hub: StandInHub, client, monkeypatch
) -> None:
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


async def test_a_module_outside_of_a_package_has_its_folders_next_to_it(
    start_apps: StartApps, modules: Path, hub: StandInHub, client
) -> None:
    (modules / "slow_app.py").write_text(GOOD)
    (modules / "templates").mkdir()
    (modules / "templates/reports.html").write_text(TEMPLATE)
    (modules / "static/deep").mkdir(parents=True)
    (modules / "static/deep/chart.svg").write_text("<svg/>")
    service = await start_apps("slow_app:Reports")

    response = await client.fetch(
        f"http://127.0.0.1:{service.port}{PREFIX}reports/",
        headers={"Authorization": f"token {hub.token_for('sam')}"},
    )
    assert b"chart." in response.body


def test_the_version_alone_loads_nothing() -> None:
    code = "import sys, tornado_service; print('tornado' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "False\n"
    assert tornado_service.ServiceApp is ServiceApp
    with pytest.raises(AttributeError):
        tornado_service.nothing  # noqa: B018


def test_without_typed_apps_pydantic_is_not_loaded() -> None:
    """It takes a tenth of a second, and several MiB."""
    loaded = subprocess.run(
        [sys.executable, "-c", CORE_ALONE], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.splitlines()[-1] == "False"


def test_a_subclass_elsewhere_has_the_templates_of_the_app_that_it_extends() -> None:
    class Extended(Activity):
        pass

    assert Extended.__module__ == __name__
    assert package_of(Extended) == package_of(Activity) == "tornado_service.activity"


async def test_a_failed_import_of_an_app_is_logged_with_its_line(
    start_apps: StartApps, modules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (modules / "imports_app.py").write_text("\nimport no_such_library\n")

    service = await start_apps("imports_app:App")

    (mounted,) = service.app_manager
    assert "No module named 'no_such_library'" in mounted.problem
    assert 'imports_app.py", line 2' in capsys.readouterr().err


async def test_an_app_that_is_not_installed_is_logged_without_a_traceback(
    start_apps: StartApps, capsys: pytest.CaptureFixture[str]
) -> None:
    await start_apps("no_such_package.web:App")

    log = capsys.readouterr().err
    assert "Is it installed where the service runs?" in log
    assert "Traceback" not in log


async def test_readiness_has_each_app_that_could_not_be_imported(
    start_apps: StartApps, modules: Path
) -> None:
    for name in ("first", "second"):
        (modules / f"{name}_app.py").write_text("1 / 0\n")

    service = await start_apps("first_app:App", "second_app:App")

    assert service.app_manager.readiness() == {"app App": False, "app App 2": False}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Sales_2026", "is 'Sales_2026': it takes a-z, 0-9 and - only."),
        ("status", "is 'status', a path of the service itself."),
    ],
)
def test_an_invalid_name_of_a_web_app_is_a_key_of_the_setting(name: str, said: str) -> None:
    with pytest.raises(AppError) as raised:
        import_web_app(name, {"url": "http://127.0.0.1:9"})

    assert str(raised.value) == f"A key of c.TornadoService.web_apps {said}"
