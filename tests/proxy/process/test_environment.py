"""What a command gets of the service's environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tornado_service.proxy.process.environment import MARK, make_environment

SECRETS = {
    "JUPYTERHUB_API_TOKEN": "1",
    "JUPYTERHUB_SERVICE_NAME": "2",
    "TORNADO_SERVICE_COOKIE_SECRET": "3",
    "CONFIGPROXY_AUTH_TOKEN": "4",
    "DATABASE_URL": "postgresql://user:password@db/hub",
    "PGPASSWORD": "5",
    "AWS_SECRET_ACCESS_KEY": "6",
    "CONDA_TOKEN": "7",
    "HTTP_PROXY": "http://user:password@proxy:3128",
    "https_proxy": "http://user:password@proxy:3128",
    "KUBERNETES_SERVICE_HOST": "10.0.0.1",
}
OF_OUR_PYTHON = {"PYTHONPATH": "/srv/hub/lib", "PYTHONHOME": "/usr"}
HARMLESS = {"HOME": "/home/hub", "LANG": "C.UTF-8", "LC_ALL": "C", "TZ": "UTC", "VIRTUAL_ENV": "/v"}


def test_only_harmless_variables_are_passed() -> None:
    environment = make_environment(
        {**SECRETS, **OF_OUR_PYTHON, **HARMLESS, "PATH": "/bin"}, {}, "mark"
    )

    assert environment.keys() == {*HARMLESS, "PATH", "PYTHONUNBUFFERED", MARK}
    assert HARMLESS.items() <= environment.items()


def test_the_administrator_s_variables_take_precedence() -> None:
    additional = {"TZ": "Europe/Berlin", "PYTHONUNBUFFERED": "", "DEBUG": "1"}

    environment = make_environment(HARMLESS, additional, "mark")

    assert additional.items() <= environment.items()
    assert environment[MARK] == "mark"


def test_programs_of_the_service_s_own_environment_are_found_last() -> None:
    ours = str(Path(sys.executable).parent)

    assert make_environment({"PATH": "/bin"}, {}, "")["PATH"] == f"/bin:{ours}"
    assert make_environment({"PATH": f"{ours}:/bin"}, {}, "")["PATH"] == f"{ours}:/bin"
    assert make_environment({}, {}, "")["PATH"] == f"{os.defpath}:{ours}"
