"""The state of a sign-in, encrypted and stored by the browser."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: A sign-in for a longer URL ends on the home page.
MAX_URL_LENGTH = 2000


def derive_key(secret: bytes, purpose: bytes) -> bytes:
    """A key for one purpose, 32 bytes (HKDF, https://www.rfc-editor.org/rfc/rfc5869)."""
    return HKDF(hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret)


def safe_redirect_target(url: str, prefix: str) -> str:
    """The requested path and query if they are below our prefix, else the prefix."""
    path = url.split("?", 1)[0]
    # browsers treat %2e as a dot
    leads_up = ".." in unquote(path)
    odd = "\\" in url or "//" in path or leads_up or not url.isprintable()
    if odd or not path.startswith(prefix) or len(url) > MAX_URL_LENGTH:
        return prefix
    return url


@dataclass
class SignIns:
    """Counts the sign-ins of browsers since the start of the process.

    A browser of which the hub refuses the client or the redirect URI does not come back, so such a
    refusal shows only in sign-ins that are begun again.

    Attributes:
        finished: sign-ins that have succeeded.
        failed: those for whose code the hub returned no token.
        repeated: those begun by a browser that had not come back from an earlier one.
    """

    finished: int = 0
    failed: int = 0
    repeated: int = 0


@dataclass(frozen=True)
class LoginState:
    """The state of one unfinished sign-in.

    Attributes:
        browser_id: the cookie of the browser that began it; only that browser may finish it.
        next_url: the path to redirect to at the end.
        code_verifier: of PKCE, on JupyterHub 6 (https://www.rfc-editor.org/rfc/rfc7636).
        is_retry: whether it replaces an expired one.
        is_expired: whether it was begun too long ago to be finished.
    """

    browser_id: str
    next_url: str
    code_verifier: str | None = None
    is_retry: bool = False
    is_expired: bool = False

    def belongs_to(self, browser_id: str | None) -> bool:
        return browser_id is not None and hmac.compare_digest(self.browser_id, browser_id)


class LoginStateCipher:
    """Encrypts and signs states, so that no process needs to store them.

    Any process with the same cookie secret can decrypt them: one after a restart or an upgrade,
    or a second one.

    Args:
        cookie_secret: the service's.
        max_age: seconds after which a state has expired.
    """

    def __init__(self, cookie_secret: bytes, max_age: int) -> None:
        key = derive_key(cookie_secret, b"tornado_service login state")
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._max_age = max_age

    def encrypt(self, state: LoginState) -> str:
        """The state as a value for the ``state`` parameter of OAuth."""
        # do not rename these keys: a sign-in may span an upgrade
        fields = {
            "browser": state.browser_id,
            "next_url": state.next_url,
            "code_verifier": state.code_verifier,
            "again": state.is_retry,
        }
        return self._fernet.encrypt(json.dumps(fields).encode()).decode()

    def decrypt(self, encrypted: str) -> LoginState | None:
        """The state in a text; ``None`` if the text is not ours, or has an unknown version."""
        try:
            token = _canonical_token(encrypted)
            fields = json.loads(self._fernet.decrypt(token))
            age = time.time() - self._fernet.extract_timestamp(token)
            return LoginState(
                browser_id=fields["browser"],
                next_url=fields["next_url"],
                code_verifier=fields["code_verifier"],
                is_retry=fields["again"],
                is_expired=age > self._max_age,
            )
        except (InvalidToken, ValueError, LookupError, TypeError):
            return None


def _canonical_token(encrypted: str) -> bytes:
    """The text, if it equals ``encrypt``'s output: base64 has spare bits, which are not signed.

    Raises:
        ValueError: it has another spelling, or is not base64.
    """
    token = encrypted.encode("ascii")
    if base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)) != token:
        raise ValueError("not as it was encrypted")
    return token
