"""File names of CSV downloads: the hub, the figure and the period."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from ...handlers.base import BaseHandler

#: The longest name, in bytes of UTF-8 with the suffix: file systems take 255.
LONGEST_NAME = 200

#: The longest part of it, in characters: a long name of a user leaves room for the period.
LONGEST_PART = 60

_UNSAFE = re.compile(r"[^\w.]+")


def content_disposition(parts: list[str], suffix: str) -> str:
    """The header that names the file of a download; empty parts of the name are left out.

    Characters other than letters, digits, ``_`` and ``.`` become ``-``. A browser that knows RFC
    8187 reads the name with its letters, others read it in ASCII
    (https://www.rfc-editor.org/rfc/rfc6266#appendix-D).
    """
    safe = [_UNSAFE.sub("-", part)[:LONGEST_PART].strip("-.") for part in parts]
    stem = "-".join(filter(None, safe)).encode()[: LONGEST_NAME - len(suffix)]
    name = stem.decode(errors="ignore") + suffix
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_")
    header = f'attachment; filename="{ascii_name}"'
    return header if name == ascii_name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def hub_of(handler: BaseHandler) -> list[str]:
    """The hub as users know it: its host, and its base URL where it is not ``/``.

    The host is that of the hub's public URL, else the one that the browser has used.
    """
    auth = handler.hub_auth
    public = os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL") or auth.hub_host
    host = urlsplit(public).hostname or handler.request.host_name
    return [host, unquote(auth.hub_prefix).removesuffix("hub/")]
