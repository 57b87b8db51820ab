import re
from pathlib import Path

import pytest

from tornado_service.hub.versions import (
    OLDEST_SUPPORTED,
    REFUSES_64_CHARACTERS,
    SUPPORTED_VERSIONS,
    is_supported,
    parse_version,
    refuses_64_characters,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("version", "supported"),
    [
        ("5.4.5", False),
        ("5.4.6", True),
        ("5.5", True),
        ("5.5.3", False),
        ("5.5.4", True),
        ("6.1.0", False),
        ("6.1", True),
        ("7", True),
        ("4", False),
    ],
)
def test_supported_versions(version: str, supported: bool) -> None:
    assert is_supported(parse_version(version)) is supported


def test_a_version_may_have_more_to_it_than_numbers() -> None:
    assert refuses_64_characters("6.1.0")
    assert not refuses_64_characters("6.1.0.dev")
    with pytest.raises(ValueError, match="dev"):
        parse_version("6.1.dev")


def test_the_package_requires_the_same_versions() -> None:
    requirement = re.search(r'"jupyterhub(>=.*)"', (ROOT / "pyproject.toml").read_text())
    assert requirement is not None
    named = re.findall(r"\d+\.\d+\.\d+", requirement[1])
    assert [parse_version(text) for text in named] == [OLDEST_SUPPORTED, *REFUSES_64_CHARACTERS]
    assert re.findall(r"\d+\.\d+\.\d+", SUPPORTED_VERSIONS) == named
