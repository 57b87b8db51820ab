"""Pseudonyms: names from which nobody without the secret finds the user."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from .records import Sample

#: Maps the hub's name of a user to the name under which the user is stored.
NameMapper = Callable[[str], str]

#: Pseudonyms that are cached, some 10 MB.
CACHED_PSEUDONYMS = 50_000

_PSEUDONYM = re.compile(r"user-[0-9a-f]{16}")


def identity(name: str) -> str:
    return name


def pseudonyms(secret: bytes) -> NameMapper:
    """Make a mapper to names such as ``user-3f9a…``; the secret has 16 bytes or more.

    A name always has the same pseudonym, so users still find their own usage. Names of servers
    are stored as they are.
    """
    key = hmac.digest(secret, b"tornado_service activity pseudonyms", "sha256")

    # a request of somebody who may see thousands of users needs all their pseudonyms at once
    @lru_cache(CACHED_PSEUDONYMS)
    def pseudonym(name: str) -> str:
        return f"user-{hmac.digest(key, name.encode(), 'sha256').hex()[:16]}"

    return pseudonym


def fingerprint(secret: str) -> str:
    """What tells one secret from another, and nothing about it; empty for none."""
    text = b"tornado_service activity fingerprint"
    return hmac.digest(secret.encode(), text, "sha256").hex()[:16] if secret else ""


def is_pseudonym(name: str) -> bool:
    return _PSEUDONYM.fullmatch(name) is not None


def pseudonymize(sample: Sample, map_name: NameMapper) -> Sample:
    users = (replace(user, name=map_name(user.name)) for user in sample.users)
    return replace(sample, users=tuple(users))
