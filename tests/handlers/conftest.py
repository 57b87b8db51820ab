from __future__ import annotations

from tests.support.live_fixtures import app, service_config, soon, token

__all__ = ["app", "service_config", "soon", "token"]
