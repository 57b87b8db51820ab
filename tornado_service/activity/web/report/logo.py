"""The logo of a report: a file of the settings, or that of the hub's pages."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from tornado.simple_httpclient import SimpleAsyncHTTPClient

from ....hub.client import HubClient
from .document import Image

#: Bytes: a report is sent by mail.
MAX_LOGO = 300_000

#: Seconds that a report waits for the hub's logo.
MAX_WAIT = 3.0


def read_logo(path: str) -> Image | None:
    """The image of a file; ``None`` without a path.

    Raises:
        ValueError: it is no image, or cannot be read; says what to change.
    """
    if not path:
        return None
    content_type = mimetypes.guess_type(path)[0] or ""
    if not content_type.startswith("image/"):
        raise ValueError(f"{path!r} is not an image by its name; name a file such as logo.png")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path!r} cannot be read: {error.strerror}") from None
    if len(content) > MAX_LOGO:
        raise ValueError(f"{path!r} has more than {MAX_LOGO:,} bytes")
    return Image(content, content_type)


async def hub_logo(hub: HubClient) -> Image | None:
    """The logo of the hub's pages; ``None``: the hub does not send one soon."""
    url = hub.api_url.rstrip("/").removesuffix("/api") + "/logo"
    client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=MAX_LOGO)
    try:
        response = await client.fetch(
            url,
            connect_timeout=MAX_WAIT,
            request_timeout=MAX_WAIT,
            follow_redirects=False,
            decompress_response=False,
            ssl_options=hub.tls.client_context(),
        )
    except Exception:  # whatever it is, the report is of use without a logo
        return None
    finally:
        client.close()
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    return Image(response.body, content_type) if content_type.startswith("image/") else None
