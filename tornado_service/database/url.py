"""The URL of a database: taken apart so that no message shows a part of its password."""

from __future__ import annotations

import re

from sqlalchemy import URL, make_url

from .errors import DatabaseUnusable

#: What ends a part of a URL, or begins a character that is percent-encoded.
#: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
_NOT_ENCODED = re.compile(r"[@/:?#\[\]\s]|%(?![0-9A-Fa-f]{2})")


def parse_url(text: str, setting: str) -> URL:
    """Take a URL apart.

    A password that is not percent-encoded is refused: what follows its ``@`` would be taken for
    the host, which drivers quote in their messages. None of ours shows a part of the URL.
    """
    if not isinstance(text, str):
        raise DatabaseUnusable(f"{setting} is no text: write the URL of the database in quotes.")
    scheme, _, rest = text.partition("://")
    if scheme.lower().startswith("sqlite"):
        return make_url(text)
    account, at, place = rest.partition("@")
    name, _, password = account.partition(":")
    if at and ("@" in place or _NOT_ENCODED.search(name) or _NOT_ENCODED.search(password)):
        raise DatabaseUnusable(
            f"{setting} has a character in its user, password or query that must be"
            " percent-encoded: write @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25,"
            " [ as %5B, ] as %5D and a blank as %20."
        )
    url = make_url(text)
    if any("password" in key.lower() for key in url.query):
        raise DatabaseUnusable(
            f"{setting} has a password after the question mark: write it percent-encoded before"
            " the host, as in postgresql+psycopg2://user:password@host/name."
        )
    return url
