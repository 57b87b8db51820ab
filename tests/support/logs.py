"""The log of a service that a test starts itself."""

from __future__ import annotations

import logging

from tornado_service.app import TornadoService


class Listener(logging.Handler):
    """Keeps the warnings of a service that a test starts itself."""

    def __init__(self, service: TornadoService) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.log = service.log

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> list[str]:
        self.log.addHandler(self)
        return self.lines

    def __exit__(self, *_: object) -> None:
        self.log.removeHandler(self)
