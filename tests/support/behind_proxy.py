"""A browser behind a proxy that adds or relays ``Authorization``."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.streaming import CLIENT
from tornado_service.testing import Visitor

#: A signed token of an identity provider, unknown to the hub.
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmVk"


class BehindProxy(Visitor):
    """A browser whose requests all get an Authorization header on their way."""

    authorization = ""

    def _request(self, address: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        added = {"Authorization": self.authorization, **CLIENT}
        return super()._request(address, {**headers, **added})
