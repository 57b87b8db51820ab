"""The files that contain a release's version, and the workflows of a release."""

from __future__ import annotations

import re

import pytest
import yaml
from packaging.version import Version

from tests.support import ROOT
from tornado_service import __version__
from tornado_service.values.deployment import PUBLIC_IMAGE

#: The version of the next release, or of this one.
RELEASE = Version(__version__).base_version
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
#: How a target runs that makes namespaces.
AS_ROOT = 'sudo --preserve-env env "PATH=$PATH" '


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    image = yaml.safe_load((ROOT / "values/image.yaml").read_text())["hub"]["image"]

    assert citation["version"] == RELEASE
    assert f"{image['name']}:{image['tag']}" == PUBLIC_IMAGE
    assert PUBLIC_IMAGE.endswith(f"-{RELEASE}")


def test_the_version_of_the_chart_is_that_of_the_package() -> None:
    chart = yaml.safe_load((ROOT / "chart/Chart.yaml").read_text())
    image = yaml.safe_load((ROOT / "chart/values.yaml").read_text())["image"]["name"]
    readme = (ROOT / "image/README.md").read_text()
    workflow = (ROOT / ".github/workflows/release.yml").read_text()

    assert (chart["version"], chart["appVersion"]) == (RELEASE, RELEASE)
    assert f"FROM {image}:{RELEASE}\n" in readme
    # what is pushed there
    assert (
        f"images: {image.replace('/tornado-service/', '/${{ github.repository_owner }}/')}\n"
        in (workflow)
    )


def test_a_release_has_a_dated_section_of_the_changelog() -> None:
    first = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())

    if Version(__version__).is_devrelease:
        assert first == "Unreleased"
    else:
        assert first in ("Unreleased", f"{RELEASE} - {citation['date-released']}")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_targets_of_the_makefile_and_pin_actions(workflow) -> None:
    jobs = yaml.safe_load(workflow.read_text())["jobs"]
    targets = set(re.findall(r"^([a-z0-9.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    steps = [step for job in jobs.values() for step in job["steps"]]

    assert steps
    for step in steps:
        if "uses" in step:
            assert re.search(r"@[0-9a-f]{40}$", step["uses"]), step
        elif not step["run"].startswith("gh release create "):
            program, *words = step["run"].removeprefix(AS_ROOT).split()
            assert program == "make"
            assert {word for word in words if "=" not in word} <= targets
