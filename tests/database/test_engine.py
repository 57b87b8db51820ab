"""No part of a database's password is in any message."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.database.conftest import SCHEMA, SETTING
from tests.support.databases import POSTGRESQL
from tornado_service.database.database import open_database
from tornado_service.database.engine import parse_url
from tornado_service.database.errors import DatabaseUnusable

#: Each of them has a meaning in a URL, or ends one.
SPECIAL = "@@//::##??%%[]&=+ \"'\\{}|<>\t"


def passwords() -> list[str]:
    """Passwords of each kind, with letters that are in no message."""
    choose = random.Random(7)
    mixed = ["".join(choose.choices(string.ascii_uppercase * 2 + SPECIAL, k=24)) for _ in range(60)]
    return [*mixed, *(f"QWERTZU{character}ASDFGHJ" for character in sorted(set(SPECIAL)))]


def parts(password: str, size: int = 4) -> set[str]:
    """The pieces of a password, except those of all messages."""
    pieces = {password[start : start + size] for start in range(len(password) - size + 1)}
    return {piece for piece in pieces if not set(piece) <= set(SPECIAL)}


def message(url: Any) -> str:
    """The error of opening a database, with all its causes."""
    with pytest.raises(DatabaseUnusable) as caught:
        open_database(url, SCHEMA)
    reported = [str(caught.value)]
    error: BaseException | None = caught.value
    while error is not None:
        reported.append(str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(reported)


@pytest.mark.parametrize("driver", POSTGRESQL)
@pytest.mark.parametrize("place", ["127.0.0.1:1/name", "nowhere.invalid/name", "", "/name?host=/x"])
def test_no_part_of_a_password_is_in_a_message(driver: str, place: str) -> None:
    for password in passwords():
        # name servers are slow for unknown names
        if place.startswith("nowhere") and password not in passwords()[:5]:
            continue
        reported = message(f"{driver}://user:{password}@{place}")
        assert not [piece for piece in parts(password) if piece in reported], (password, reported)


@pytest.mark.parametrize("special", sorted({*SPECIAL} - {*"&=+'\\{}|<>\""}))
def test_a_password_that_is_not_encoded_is_refused_with_that_hint(special: str) -> None:
    url = f"postgresql://user:QWERTZ{special}ASDFG@nowhere.invalid/name"

    with pytest.raises(DatabaseUnusable, match="percent-encoded") as caught:
        open_database(url, SCHEMA)

    assert SETTING in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://us/er:QWERTZ@host/db", "postgresql:///db?x=a@QWERTZ"]
)
def test_an_at_sign_elsewhere_is_refused_with_that_hint(url: str) -> None:
    assert "percent-encoded" in message(url)
    assert "QWERTZ" not in message(url)


def test_a_password_in_the_query_is_refused() -> None:
    reported = message("postgresql:///name?host=/x&user=u&password=QWERTZ&ASDFGH=1")

    assert "QWERTZ" not in reported
    assert "ASDFGH" not in reported


@pytest.mark.parametrize(
    "url", [b"postgresql://user:QWERTZ@h/x", 5, ["postgresql://user:QWERTZ@h/x"]]
)
def test_what_is_no_text_is_refused(url: object) -> None:
    reported = message(url)

    assert SETTING in reported
    assert "QWERTZ" not in reported


def test_an_encoded_password_is_taken_as_it_is_meant() -> None:
    for password in passwords():
        url = parse_url(f"postgresql://user:{quote(password, safe='')}@host/name", SETTING)
        assert (url.password, url.host) == (password, "host")


def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path}/a@b:c.sqlite", SCHEMA).close()

    assert (tmp_path / "a@b:c.sqlite").exists()
