"""The versions that the service accepts: none with a known vulnerability, and those of the hub."""

from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

#: The last version with a known vulnerability, and the source.
VULNERABLE = {
    # the OpenSSL in its wheels; before that CVE-2026-39892, CVE-2026-34073, CVE-2026-26007
    "cryptography": ("48.0.0", "https://cryptography.io/en/latest/changelog/"),
    "jinja2": ("3.1.5", "https://github.com/advisories/GHSA-cpwx-vrp4-4pq7"),
    "pydantic": ("2.3.0", "https://github.com/advisories/GHSA-mr82-8j83-vxmv"),
    "pyyaml": ("5.3.1", "https://github.com/advisories/GHSA-8q59-q68h-6hv4"),
    "tornado": ("6.5.6", "https://www.tornadoweb.org/en/stable/releases/v6.5.7.html"),
}

#: In the hub's image of zero-to-jupyterhub 4.4.0, images/hub/requirements.txt there.
IN_IMAGE = {
    "alembic": "1.18.4",
    "cryptography": "48.0.1",
    "jinja2": "3.1.6",
    "jupyterhub": "5.5.0",
    "prometheus-client": "0.25.0",
    "pydantic": "2.13.4",
    "pyyaml": "6.0.3",
    "sqlalchemy": "2.0.50",
    "tornado": "6.5.7",
    "traitlets": "5.15.1",
    "tzdata": "2026.2",
}


@pytest.fixture(scope="module")
def required() -> dict[str, Requirement]:
    requirements = map(Requirement, requires("tornado-service") or ())
    return {needed.name: needed for needed in requirements if needed.marker is None}


@pytest.mark.parametrize("name", VULNERABLE)
def test_versions_with_known_vulnerabilities_are_left_out(
    required: dict[str, Requirement], name: str
) -> None:
    version, source = VULNERABLE[name]

    assert version not in required[name].specifier, source


def test_the_versions_of_the_hubs_image_do(required: dict[str, Requirement]) -> None:
    refused = {
        name: version
        for name, version in IN_IMAGE.items()
        if version not in required[name].specifier
    }

    assert refused == {}
    assert required.keys() == IN_IMAGE.keys()
