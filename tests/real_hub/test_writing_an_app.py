"""What docs/writing-an-app.md tells people to write does what it says."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.apps.support import run
from tornado_service.apps import GROUP
from tornado_service.demo_hub import free_ports

PAGE = Path(__file__).parents[2] / "docs/writing-an-app.md"
BLOCKS = dict(re.findall(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```", PAGE.read_text(), re.M | re.S))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the page."""
    for name, text in BLOCKS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_block_of_code_is_tried() -> None:
    assert PAGE.read_text().count("```") == 2 * len(BLOCKS)
    assert set(BLOCKS) == {
        "reports/__init__.py",
        "reports/templates/reports.html",
        "reports/static/reports.css",
        "jupyterhub_config.py",
        "tornado_service_config.py",
        "pyproject.toml",
    }


def test_the_config_file_is_right(folder: Path) -> None:
    shown = run("--config=tornado_service_config.py", "--help-all", cwd=folder)

    assert "How many reports the page shows." in shown.stdout
    assert shown.stderr == ""
    assert f'[project.entry-points."{GROUP}"]' in BLOCKS["pyproject.toml"]


async def test_the_app_runs_in_a_hub(folder: Path, start_hub, browse) -> None:
    (port,) = free_ports(1)
    ours = BLOCKS["jupyterhub_config.py"].replace("8181", str(port))
    copy = f"import shutil\nshutil.copytree({str(folder / 'reports')!r}, 'reports')\n"
    hub = start_hub(with_service=False, extra_config=copy + ours)
    visitor = browse(hub)
    home = hub.service_prefix + "reports/"
    deadline = time.monotonic() + 40
    while (await visitor.get(home, headers={"Accept": "*/*"})).code in (404, 503, 599):
        assert time.monotonic() < deadline, hub.log
        time.sleep(0.2)

    page = await visitor.sign_in(home, "sam")
    assert page.code == 200
    assert "<h1>Reports</h1>" in visitor.page
    for number in range(7):
        form = {"title": f"Report <{number}>", "_xsrf": visitor.xsrf_token}
        await visitor.open(home, method="POST", body=urlencode(form))
    assert visitor.page.count("<li>Report &lt;") == 5
    style = re.search(r'href="([^"]+reports\.[0-9a-f]{12}\.css)"', visitor.page)[1]
    assert (await visitor.get(style)).body.decode() == BLOCKS["reports/static/reports.css"]
    without = await visitor.get(home, method="POST", body="title=x")
    assert without.code == 403

    async def api(name: str, **options: str):
        token = {"Authorization": f"token {hub.token_for(name)}"}
        return await visitor.get(home + "api/reports", headers=token, **options)

    assert len(json.loads((await api("kim")).body)["reports"]) == 7
    assert (await api("kim", method="DELETE")).code == 403
    assert (await api("ada", method="DELETE")).code == 204
    await visitor.open(hub.service_prefix)
    assert f'<a href="{home}">Reports</a>' in visitor.page
