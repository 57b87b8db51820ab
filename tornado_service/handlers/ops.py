"""What an operator's tools ask: health, metrics; and static files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST
from tornado.web import StaticFileHandler

from ..auth import allow_unauthenticated, needs_scopes
from .base import APIHandler, BaseHandler


class HealthHandler(APIHandler):
    """GET health: 200 while the process serves. Asks nobody."""

    quiet = True

    @allow_unauthenticated
    def get(self) -> None:
        """Answer at once."""
        self.write_json({"status": "ok"})


class ReadyHandler(APIHandler):
    """GET health/ready: whether all is up, by name, with no detail."""

    quiet = True

    @allow_unauthenticated
    async def get(self) -> None:
        """Answer 200 or 503."""
        checks = await self.service.readiness()
        ready = all(checks.values())
        self.set_status(200 if ready else 503)
        self.write_json(
            {
                "status": "ok" if ready else "not ready",
                "checks": {name: "ok" if up else "not ready" for name, up in checks.items()},
            }
        )


class MetricsHandler(APIHandler):
    """GET metrics: Prometheus' text format, for the scope ``read:metrics``."""

    quiet = True

    @needs_scopes("read:metrics")
    def get(self) -> None:
        """Answer with everything that is counted."""
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(self.service.metrics.exposition())


class OpenMetricsHandler(MetricsHandler):
    """The same for everybody, where ``authenticate_prometheus`` is off."""

    metrics_name = MetricsHandler.__name__

    @allow_unauthenticated
    def get(self) -> None:
        """Answer with everything that is counted."""
        super().get()


class StaticHandler(BaseHandler, StaticFileHandler):
    """GET static/…: files whose names carry a hash of what is in them."""

    quiet = True

    _HASHED = re.compile(r"^(?P<stem>.+)\.[0-9a-f]{12}(?P<suffix>\.[a-z0-9]+)$")

    def initialize(self, path: str) -> None:  # type: ignore[override]
        """Serve the files below a directory."""
        BaseHandler.initialize(self)
        StaticFileHandler.initialize(self, path)

    @allow_unauthenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        """Serve one file."""
        await StaticFileHandler.get(self, path, include_body)

    @allow_unauthenticated
    async def head(self, path: str) -> None:  # type: ignore[override]
        """Serve one file's headers."""
        await StaticFileHandler.get(self, path, include_body=False)

    def parse_url_path(self, url_path: str) -> str:
        """Take the hash out of the name."""
        self._immutable = bool(self._HASHED.match(url_path))
        return super().parse_url_path(self._HASHED.sub(r"\g<stem>\g<suffix>", url_path))

    def set_extra_headers(self, path: str) -> None:
        """A name with a hash never means anything else."""
        lasting = "public, max-age=31536000, immutable"
        self.set_header("Cache-Control", lasting if self._immutable else "no-cache")


def static_urls(root: Path, prefix: str) -> Callable[[str], str]:
    """How templates name static files: by addresses with a hash of the content.

    Args:
        root: where the files are.
        prefix: their address, with a slash at its end.
    """

    @cache
    def static_url(path: str) -> str:
        digest = hashlib.sha256((root / path).read_bytes()).hexdigest()[:12]
        stem, _, suffix = path.rpartition(".")
        return f"{prefix}{stem}.{digest}.{suffix}"

    return static_url
