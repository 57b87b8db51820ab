"""Settings with secrets, detected by name or by a password in a URL; what may be shown."""

import ast
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from ..telemetry.redaction import REDACTED, redact_text

_SECRET_NAME = re.compile(
    r"(?:secret|token|passw(?:or)?d|passphrase|credential|api_?key|(?:\b|_)key|dsn)s?$",
    re.IGNORECASE,
)

#: Code of a config file, or an argument, that contains one of these may hold a secret.
_MAY_BE_SECRET = re.compile(r"secret|token|passw|key|cookie|credential|dsn|ur[il]|://", re.I)

#: The beginning of traitlets' message for a value of the wrong type, up to the value.
_WRONG_VALUE = re.compile(
    r"""(?xs) ('(?P<name>\w+)'\ trait\ of\ .*?
              (?: ,\ not\ (?:the\ [\w.]+\ )? | \ contains\ | ,\ but\ a\ value\ of\  )) .+"""
)

#: A shorter text is no secret, and redacting it would make messages unreadable.
MIN_SECRET_LENGTH = 4

#: Environment variables without secrets; ``api/debug`` shows these.
PUBLIC_ENVIRONMENT = frozenset(
    {
        "JUPYTERHUB_API_URL",
        "JUPYTERHUB_BASE_URL",
        "JUPYTERHUB_CLIENT_ID",
        "JUPYTERHUB_HOST",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
        "JUPYTERHUB_OAUTH_CALLBACK_URL",
        "JUPYTERHUB_PUBLIC_HUB_URL",
        "JUPYTERHUB_PUBLIC_URL",
        "JUPYTERHUB_SERVICE_NAME",
        "JUPYTERHUB_SERVICE_PREFIX",
        "JUPYTERHUB_SERVICE_URL",
        "LANG",
        "LC_ALL",
        "PATH",
        "PYTHONPATH",
        "TORNADO_SERVICE_REPLICAS",
        "VIRTUAL_ENV",
    }
)


def is_secret_name(name: str) -> bool:
    """Whether a name is that of a secret, such as ``api_token`` or ``cookieSecret``."""
    return bool(_SECRET_NAME.search(name))


def secret_values(config: Config) -> list[str]:
    """All texts in which the secrets of some settings may appear; the longest first."""
    texts = {text for text in _secrets_in("", config, False) if len(text) >= MIN_SECRET_LENGTH}
    return sorted(texts, key=len, reverse=True)


def secret_arguments(argv: list[str]) -> list[str]:
    """All texts in which the secrets of some arguments may appear; the longest first.

    The arguments need not be existing settings.
    """
    named = [dict([arg.split("=", 1)]) for arg in argv if "=" in arg]
    separate = [{before: arg} for before, arg in pairwise(argv) if before.startswith("-")]
    return secret_values(Config(arguments=[*named, *separate]))


def without_trait_value(error: str) -> str:
    """The text of a ``TraitError``, without the value if the setting may hold a secret."""
    match = _WRONG_VALUE.search(error)
    if not match or not _MAY_BE_SECRET.search(match["name"]):
        return error
    return f"{error[: match.start()]}{match[1]}{REDACTED}"


def _secrets_in(name: str, value: Any, is_secret: bool) -> Iterator[str]:
    is_secret = is_secret or is_secret_name(name)
    if isinstance(value, LazyConfigValue):
        value = value.to_dict()
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _secrets_in(str(key), item, is_secret)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _secrets_in("", item, is_secret)
    elif isinstance(value, bytes):
        yield from _secret_spellings(value.decode("utf-8", "backslashreplace"), is_secret)
        if is_secret:
            yield from (value.hex(), repr(value)[2:-1])
    elif value is not None and not isinstance(value, bool):
        yield from _secret_spellings(str(value), is_secret)


def _secret_spellings(text: str, is_secret: bool) -> Iterator[str]:
    _, mark, rest = text.partition("://")
    inside, at, _ = rest.rpartition("@")
    if is_secret or (mark and at):
        yield from (text, repr(text)[1:-1])
    if mark and at:
        password = inside.partition(":")[2] or inside
        yield from (password, repr(password)[1:-1], unquote(password))


def may_hold_secret(file: Path, line: int) -> bool:
    """Whether the statement in a line of a config file may hold a secret.

    The text of an error in it, such as ``name 'abc' is not defined``, may then be a secret.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    statements = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line)
    ]
    innermost = max(statements, key=lambda node: node.lineno, default=None)
    if innermost is None:
        return True
    lines = text.splitlines()[innermost.lineno - 1 : innermost.end_lineno]
    return bool(_MAY_BE_SECRET.search("\n".join(lines)))


def redacted_argument(argv: list[str], argument: str) -> str:
    """An unknown argument for a message, redacted: it may be the value of a secret setting."""
    name, mark, value = argument.partition("=")
    if value and _MAY_BE_SECRET.search(name):
        return f"{name}{mark}{REDACTED}"
    for before, arg in pairwise(argv):
        if arg.partition("=")[0] == name and _MAY_BE_SECRET.search(before):
            return REDACTED
    return redact_text(argument)


def public_environment() -> dict[str, str]:
    """The environment by allow-list, without secrets."""
    return {
        name: value if name in PUBLIC_ENVIRONMENT else "[hidden]"
        for name, value in sorted(os.environ.items())
    }
