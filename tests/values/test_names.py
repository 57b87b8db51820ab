"""Names in places with rules of their own."""

from typing import Any

import jupyterhub
import pytest
import yaml
from jupyterhub.roles import InvalidNameError, _validate_role_name
from jupyterhub.scopes import _custom_scope_pattern
from jupyterhub.services.service import Service
from traitlets import TraitError

from tests.support.values import INGRESS, check, load, stop
from tornado_service import ServiceApp
from tornado_service.values import ValuesApp, names

NAMES = [
    "", "a", "ab", "abc", "a-b", "3d", "2024-course", "Instructors", "course_1", "a.b", "a~b", "a-",
    "-ab", "a b", "a/b", "é-course", "course!", "abc\n", "a" * 63, "a" * 64, "a" * 255, "a" * 256,
    "a%20b", ".", "..", " ab", "ab ", "user",
]  # fmt: skip


def test_roles_are_what_the_hub_takes() -> None:
    for name in NAMES:
        try:
            _validate_role_name(name)
        except InvalidNameError:
            assert not names.ROLE.allows(name), name
        else:
            # its rule ends in $, which matches before a newline
            assert names.ROLE.allows(name.rstrip("\n")), name


def test_services_are_what_the_hub_takes() -> None:
    """From JupyterHub 5.5.3 and 6.1.0 on."""
    for name in NAMES:
        try:
            Service(name=name)
        except (ValueError, TraitError):
            assert names.service_name_problem(name), name
        else:
            assert not names.service_name_problem(name), name


@pytest.mark.parametrize(
    "scope",
    [
        "custom:a", "custom:ab", "custom:abc", "custom:a:b", "custom:Ab:c", "custom:-ab",
        "custom:ab-", "custom:ab:", "custom:a*", "custom:a.b", "custom:2b_", "custom:", "marks",
    ],
)  # fmt: skip
def test_scopes_of_apps_are_what_the_hub_takes(scope: str) -> None:
    assert names.CUSTOM_SCOPE.allows(scope) == bool(_custom_scope_pattern.match(scope))


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--name=ab"], "at least 3 and at most 63"),
        (["--name=3d"], "a letter first"),
        (["--name=2024-course"], "a letter first"),
        (["--name=Usage"], "a-z, 0-9 and -"),
        (["--name=usage-"], "a letter or digit last"),
        (["--name=a.b"], "a-z, 0-9 and -"),
        (["--name="], "--name="),
        (["--name=user"], "--name=user"),
        (["--name=hub"], "--name=hub"),
        (["--name=jupyterhub-idle-culler"], "--name=jupyterhub-idle-culler"),
        (["--release=My"], "--release=My: Helm takes"),
        (["--release=" + "r" * 54], "at most 53"),
        (["--release=my.hub", "--fullname-override=null"], "my.hub-jupyterhub-hub"),
        (["--fullname-override=3d"], "3d-hub"),
        (["--fullname-override=Lab"], "Lab-hub"),
        (["--fullname-override=" + "x" * 60], "at most 63"),
        (["--name-override=my lab"], "--name-override=my lab"),
        (["--image=quay.io/Me/hub:1"], "--image=quay.io/Me/hub:1"),
        (["--image=hub:1 2"], "its tag"),
        (["--image=hub:-1"], "its tag"),
        (["--image=hub:" + "1" * 129], "at most 128"),
        (["--group="], "--group="),
        (["--base-url=https://lab.example.org/lab/"], "such as /lab/"),
        (["--base-url=/my lab/"], "such as /lab/"),
        (["--base-url=/lab/../"], "such as /lab/"),
        (["--base-url=/lab?x"], "such as /lab/"),
        ([f"--app={__name__}:Shouts"], "custom:Marks"),
    ],
)
def test_an_option_that_something_refuses(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stop(ValuesApp, argv) == 2
    response = capsys.readouterr()
    assert response.out == ""
    assert says in response.err
    assert response.err.count("\n") == 1


class Shouts(ServiceApp):
    """An app with a scope that no hub accepts."""

    name = "shouts"
    user_scopes = frozenset({"custom:Marks"})


def rendered(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert stop(ValuesApp, list(argv)) == 0
    return yaml.safe_load(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("", ""),
        ("/", ""),
        ("lab", "/lab"),
        ("lab/", "/lab"),
        ("/lab", "/lab"),
        ("//lab/", "/lab"),
        ("a/b", "/a/b"),
        ("/~me/", "/~me"),
    ],
)
def test_a_base_url_is_a_path_however_it_is_written(
    capsys: pytest.CaptureFixture[str], written: str, path: str
) -> None:
    values = rendered(capsys, f"--base-url={written}", "--loopback-api")
    service = values["hub"]["services"]["tornado-service"]
    api_url = service["environment"]["JUPYTERHUB_API_URL"]
    assert api_url == f"http://localhost:8081{path}/hub/api"
    values["hub"]["baseUrl"] = path or "/"
    assert check([("x.yaml", values)]) == []


@pytest.mark.parametrize(
    "image",
    [
        ("quay.io/me/hub", "4.4.0-1"),
        ("localhost:5000/hub", "v1_2"),
        ("hub", "latest-1"),
        ("quay.io/me/my__hub.x-y", "1"),
        ("quay.io/me/hub@sha256", "0" * 64),
        ("quay.io/me/hub:4.4.0@sha256", "0" * 64),
    ],
)
def test_an_image_that_is_one(capsys: pytest.CaptureFixture[str], image: tuple[str, str]) -> None:
    name, tag = image
    values = rendered(capsys, f"--image={name}:{tag}")
    assert values["hub"]["image"] == {"name": name, "tag": tag}
    assert check([("x.yaml", values)]) == []


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("loadRoles: {Instructors: {scopes: ['list:users']}}", "loadRoles.Instructors",
         "Invalid role name: 'Instructors'"),
        ("loadRoles: {ab: {scopes: ['list:users']}}", "loadRoles.ab", "3 to 255"),
        ("loadRoles: {a: {name: 3d, scopes: []}}", "loadRoles.a.name", "a letter first"),
        ("loadRoles: {class_a: {name: class-a-}}", "loadRoles.class_a.name", "class-a"),
        ("loadRoles: {class a: {scopes: []}}", "loadRoles.class a", "Write a name of 3 to 255"),
        ("loadRoles: {a: {name: twice}, b: {name: twice}}", "loadRoles.b.name", "multiply defined"),
        ("loadRoles: {jupyterhub-idle-culler: {scopes: []}}", "loadRoles.jupyterhub-idle-culler",
         "multiply defined"),
        ("loadRoles: {abc: {scopes: ['list:users!class=a']}}", "loadRoles.abc.scopes", "!class=a"),
        ("loadRoles: {abc: {scopes: ['list:users!group=']}}", "loadRoles.abc.scopes", "!group="),
        ("loadRoles: {abc: {scopes: ['list:users!']}}", "loadRoles.abc.scopes", "no filter"),
        ("loadRoles: {abc: {scopes: ['custom:Marks:read']}}", "loadRoles.abc.scopes",
         "Invalid scope name"),
        ("loadRoles: {abc: {scopes: ['custom:marks:read!group=a']}}", "loadRoles.abc.scopes",
         "hub.config.JupyterHub.custom_scopes"),
        ("loadRoles: {abc: {scopes: ['list:user']}}", "loadRoles.abc.scopes", "list:users?"),
        ("config: {JupyterHub: {custom_scopes: {'custom:Marks': {description: x}}}}",
         "config.JupyterHub.custom_scopes.custom:Marks", "Invalid scope name"),
        ("config: {JupyterHub: {custom_scopes: {'custom:marks': {}}}}",
         "config.JupyterHub.custom_scopes.custom:marks", "description"),
        ("services: {my service: {url: 'http://x'}}", "services.my service", "Secret"),
        ("services: {a: {name: a/b, url: 'http://x'}}", "services.a.name", "a slash"),
        ("services: {a: {name: 'a%2Fb', url: 'http://x'}}", "services.a.name", "escaped"),
        ("services: {tornado-service: {environment: {A=B: c}}}",
         "services.tornado-service.environment.A=B", "the hub exits"),
        ("extraEnv: {A=B: c}", "extraEnv.A=B", "Deployment"),
        ("service: {extraPorts: [{name: Tornado, port: 8181}]}", "service.extraPorts",
         "refuses the name 'Tornado'"),
        ("service: {extraPorts: [{name: a, port: '8181'}]}", "service.extraPorts",
         "8181, without quotes"),
        ("service: {extraPorts: [{name: a, port: 8181, targetPort: '8181'}]}", "service.extraPorts",
         "8181, without quotes"),
        ("service: {extraPorts: [{name: a, port: 8181, targetPort: a-very-long-name}]}",
         "service.extraPorts", "at most 15"),
        ("networkPolicy: {ingress: [{ports: [{port: '8181'}]}]}", "networkPolicy.ingress",
         "8181, without quotes"),
        ("networkPolicy: {egress: [{ports: [{port: x--y}]}]}", "networkPolicy.egress", "single -"),
        ("labels: {team: My Team}", "labels.team", "a label does not take this value"),
        ("labels: {my team: a}", "labels.my team", "no name of a label"),
        ("labels: {a/b/c: a}", "labels.a/b/c", "no name of a label"),
        ("extraFiles: {etc/my.conf: {mountPath: /etc/my.conf, stringData: a}}",
         "extraFiles.etc/my.conf", "mountPath"),
        ("image: {name: quay.io/Me/hub, tag: '1'}", "image.name", "InvalidImageName"),
        ("image: {name: quay.io/me/hub, tag: 'my tag'}", "image.tag", "InvalidImageName"),
        ("baseUrl: https://lab.example.org/", "baseUrl", "its path alone"),
    ],
)  # fmt: skip
def test_a_name_that_something_refuses_is_found(text: str, key: str, says: str) -> None:
    site = ("config.yaml", yaml.safe_load(f"hub: {{{text}}}"))
    findings = check([*load(*INGRESS), site], ".".join(map(str, jupyterhub.version_info[:3])))
    lines = [str(finding) for finding in findings if finding.key == f"hub.{key}"]
    assert any(says in line for line in lines), [str(finding) for finding in findings]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("fullnameOverride: 3d", "fullnameOverride"),
        ("fullnameOverride: Lab", "fullnameOverride"),
        ("nameOverride: my lab", "nameOverride"),
        ("proxy: {labels: {team: a b}}", "proxy.labels.team"),
        ("singleuser: {extraFiles: {a b: {mountPath: /a, stringData: b}}}",
         "singleuser.extraFiles.a b"),
        ("{ingress: {enabled: true}, hub: {baseUrl: lab}}", "hub.baseUrl"),
    ],
)  # fmt: skip
def test_a_name_elsewhere_in_the_chart(text: str, key: str) -> None:
    site = ("config.yaml", yaml.safe_load(text))
    assert key in [finding.key for finding in check([*load(*INGRESS), site])]


@pytest.mark.parametrize("version", ["5.5.2", "6.0.0"])
def test_before_they_were_checked_a_hub_takes_any_name_of_a_service(version: str) -> None:
    site = ("config.yaml", {"hub": {"services": {"a": {"name": "a/b", "url": "http://x"}}}})
    assert check([*load(*INGRESS), site], version) == []


@pytest.mark.parametrize(
    "text",
    [
        "loadRoles: {class-a.x_y~z: {scopes: ['list:users!group=Class A, 2026']}}",
        "loadRoles: {abc: {scopes: ['access:servers!server=ada/', 'read:users!user', 'self']}}",
        "{loadRoles: {abc: {scopes: ['custom:a:b']}}, config: {JupyterHub: {custom_scopes:"
        " {'custom:a:b': {description: a}}}}}",
        "{loadRoles: {abc: {scopes: ['custom:a:b']}}, extraConfig: {a: 'c.JupyterHub.custom_scopes"
        " = define()'}}",
        "loadRoles: {abc: {scopes: ['list:users'], groups: [Class A, '2026']}}",
        "services: {Grader_2.x: {url: 'http://grader:80'}}",
        "services: {My.App_1: {url: 'http://elsewhere:80', apiToken: a23456789}}",
        "services: {Own_App: {name: My App, url: 'http://elsewhere:80'}}",
        "labels: {app.example.org/team: A_b.c-1, empty: ''}",
        "extraFiles: {my_file.conf: {mountPath: /etc/my.conf, stringData: a}}",
        "extraConfig: {'1 any key / works': 'pass'}",
        "extraEnv: {a.b-c: d}",
        "baseUrl: lab",
    ],
)
def test_a_name_that_is_taken(text: str) -> None:
    site = ("config.yaml", yaml.safe_load(f"hub: {{{text}}}" if text[0] != "{" else f"hub: {text}"))
    assert check([*load(*INGRESS), site]) == []
