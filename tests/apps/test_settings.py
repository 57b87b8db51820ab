"""Settings of apps: passed, shown, and invalid ones fail only their own app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import StartApps, reasons, run, states
from tornado_service.app import TornadoService
from tornado_service.config.application import ConfigError
from tornado_service.testing import (
    StandInHub,
    make_config,
)


async def test_settings_reach_the_app(start_apps: StartApps) -> None:
    service = await start_apps("good_apps:Reports", Reports={"limit": 5})

    (mount,) = service.app_manager
    assert mount.app.limit == 5
    assert "list:users" in service.selfcheck.required_scopes


@pytest.mark.parametrize(
    ("settings", "reported"),
    [
        ({"limti": 5}, "There is no setting c.Reports.limti. Did you mean c.Reports.limit?"),
        ({"limit": "many"}, "'limit' trait of a Reports instance"),
    ],
)
async def test_a_wrong_setting_fails_its_app_only(
    start_apps: StartApps, settings: dict[str, Any], reported: str
) -> None:
    service = await start_apps("good_apps:Reports", "good_apps:Admins", Reports=settings)

    assert states(service)["Reports"] == "failed"
    assert reported in reasons(service)["Reports"]


async def test_a_scope_that_no_session_has_is_reported(
    start_apps: StartApps, capsys: pytest.CaptureFixture[str]
) -> None:
    await start_apps("good_apps:Reports")

    told = "reports requires custom:reports:write, which no session carries: add it to Reports."
    assert told in capsys.readouterr().err


async def test_settings_of_a_class_that_no_app_has_end_the_process(hub: StandInHub) -> None:
    ours = {"apps": ["good_apps:Reports"]}
    service = TornadoService(config=make_config(hub))
    service.update_config(make_config(hub, TornadoService=ours, Reports={"x": 1}))
    with pytest.raises(ConfigError, match=r"There is no class c\.Reprots"):
        service.update_config(make_config(hub, TornadoService=ours, Reprots={"x": 1}))
    # an entry point that is not installed: its class has an unknown name
    service.update_config(make_config(hub, TornadoService={"apps": ["gone"]}, Gone={"x": 1}))


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
    ("args", "reported"),
    [
        (["--config=config.py", "--Reprots.limit=5"], "There is no class c.Reprots."),
        (["--TornadoService.apps=a:B", "--Reprots.limit=5"], "There is no class c.Reprots"),
        (["--Reports.limit=5"], "There is no class c.Reports"),
    ],
)
def test_the_command_line_knows_which_apps_have_settings(
    modules: Path, args: list[str], reported: str
) -> None:
    (modules / "config.py").write_text("c.TornadoService.apps = ['good_apps:Reports']\n")

    result = run(*args, cwd=modules)

    assert result.returncode == 2
    assert reported in result.stderr
