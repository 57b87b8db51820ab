"""Redacts secrets in texts for a log line, a page or an error; escapes control characters."""

from __future__ import annotations

import codecs
import re
from urllib.parse import unquote, urlsplit

#: Maximum length of a text from a request in a log line. In characters, as all limits here.
MAX_TEXT = 500

#: Maximum length of one message, and of one traceback.
MAX_MESSAGE = 10_000

REDACTED = "[secret]"

#: Imported now: the first line with a control character may be about files that cannot be opened.
_escape = codecs.getencoder("unicode_escape")


class RedactedText(str):
    """A message whose parts are redacted already, as repeating that takes a tenth of a request."""

    __slots__ = ()


_KEYWORD = (
    r"(?:token|auth|key|(?<!en)(?<!de)(?<!uni)code|state|[cx]srf|secret|cookie|session|passw|pwd"
    r"|credential|jwt|assertion|ticket|signature|bearer|refresh|saml|nonce|hmac"
    r"|(?<![a-z])(?:sid|sig|pw|pin|otp)(?![a-z]))"
)
_SENSITIVE = re.compile(_KEYWORD, re.IGNORECASE)
# encoded, perhaps more than once, in a URL within another URL; JSON has a colon
_EQUALS = re.compile(r"[=:]|%(?:25)*3[ad]", re.IGNORECASE)

# an unclosed quote extends to the end: else half a value would be shown
_QUOTED = r"""(?: [bruf]{0,2} (?: "(?:[^"\\]|\\.)*(?:"|\\?\Z) | '(?:[^'\\]|\\.)*(?:'|\\?\Z) )
                | \\+["'] [^"'\\]* (?:\\+["'])? )"""

# Authorization: Digest a, b and Cookie: a=b; c=d extend to the end of the line or of the quotes
_SECRET_HEADER = re.compile(
    rf"""(?ixs) ((?:authorization | (?:(?<![\w-])|(?<=\\[rn]))(?:set-)?cookie2?)
                 (?: (?:\\*["'])? \s*:\s{{0,9}} | ["']\s*,\s{{0,9}}))
         (?!\s{{0,9}}{re.escape(REDACTED)}) (?: {_QUOTED} | (?:[^\\\r\n]|\\+(?![\\rn]))+ )"""
)

# Tornado's message for an invalid header or cookie, without the name
_REJECTED_BY_TORNADO = re.compile(
    rf"(?ixs) (\bheader\ (?:value|name)\s+ | \bcookie[\w;\ ]{{0,50}}\s) {_QUOTED}"
)

# Tornado's reason for rejecting a request: everything that it quotes is redacted
_MALFORMED = re.compile(
    r"""(?xs) (\bMalformed\ HTTP\ message\ from\ \S+:[ ]
              (?: Unsupported\ Transfer-Encoding | [^:'"]*(?=[:'"]):? ) \ ?) .+"""
)

# key=value in a form, "key": "value" in JSON or a header dump, Authorization: token x
# Each name is matched from its beginning only: else a long text would take quadratic
# time.
_SECRET_PAIR = re.compile(
    rf"""(?ixs) ((?<![\w.-]) (?=[\w.-]*?{_KEYWORD}) [\w.-]+
                 (?: (?:\\*["']|%22)? \s*(?:[=:]|%(?:25)*3[ad])\s* | ["']\s*,\s*(?=b?["']) )
               | \bstate\ argument\s+)
         (?: ["']? (?:token|bearer|basic)\s+ )?
         (?: [\[({{]+{_QUOTED}[\])}}]* | {_QUOTED} | [^\s&;,"'}})]+ )"""
)

_SCHEME = r"(?:token|bearer|basic)"
_SEPARATOR = r"""(?:[\s"',:=+]|%20|\\+[nrt"']|b(?=["']))+"""
_SECRET_WORD = re.compile(
    rf"""(?ix) ({_SCHEME} (?:{_SEPARATOR}{_SCHEME}){{0,3}} {_SEPARATOR})
         (?! [:=+] | \\+[nrt"'] | b["'] | {_SCHEME}{_SEPARATOR} ) ([^\s"',;&<>()\[\]{{}}]+)"""
)

_PLAIN_WORD_LIST = """
    a about access again all already also although an and any are as asked at auth authentication
    authorization be because been before being belongs beyond but by can cannot carried carries
    carry changed code cookie cookies could credentials data did does endpoint error exchange exists
    expired expires failed file for found from given goes gone granted had has have header headers
    however if in info information invalid is it its lacked lacks lasts length lifetime limit may
    mismatch missing must name named needed needs never no none nor not of on once only or out owner
    page parameter permissions realm received refused rejected request requested requests required
    response revoked rule s scheme scope scopes sent set setting settings shall should since so
    still than that the their then there they this to too type types unknown until url used user
    users usage valid validation value values verification was were what when where whether which
    while who whose will with within without would yet you your
"""

#: Words after "token", "Bearer" or "Basic" in plain English; anything else may be a secret.
_PLAIN_WORDS = frozenset(_PLAIN_WORD_LIST.split())

#: A URL's port, but nothing that could be the beginning of a password.
_HOST_AND_PORT = re.compile(r"[^:@]*(?::[0-9]*)?")


def _truncate(text: str, size: int) -> str:
    """The beginning of a text. Names precede their values, so a truncated value is recognized."""
    return text if len(text) <= size else text[:size] + "…"


def single_line(text: str) -> str:
    """A text with control, bidi and line-end characters escaped."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escape(character)[0].decode()
        for character in text
    )


def visitor_text(text: str) -> str:
    """A text from a client for one log line: short, without control characters."""
    text = _truncate(text, MAX_TEXT)
    return text if text.isprintable() else repr(text)[1:-1]


def redact_uri(uri: str) -> str:
    """A request's path and query without the values that could authenticate a user."""
    path, mark, query = _truncate(uri, MAX_TEXT).partition("?")
    if query:
        query = re.sub("[^&;]+", _redact_parameter, query)
    return visitor_text(_redact_words_and_urls(path + mark + query))


def _split_at(mark: re.Pattern[str], text: str) -> tuple[str, str, str]:
    match = mark.search(text)
    return (text[: match.start()], match[0], text[match.end() :]) if match else (text, "", "")


def _redact_parameter(parameter: re.Match[str]) -> str:
    """A part of a query; without its value if that is secret or a URL with secrets."""
    name, mark, value = parameter[0].partition("=")
    if not mark:
        name, mark, value = _split_at(_EQUALS, name)
    match = _SENSITIVE.search(value)
    is_secret = _SENSITIVE.search(unquote(name)) or (match and _EQUALS.search(value, match.end()))
    return f"{name}{mark}{REDACTED}" if value and is_secret else parameter[0]


def redact_text(text: str) -> str:
    """A text without the values of names like token, code, state or cookie.

    Also redacted are words after token, Bearer and Basic, unless they are plain English, and
    the name and password in a URL. Very long texts are truncated.
    """
    text = _MALFORMED.sub(rf"\1{REDACTED}", _truncate(text, MAX_MESSAGE))
    text = _REJECTED_BY_TORNADO.sub(rf"\1{REDACTED}", text)
    text = _SECRET_HEADER.sub(rf"\1{REDACTED}", text)
    return _redact_words_and_urls(_SECRET_PAIR.sub(rf"\1{REDACTED}", text))


def _redact_words_and_urls(text: str) -> str:
    return redact_urls(_SECRET_WORD.sub(_redact_word, text))


def redact_urls(text: str) -> str:
    """A text without the names and passwords in URLs."""
    if "://" in text and "@" in text:
        text = re.sub(r"\S+", _redact_url, text)
    return text


def _redact_word(match: re.Match[str]) -> str:
    before, word = match.groups()
    is_english = word.rstrip(".:!?…") in _PLAIN_WORDS
    return match[0] if is_english else before + REDACTED


def _redact_url(match: re.Match[str]) -> str:
    """A word with a URL in it, whose password may contain any character."""
    scheme, mark, rest = match[0].partition("://")
    inside, at, after = rest.rpartition("@")
    host, slash, _ = inside.partition("/")
    # an account's name in a path may be an e-mail address
    is_path = slash and scheme.endswith(("http", "https")) and _HOST_AND_PORT.fullmatch(host)
    is_example = inside == "user:password"  # in our own messages
    return match[0] if not at or is_path or is_example else f"{scheme}{mark}{REDACTED}@{after}"


def redact_location(uri: str) -> str:
    """A redirect's target without its query, which contains the OAuth state on sign-in."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # an app may redirect to an invalid URL
        return visitor_text(uri.partition("?")[0])
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return visitor_text(_redact_words_and_urls(host + parts.path))
