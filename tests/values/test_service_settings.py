"""Web apps in the settings of a service, as far as values show them."""

import base64
import json
import textwrap
from typing import Any

import pytest

from tornado_service.values.merge import Values
from tornado_service.values.service_settings import web_app_addresses, web_app_urls
from tornado_service.values.site import Site

WIKI = {"wiki": {"url": "http://wiki.tools.svc:8080", "strip_prefix": True}}
FOUND = {"wiki": "http://wiki.tools.svc:8080"}
FILE = "/etc/service/config"


def site(command: list[Any], file: dict[str, Any] | None = None, **hub: Any) -> Site:
    services = {"tornado-service": {"command": ["python3", "-m", "tornado_service", *command]}}
    files = {"mine": file, "other": {"mountPath": "/other"}} if file else {}
    hub = {"services": services, "extraFiles": files, **hub}
    return Site(Values([("config.yaml", {"hub": hub})]), (5, 5))


def found_in(command: list[Any], file: dict[str, Any] | None = None) -> dict[str, str]:
    whole = site(command, file)
    return web_app_urls(whole, whole.all_services[0])


CODE = {
    "assigned": "c.TornadoService.web_apps = {'wiki': {'url': 'http://wiki.tools.svc:8080'}}",
    "by key": 'c["TornadoService"]["web_apps"] = dict(wiki={"url": "http://wiki.tools.svc:8080"})',
    "added": """
        c.TornadoService.web_apps = {}
        c.TornadoService.web_apps["wiki"] = dict(url="http://wiki.tools.svc:8080")
    """,
    "updated": """
        c.TornadoService.web_apps.update({"wiki": {"url": "http://wiki.tools.svc:8080"}})
    """,
    "with variables": """
        where = "http://wiki.tools.svc:8080"
        wiki = {"url": where, "title": title}
        apps = {"wiki": wiki}
        c.TornadoService.web_apps = apps
    """,
    "replaced": """
        c.TornadoService.web_apps = {"blog": {"url": "http://blog"}}
        c.TornadoService.web_apps = {"wiki": {"url": "http://wiki.tools.svc:8080"}}
    """,
    "by a name of its own": """
        settings = c.TornadoService
        c.TornadoService.web_apps = {"wiki": {"url": "http://wiki.tools.svc:8080"}}
    """,
}


@pytest.mark.parametrize("name", CODE)
def test_a_config_file_in_python(name: str) -> None:
    file = {"mountPath": f"{FILE}.py", "stringData": textwrap.dedent(CODE[name])}

    assert found_in([f"--config={FILE}.py"], file) == FOUND


@pytest.mark.parametrize(
    "code",
    [
        "c.TornadoService.apps = ['activity']",
        "c.Other.web_apps = {'wiki': {'url': 'http://wiki'}}",
        "c.TornadoService.web_apps = make()",
        "c.TornadoService.web_apps = {",
        "c.TornadoService.web_apps.update()",
        "c.TornadoService.web_apps = " + "-" * 50_000 + "1",
        "\0",
    ],
)
def test_a_config_file_that_shows_no_web_app(code: str) -> None:
    assert found_in([f"--config={FILE}.py"], {"mountPath": f"{FILE}.py", "stringData": code}) == {}


def test_what_code_computes_is_unknown() -> None:
    code = "c.TornadoService.web_apps = {'a': {'url': f'http://{x}'}, 'b': make(), 'c': {}}"
    file = {"mountPath": f"{FILE}.py", "stringData": code}

    assert found_in([f"--config={FILE}.py"], file) == {"a": "", "b": "", "c": ""}


SETTINGS = {"TornadoService": {"web_apps": WIKI}}


@pytest.mark.parametrize(
    "content",
    [
        {"data": SETTINGS},
        {"stringData": json.dumps(SETTINGS)},
        {"binaryData": base64.b64encode(json.dumps(SETTINGS).encode()).decode()},
    ],
    ids=["data", "stringData", "binaryData"],
)
@pytest.mark.parametrize(
    "option",
    [[f"--config={FILE}.json"], ["--config", f"{FILE}.json"],
     [f"--TornadoService.config_file={FILE}.json"]],
)  # fmt: skip
def test_a_config_file_in_json(content: dict[str, Any], option: list[str]) -> None:
    assert found_in(option, {"mountPath": f"{FILE}.json", **content}) == FOUND


@pytest.mark.parametrize(
    "content", [{"stringData": "{"}, {"stringData": "[]"}, {"binaryData": "?"}, {"data": "x"}, {}]
)
def test_a_config_file_that_cannot_be_read(content: dict[str, Any]) -> None:
    assert found_in([f"--config={FILE}.json"], {"mountPath": f"{FILE}.json", **content}) == {}


def test_a_file_that_the_command_does_not_name() -> None:
    assert found_in([], {"mountPath": f"{FILE}.json", "data": SETTINGS}) == {}
    assert found_in(["--config"], {"mountPath": f"{FILE}.json", "data": SETTINGS}) == {}


def test_the_command_replaces_the_config_file() -> None:
    option = "--TornadoService.web_apps={'blog': {'url': 'http://blog'}, 'app': {'command': ['x']}}"
    file = {"mountPath": f"{FILE}.json", "data": SETTINGS}

    assert found_in([f"--config={FILE}.json", option], file) == {"blog": "http://blog", "app": ""}
    assert found_in(["--TornadoService.web_apps={"], file) == {}


def test_addresses_that_count_in_the_pod() -> None:
    urls = ["http://wiki:80", "http://hub:9000", "http://localhost:1", "http://own", "http://ldap"]
    apps = {str(number): {"url": url} for number, url in enumerate(urls)}
    aliases = [
        {"ip": "127.0.0.1", "hostnames": ["own"]},
        {"ip": "10.9.8.7", "hostnames": ["ldap", "x"]},
    ]
    whole = site([f"--TornadoService.web_apps={apps}"], extraPodSpec={"hostAliases": aliases})

    addresses = [*web_app_addresses(whole, whole.all_services[0])]

    assert [(name, app.host) for name, app in addresses] == [("0", "wiki"), ("4", "10.9.8.7")]
