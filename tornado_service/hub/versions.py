"""The versions of JupyterHub with which the service works."""

from __future__ import annotations

#: The oldest one whose sign-in library has no known vulnerabilities.
OLDEST_SUPPORTED = (5, 4, 6)

#: These refuse a token of 64 characters, which zero-to-jupyterhub generates.
REFUSES_64_CHARACTERS = ((5, 5, 3), (6, 1, 0))

#: For messages.
SUPPORTED_VERSIONS = "5.4.6 or later, but not 5.5.3 or 6.1.0"


def parse_version(text: str) -> tuple[int, ...]:
    """A version as numbers.

    Raises:
        ValueError: it is not a version.
    """
    return tuple(int(part) for part in text.split("."))


def is_supported(version: tuple[int, ...]) -> bool:
    """Whether the service supports a version, which may be incomplete, such as ``6.1``."""
    numbers = (*version, 99, 99)[:3]
    return numbers >= OLDEST_SUPPORTED and numbers not in REFUSES_64_CHARACTERS


def refuses_64_characters(version: str) -> bool:
    """Whether a hub of this version refuses a token of 64 characters."""
    return version in {".".join(map(str, numbers)) for numbers in REFUSES_64_CHARACTERS}
