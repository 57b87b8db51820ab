from __future__ import annotations

from tests.support.proxy_fixtures import browser, proxied, start_proxy, upstream

__all__ = ["browser", "proxied", "start_proxy", "upstream"]
