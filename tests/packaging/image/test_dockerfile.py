"""Checks of the Dockerfile without building it."""

import re
from fnmatch import fnmatch
from string import Template

import pytest

from tests.support import ROOT

Instructions = list[tuple[str, str]]


def parse(text: str) -> Instructions:
    """The instructions, each on one line."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


@pytest.fixture
def dockerfile() -> Instructions:
    return parse((ROOT / "image/Dockerfile").read_text())


def stages_of(dockerfile: Instructions) -> list[Instructions]:
    starts = [n for n, (word, _) in enumerate(dockerfile) if word == "FROM"]
    ends = [*starts[1:], len(dockerfile)]
    return [dockerfile[start:end] for start, end in zip(starts, ends, strict=True)]


@pytest.fixture
def last_stage(dockerfile: Instructions) -> Instructions:
    """What is built without a target: the image of the hub."""
    return stages_of(dockerfile)[-1]


@pytest.fixture
def service_stage(dockerfile: Instructions) -> Instructions:
    """The image of the service alone."""
    (stage,) = [
        stage for stage in stages_of(dockerfile) if stage[0][1] == "${PYTHON_IMAGE} AS service"
    ]
    return stage


def test_the_stages_and_their_bases(dockerfile: Instructions) -> None:
    stages = [rest for word, rest in dockerfile if word == "FROM"]

    assert dockerfile[:2] == [
        ("ARG", "HUB_IMAGE=quay.io/jupyterhub/k8s-hub:4.4.0"),
        ("ARG", "PYTHON_IMAGE=docker.io/library/python:3.13-slim"),
    ]
    assert stages == [
        "${PYTHON_IMAGE} AS environment",
        "${PYTHON_IMAGE} AS service",
        "${HUB_IMAGE} AS wheels",
        "${HUB_IMAGE}",
    ]


def test_the_service_image_gets_an_environment_and_nothing_else(
    dockerfile: Instructions, service_stage: Instructions
) -> None:
    (run,) = [rest for word, rest in stages_of(dockerfile)[0] if word == "RUN"]
    words = [word for word, _ in service_stage]

    assert words == ["FROM", "ARG", "LABEL", "COPY", "ENV", "USER", "EXPOSE", "ENTRYPOINT"]
    assert ("COPY", "--from=environment /opt/tornado-service /opt/tornado-service") in service_stage
    assert "--only-binary=:all:" in run
    assert run.endswith("pip uninstall --yes pip setuptools")
    assert not re.search(r"\b(apt|apt-get|curl|wget|npm|node|git|gcc)\b", run)


def test_the_bases_user_is_restored(last_stage: Instructions) -> None:
    # k8s-hub has NB_USER as a build argument, which images made from it do not see
    assert ("ARG", "NB_USER=jovyan") in last_stage
    assert [rest for word, rest in last_stage if word == "USER"] == ["root", "${NB_USER}"]
    assert last_stage[-1][0] == "USER"


def test_the_base_starts_as_it_did(last_stage: Instructions) -> None:
    assert {word for word, _ in last_stage} == {"FROM", "ARG", "LABEL", "USER", "RUN"}


def test_nothing_depends_on_the_bases_python(dockerfile: Instructions) -> None:
    text = "\n".join(rest for _, rest in dockerfile)

    assert not re.search(r"python3?\.\d|site-packages|dist-packages", text)


def test_the_hubs_packages_hold_pip_back_and_nothing_stays(last_stage: Instructions) -> None:
    run, _ = [rest for word, rest in last_stage if word == "RUN"]

    assert re.search(r"pip install .*--no-cache-dir .*--constraint=", run)
    assert run.index("/before") < run.index("pip install") < run.index("/after")
    assert "from=wheels" in run
    assert not re.search(r"\b(apt|apt-get|curl|wget|npm|node|git|gcc)\b", run)


def test_web_apps_change_nothing_of_the_hub(last_stage: Instructions) -> None:
    _, run = [rest for word, rest in last_stage if word == "RUN"]

    assert "python3 -m venv /opt/web-apps" in run
    assert run.count("pip install") == run.count("/opt/web-apps/bin/python3 -m pip install") == 1


def test_without_requirements_there_are_no_web_apps() -> None:
    lines = (ROOT / "image/requirements.txt").read_text().splitlines()

    assert [line for line in lines if line.strip() and not line.startswith("#")] == []


@pytest.mark.parametrize("name", ["title", "description", "licenses", "base.name"])
def test_both_images_have_labels(
    last_stage: Instructions, service_stage: Instructions, name: str
) -> None:
    for stage in (last_stage, service_stage):
        (labels,) = [rest for word, rest in stage if word == "LABEL"]
        assert re.search(rf'\borg\.opencontainers\.image\.{re.escape(name)}="[^"]+"', labels)


def test_what_it_copies_is_there_and_not_ignored(dockerfile: Instructions) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()[1:]
    given = dict(rest.split("=") for word, rest in dockerfile if word == "ARG" and "=" in rest)
    copied = [
        Template(source).substitute(given)
        for word, rest in dockerfile
        if word == "COPY" and not rest.startswith("--from=")
        for source in rest.split()[:-1]
    ]

    for source in copied:
        assert (ROOT / source).exists()
        assert not [pattern for pattern in ignored if fnmatch(source, pattern)]


@pytest.mark.parametrize(
    "name", [".git", ".venv", ".venv-5.5", ".pytest_cache", "dist", "tests", "chart"]
)
def test_the_context_is_small(name: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()[1:]

    assert [pattern for pattern in ignored if fnmatch(name, pattern)]
