from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets.config import Config

from tests.support.values import INGRESS, SCOPE, VALUES, check, load, stop
from tornado_service import ServiceApp
from tornado_service.activity import Activity
from tornado_service.values import ValuesApp
from tornado_service.values.check.access import SUGGESTED_SCOPES
from tornado_service.values.deployment import Deployment
from tornado_service.values.merge import Values
from tornado_service.values.overlays import OVERLAYS, overlay_text


class Reports(ServiceApp):
    """The declarations of an app that values use."""

    name = "reports"
    service_scopes = frozenset({"list:users", "read:servers"})
    user_scopes = frozenset({"list:users"})


class Marks(ServiceApp):
    """An app with scopes of its own."""

    name = "marks"
    user_scopes = frozenset({"custom:marks:write", "custom:marks:read!group=a"})


class Plain(ServiceApp):
    """An app that declares no scopes."""

    name = "plain"


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_file_is_what_the_command_writes(name: str) -> None:
    deployment = ValuesApp(config=Config()).deployment()
    assert (VALUES / name).read_text() == overlay_text(deployment, [name])


def test_there_is_no_other_overlay() -> None:
    assert {file.name for file in VALUES.glob("*.yaml")} == set(OVERLAYS)


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_text_is_yaml_and_no_line_is_long(name: str) -> None:
    groups = ("a b", "no", "1")
    text = overlay_text(Deployment(name="yes", port=9000, groups=groups, user_scopes=["x"]), [name])
    hub = yaml.safe_load(text)["hub"]
    assert set(hub.get("services", {})) <= {"yes"}
    if name == "groups.yaml":
        assert hub["loadRoles"]["yes-access"]["groups"] == list(groups)
    assert max(map(len, text.splitlines())) <= 100


def test_output_dir_has_every_file(tmp_path: Path) -> None:
    assert stop(ValuesApp, [f"--output-dir={tmp_path}/new"]) == 0
    for name in OVERLAYS:
        assert (tmp_path / "new" / name).read_text() == (VALUES / name).read_text()


def test_a_directory_that_cannot_be_made_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert stop(ValuesApp, [f"--output-dir={tmp_path}/file"]) == 2
    assert capsys.readouterr().err.strip().endswith("File exists")


def rendered(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert stop(ValuesApp, list(argv)) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_one_document_holds_what_the_files_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert rendered(capsys) == Values(load(*INGRESS)).tree
    argv = ["--mode=allowed-ingress-ports", "--delivery=extra-files", "--jupyterhub=6"]
    names = ["service.yaml", "allowed-ingress-ports.yaml", "extra-files.yaml", "jupyterhub-6.yaml"]
    assert rendered(capsys, *argv) == Values(load(*names)).tree


def test_another_name_port_release_and_image(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(
        capsys,
        "--name=usage",
        "--port=9100",
        "--release=r1",
        "--fullname-override=null",
        "--image=example.org:5000/me/hub:1.2",
        "--base-url=/lab",
        "--loopback-api",
    )
    hub = values["hub"]
    service = hub["services"]["usage"]
    assert service["url"] == "http://r1-jupyterhub-hub:9100"
    assert service["environment"]["JUPYTERHUB_API_URL"] == "http://localhost:8081/lab/hub/api"
    assert hub["image"] == {"name": "example.org:5000/me/hub", "tag": "1.2"}
    assert hub["extraPodSpec"]["hostAliases"] == [
        {"ip": "127.0.0.1", "hostnames": ["r1-jupyterhub-hub"]},
        {"ip": "::1", "hostnames": ["r1-jupyterhub-hub"]},
    ]
    assert hub["service"]["extraPorts"] == [{"name": "usage", "port": 9100, "targetPort": 9100}]
    peer = hub["networkPolicy"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"]
    assert peer == {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/instance": "r1"}
    values["fullnameOverride"] = None
    values["hub"]["baseUrl"] = "/lab"
    assert check([("x.yaml", values)], release="r1") == []
    assert check([("x.yaml", values)]) == []


def test_a_parent_chart(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(capsys, "--parent=jupyterhub")
    assert list(values) == ["jupyterhub"]
    assert check([("x.yaml", values)]) == []
    (finding,) = check([("x.yaml", values), ("y.yaml", {"hub": {"labels": {}}})])
    assert (finding.file, finding.key) == ("y.yaml", "hub")


def test_a_site_with_a_parent_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("jupyterhub: {hub: {service: {extraPorts: [{name: a, port: 1}]}}}")
    hub = rendered(capsys, f"--site={config}")["jupyterhub"]["hub"]
    assert [port["name"] for port in hub["service"]["extraPorts"]] == ["tornado-service", "a"]


def test_apps_bring_their_scopes(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(capsys, f"--app={__name__}:Reports", f"--app={__name__}.Plain", "--image=x:1")
    hub = values["hub"]
    assert hub["loadRoles"] == {
        "tornado-service": {
            "scopes": ["list:users", "read:servers"],
            "services": ["tornado-service"],
        }
    }
    service = hub["services"]["tornado-service"]
    assert service["oauth_client_allowed_scopes"] == ["list:users"]
    assert service["command"] == [
        "python3",
        "-m",
        "tornado_service",
        f"--TornadoService.apps={__name__}:Reports",
        f"--TornadoService.apps={__name__}.Plain",
    ]
    assert check([("x.yaml", values)]) == []


def test_custom_scopes_of_apps_are_defined_at_the_hub(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Otherwise no user could sign in."""
    values = rendered(capsys, f"--app={__name__}:Marks", "--jupyterhub=6", "--image=x:1")
    settings = values["hub"]["config"]["JupyterHub"]

    assert list(settings["custom_scopes"]) == ["custom:marks:read", "custom:marks:write"]
    assert all(scope["description"] for scope in settings["custom_scopes"].values())
    assert "extra_user_scopes" in settings
    assert check([("x.yaml", values)], version="6.1") == []


def test_activity_is_there_until_other_apps_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    def apps(*argv: str) -> list[str]:
        command = rendered(capsys, *argv)["hub"]["services"]["tornado-service"]["command"]
        return [word.partition("=")[2] for word in command if word.startswith("--")]

    mine = f"{__name__}:Plain"
    assert apps() == ["activity"]
    assert apps(f"--app={mine}") == [mine]
    assert apps("--app=activity", f"--app={mine}") == ["activity", mine]


def test_without_any_app(capsys: pytest.CaptureFixture[str]) -> None:
    assert stop(ValuesApp, ["--app="]) == 0
    text = capsys.readouterr().out
    hub = yaml.safe_load(text)["hub"]
    assert hub["services"]["tornado-service"]["command"] == ["python3", "-m", "tornado_service"]
    assert "loadRoles" not in hub
    assert "oauth_client_allowed_scopes" not in hub["services"]["tornado-service"]
    assert "Activity" not in text


def test_activity_gets_the_scopes_that_it_declares(capsys: pytest.CaptureFixture[str]) -> None:
    hub = rendered(capsys)["hub"]
    role = hub["loadRoles"]["tornado-service"]
    assert set(role["scopes"]) == Activity.service_scopes == set(SUGGESTED_SCOPES)
    assert role["services"] == ["tornado-service"]
    allowed = hub["services"]["tornado-service"]["oauth_client_allowed_scopes"]
    assert set(allowed) == Activity.user_scopes


@pytest.mark.parametrize("app", ["no.such:App", "sys:nothing", "plain"])
def test_an_app_that_is_not_there(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert stop(ValuesApp, [f"--app={app}"]) == 2
    assert capsys.readouterr().err.startswith(f"tornado-service values: --app={app}: ")


def test_groups_instead_of_everyone(capsys: pytest.CaptureFixture[str]) -> None:
    hub = rendered(capsys, "--group=a", "--group=b", "--jupyterhub=6")["hub"]
    assert hub["loadRoles"]["tornado-service-access"] == {"scopes": [SCOPE], "groups": ["a", "b"]}
    assert "config" not in hub


def test_the_lists_of_a_site_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = """
    hub:
      service: {extraPorts: [{name: other, port: 9000}]}
      networkPolicy: {ingress: [{ports: [{port: 9000}]}], egress: [{ports: [{port: 5432}]}]}
      extraPodSpec: {hostAliases: [{ip: 10.0.0.1, hostnames: [db]}]}
    """
    config = tmp_path / "config.yaml"
    config.write_text(site)
    text = yaml.safe_load(site)
    assert stop(ValuesApp, [f"--site={config}"]) == 0
    ours = yaml.safe_load(capsys.readouterr().out)
    assert [entry["port"] for entry in ours["hub"]["service"]["extraPorts"]] == [8181, 9000]
    assert len(ours["hub"]["extraPodSpec"]["hostAliases"]) == 3
    assert check([("config.yaml", text), ("ours.yaml", ours)]) == []
    lost = [finding.key for finding in check([("ours.yaml", ours), ("config.yaml", text)])]
    assert "hub.service.extraPorts" in lost


def test_web_apps_at_a_url(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = """
    hub:
      services:
        tornado-service: {command: [python3, -m, tornado_service, --config=/apps.json]}
      extraFiles:
        apps:
          mountPath: /apps.json
          data:
            TornadoService:
              web_apps: {blog: {url: http://blog.tools.svc}, own: {url: 'http://hub:9000'}}
      networkPolicy: {egress: [{ports: [{port: 5432}]}]}
    """
    config = tmp_path / "config.yaml"
    config.write_text(site)
    urls = ["http://wiki", "https://x.example.org", "http://[::1]:9000", "http://blog.tools.svc=81"]
    argv = [*(f"--web-app-url={url}" for url in urls), f"--site={config}"]
    for mode in ("ingress", "allowed-ingress-ports"):
        assert stop(ValuesApp, [*argv, f"--mode={mode}"]) == 0
        text = capsys.readouterr().out
        assert text.count("# The web app at https://x.example.org has no rule: ") == 1
        own, *rules = yaml.safe_load(text)["hub"]["networkPolicy"]["egress"]
        assert [port["port"] for port in own["ports"]] == [8081, 8181]
        tools = {"matchLabels": {"kubernetes.io/metadata.name": "tools"}}
        assert rules == [
            {"to": [{"podSelector": {}}], "ports": [{"port": 80}]},
            {"to": [{"namespaceSelector": tools}], "ports": [{"port": 81}]},
            {"ports": [{"port": 5432}]},
        ]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--name=tornado_service"], "--name=tornado_service"),
        (["--name=" + "x" * 64], "at most 63"),
        (["--port=8081"], "the hub's own"),
        (["--port=80"], "1024"),
        (["--image=only-a-name"], "NAME:TAG"),
        (["--image=host:5000/name"], "NAME:TAG"),
        (["--mode=none"], "allowed-ingress-ports"),
        (["--fullname-override=null"], "--release"),
        (["--nosuch=1"], "--nosuch"),
        (["nosuch"], "nosuch"),
        (["--site=nosuch.yaml"], "nosuch.yaml"),
        (["--web-app-url=wiki:80"], "--web-app-url=wiki:80: write it as http://"),
        (["--web-app-url=http://a", "--delivery=extra-files"], "does without web apps"),
    ],
)
def test_a_wrong_option(
    argv: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert stop(ValuesApp, argv) == 2
    assert says in capsys.readouterr().err + caplog.text
