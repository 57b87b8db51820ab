"""A file with the service's API token, such as a mounted Kubernetes Secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from .checks import ConfigError

#: Seconds between two reads. Kubernetes itself takes up to a minute to update a mounted Secret:
#: https://kubernetes.io/docs/concepts/configuration/secret/#mounted-secrets-are-updated-automatically
READ_INTERVAL = 5.0

#: A longer file, in bytes, is not a token. JupyterHub's have 64 characters at most.
MAX_SIZE = 4096


class TokenFile:
    """The file of ``TornadoService.api_token_file``.

    Args:
        path: of the file. It may be a symbolic link that is replaced when the token changes.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self) -> str:
        """The token in the file, without blanks and newlines around it. Blocks.

        Raises:
            ConfigError: the file is missing, cannot be read, or has no token in it.
        """
        try:
            if self._path.exists() and not self._path.is_file():
                raise self._error("is not a file")
            with self._path.open("rb") as file:
                content = file.read(MAX_SIZE + 1).strip()
        except FileNotFoundError:
            raise self._error("does not exist") from None
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror or error}") from None
        if not content:
            raise self._error("is empty")
        token = content.decode("ascii", "replace")
        # in a header; the replacement character is not ASCII
        if len(content) > MAX_SIZE or not (token.isascii() and token.isprintable()) or " " in token:
            raise self._error("does not contain one token and nothing more")
        return token

    def _error(self, problem: str) -> ConfigError:
        return ConfigError(f"The file {self._path} of TornadoService.api_token_file {problem}.")

    async def changes(self, token: str, log: logging.Logger) -> AsyncIterator[str]:
        """Each new token, as soon as the file has it. A file without a token is logged once.

        Args:
            token: the token that is in use.
            log: for warnings.
        """
        problem = ""
        while True:
            await asyncio.sleep(READ_INTERVAL)
            try:
                read = await asyncio.to_thread(self.read)
            except ConfigError as error:
                if str(error) != problem:
                    log.warning("%s The service goes on with the token it has.", error)
                problem = str(error)
                continue
            if problem:
                log.info("The file %s can be read again.", self._path)
                problem = ""
            if read != token:
                token = read
                yield token
