from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets import TraitError

from tests.support.values import INGRESS, check, load, stop
from tornado_service.values import ValuesApp
from tornado_service.values.cli import CheckApp
from tornado_service.values.merge import Values, ValuesError
from tornado_service.values.paths import KeyPath
from tornado_service.values.yaml_files import loader

#: The shape of a hub with BinderHub: the chart is a dependency of a dependency.
BINDER = """
etcJupyter: {notebook.json: {NotebookApp: {allow_origin: "*"}}}
binderhub:
  networkPolicy: {enabled: true}
  config: {BinderHub: {use_registry: true}}
  extraConfig: {01-log: "x = 1"}
  service: {type: ClusterIP}
  jupyterhub:
    cull: {every: 660, maxAge: 21600}
    hub:
      pdb: {minAvailable: 0}
      service: {extraPorts: [{name: other, port: 9000}]}
      loadRoles: {reader: {scopes: ["list:users"], services: [other]}}
    proxy: {service: {type: ClusterIP}}
    singleuser: {storage: {type: none}}
grafana: {ingress: {enabled: true}, proxy: {annotations: {}}}
proxyPatches: {enabled: true, interval: 60}
"""

NESTED = ("binderhub", "jupyterhub")


def values_of(text: str, parent: KeyPath | None = None) -> Values:
    return Values((("site.yaml", document) for document in loader.load(text)), parent)


def under(path: KeyPath, files: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The same files with all below these keys."""
    for key in reversed(path):
        files = [(name, {key: values}) for name, values in files]
    return files


def site(text: str) -> list[tuple[str, Any]]:
    return [("site.yaml", yaml.safe_load(text))]


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("{}", ()),
        ("something: {else: 1}", ()),
        ("hub: {config: {}}", ()),
        ("jupyterhub: {hub: {services: {}}}", ("jupyterhub",)),
        ("jupyterhub: {singleuser: {image: {name: a, tag: b}}}", ("jupyterhub",)),
        ("lab: {proxy: {secretToken: x}}", ("lab",)),
        ("hub: {hub: {config: {}}, proxy: {chp: {}}}", ("hub",)),
        ("a: {b: {c: {cull: {every: 60}}}}", ("a", "b", "c")),
        ("gateway: {proxy: {annotations: {}, service: {}}}", ()),
        ("custom: {jupyterhub: {hub: {config: {}}}}\nhub: {config: {}}", ()),
        (BINDER, NESTED),
    ],
)
def test_the_charts_values_are_found_at_any_depth(text: str, root: KeyPath) -> None:
    assert values_of(text).root == root


def test_the_alias_that_has_a_service_is_meant() -> None:
    two = "one: {hub: {pdb: {}}}\ntwo: {hub: {pdb: {}, services: {a: {}}}}"
    assert values_of(two).root == ("two",)
    assert values_of(two, ("one",)).root == ("one",)


def test_an_ambiguous_chart_has_to_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("one: {hub: {pdb: {}}}\ntwo: {hub: {pdb: {}}}")
    with pytest.raises(ValuesError, match=r"one and two hold .* select one: --parent=one"):
        values_of(file.read_text())
    assert stop(ValuesApp, [f"--site={file}"]) == 2
    assert stop(CheckApp, [f"-f{file}"]) == 2
    assert stop(ValuesApp, [f"--site={file}", "--parent=two"]) == 0
    assert list(yaml.safe_load(capsys.readouterr().out)) == ["two"]


@pytest.mark.parametrize("argv", [[], ["--parent=binderhub.jupyterhub"]])
def test_values_go_where_the_sites_are_and_hold_its_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(BINDER)
    assert stop(ValuesApp, [f"--site={file}", *argv, "--image=quay.io/me/hub:1"]) == 0
    ours = yaml.safe_load(capsys.readouterr().out)
    assert list(ours) == ["binderhub"]
    ports = ours["binderhub"]["jupyterhub"]["hub"]["service"]["extraPorts"]
    assert [port["name"] for port in ports] == ["tornado-service", "other"]
    assert check([*site(BINDER), ("ours.yaml", ours)]) == []


def test_a_path_of_parents_needs_no_site(capsys: pytest.CaptureFixture[str]) -> None:
    assert stop(ValuesApp, ["--parent=a.b-2.c_d"]) == 0
    text = capsys.readouterr().out
    assert "hub" in yaml.safe_load(text)["a"]["b-2"]["c_d"]
    assert "# Opens the port" in text


def test_mistakes_are_found_below_two_charts() -> None:
    files = [*under(NESTED, load(*INGRESS)), *site(BINDER)]
    findings = check(files)
    assert {finding.key for finding in findings} == {"binderhub.jupyterhub.hub.service.extraPorts"}
    assert "has no port 8181" in str(findings)


@pytest.mark.parametrize("wrong", [(), ("jupyterhub",), ("binderhub",), ("binderhub", "hub")])
def test_what_stands_where_no_chart_is_is_read_by_nothing(wrong: KeyPath) -> None:
    findings = check([*under(wrong, load(*INGRESS)), *site(BINDER)])
    keys = {
        finding.key: finding
        for finding in findings
        if finding.consequence.startswith("nothing reads it")
    }
    assert set(keys) == {".".join((*wrong, section)) for section in ("hub", "proxy")}
    (one, *_) = keys.values()
    assert one.file == "service.yaml"
    assert one.fix.endswith("tornado-service values --parent=binderhub.jupyterhub")
    assert "binderhub.jupyterhub.hub.services" in {finding.key for finding in findings}


def test_a_list_of_another_chart_is_ignored() -> None:
    other = {"x": {"y": {"hub": {"networkPolicy": {"ingress": ["a"]}}}}}
    more = {"x": {"y": {"hub": {"networkPolicy": {"ingress": ["b"]}}}}}
    files = [*under(NESTED, load(*INGRESS)), ("1", other), ("2", more)]
    assert [finding.key for finding in check(files, parent=NESTED)] == ["x.y.hub"]


def test_below_a_parent_that_is_not_there() -> None:
    findings = check(
        [*under(("jupyterhub",), load(*INGRESS)), *site("hub: {pdb: {enabled: true}}")]
    )
    (finding,) = [finding for finding in findings if finding.key == "jupyterhub.hub"]
    assert finding.consequence == "nothing reads it: the chart takes its values from the top."


def test_the_parent_that_is_named_is_checked() -> None:
    files = [*under(("one",), load(*INGRESS)), ("x", {"two": {"hub": {"pdb": {}}}})]
    assert check(files, parent=("one",)) == []
    keys = {finding.key for finding in check(files, parent=("three",))}
    assert keys == {"one.hub", "one.proxy", "two.hub", "three.hub.services"}


def test_under_an_alias_the_release_and_the_alias_name_the_hub(
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = ["--parent=staging", "--fullname-override=null", "--release=r"]
    assert stop(ValuesApp, argv) == 0
    ours = yaml.safe_load(capsys.readouterr().out)
    service = ours["staging"]["hub"]["services"]["tornado-service"]
    assert service["url"] == "http://r-staging-hub:8181"
    ours["staging"]["fullnameOverride"] = None
    assert check([("x", ours)], release="r") == []


@pytest.mark.parametrize("text", ["a..b", ".a", "a.", "a b", "a/b"])
def test_a_parent_is_a_path_of_names(text: str) -> None:
    with pytest.raises(TraitError, match="path of charts"):
        ValuesApp(parent_key=text)
    assert stop(CheckApp, [f"--parent={text}", "-fx"]) == 2
