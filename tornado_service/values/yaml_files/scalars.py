"""Scalars as Helm reads them: the rules of go-yaml, and JSON's numbers.

PyYAML follows YAML 1.1 to the letter; Helm's parser follows it in part, takes more notations for
numbers, and leaves dates and times as text. tests/packaging/chart compares the two.
"""

import base64
import binascii
import math
import re
import struct
from datetime import datetime
from typing import Any

Scalar = str | bool | int | float | None

#: The constants, as words separated by spaces; the first of those for null is empty.
_WORDS: dict[str, Scalar] = {
    " ~ null Null NULL": None,
    "y Y yes Yes YES true True TRUE on On ON": True,
    "n N no No NO false False FALSE off Off OFF": False,
    ".nan .NaN .NAN": math.nan,
    ".inf .Inf .INF +.inf +.Inf +.INF": math.inf,
    "-.inf -.Inf -.INF": -math.inf,
}
_CONSTANTS = {word: value for words, value in _WORDS.items() for word in words.split(" ")}

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
#: Numbers that begin with their point: here "_" is allowed between digits only.
_POINT_FLOAT = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
_INTEGER = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")

_CLOCK = r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?"
_TIMESTAMP = re.compile(
    rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})"
    rf"(?:[Tt]{_CLOCK}(?:Z|[-+][0-9]{{2}}:[0-9]{{2}})| {_CLOCK})?"
)


def parse_plain(text: str) -> Scalar:
    """The value of a scalar without quotes.

    Integers are exact; values that JSON cannot represent (infinity, NaN) are returned unchanged.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if text[0] == "." and not _POINT_FLOAT.fullmatch(text):
        return text
    bare = text.replace("_", "")
    integer = _integer(bare)
    if integer is not None:
        return integer
    if _FLOAT.fullmatch(bare) and not math.isinf(number := float(bare)):
        return number
    return text


def _integer(text: str) -> int | None:
    """None also for numbers beyond 64 bits, which may still be a float."""
    if not (match := _INTEGER.fullmatch(text)):
        return None
    sign, digits = match.groups()
    # Python has no octal numbers without an o
    number = int(sign + re.sub("^0(?=[0-7])", "0o", digits), 0)
    return number if -(2**63) <= number < (2**63 if sign else 2**64) else None


def parse_scalar(text: str, tag: str = "") -> Scalar:
    """The value of a scalar; a quoted one has the tag of text. ValueError: no such value."""
    if not tag:
        return parse_plain(text)
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind == "binary":
        return _binary(text)
    if kind not in ("null", "bool", "int", "float", "timestamp"):
        return text  # an unknown tag has no effect
    if kind == "timestamp" and _is_timestamp(text):
        return text
    value = parse_plain(text)
    type_name = "null" if value is None else type(value).__name__
    is_whole_float = kind == "float" and type(value) is int and value < 2**63
    if type_name != kind and not is_whole_float:
        raise ValueError(f"this is no {kind}")
    return value


def _is_timestamp(text: str) -> bool:
    if not (match := _TIMESTAMP.fullmatch(text)):
        return False
    try:
        datetime(*(int(part) for part in match.groups() if part is not None))  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def _binary(text: str) -> str:
    try:
        decoded = base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True)
    except binascii.Error:
        raise ValueError("!!binary is not followed by base64") from None
    return decoded.decode(errors="replace")


def as_json(value: Scalar) -> Scalar:
    """The value after Helm's conversion to JSON, numbers as doubles. ValueError: infinity, NaN."""
    if isinstance(value, str | bool) or value is None:
        return value
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("Helm cannot hold infinity or NaN")
    return int(number) if number.is_integer() else number


def as_key(value: Any) -> str:
    """The key that Helm derives from a value. ValueError: it cannot be a key."""
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case float():
            return _float_key(value)
        case int() if value < 2**63:
            return str(value)
    raise ValueError("a key is text; put it in quotes")


def _float_key(value: float) -> str:
    """Go's shortest text for a single-precision number."""
    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        single = math.copysign(math.inf, value)
    if not math.isfinite(single):
        return ".nan" if math.isnan(single) else ".inf" if single > 0 else "-.inf"
    for digits in range(9):
        text = f"{single:.{digits}e}"
        if struct.pack("f", float(text)) == struct.pack("f", single):
            break
    exponent = int(text.partition("e")[2])
    return f"{single:.{max(digits - exponent, 0)}f}" if -4 <= exponent < 6 else text
