import json
from dataclasses import replace

import pytest

from tornado_service.auth.login_state import LoginState, LoginStateCipher, safe_redirect_target
from tornado_service.testing import PREFIX

STATE = LoginState("browser", "/services/x/page", "verifier")


def test_what_is_encrypted_is_what_is_opened() -> None:
    cipher = LoginStateCipher(b"x" * 32, 600)

    assert cipher.decrypt(cipher.encrypt(STATE)) == STATE


def test_another_process_with_the_same_secret_can_open_it() -> None:
    encrypted = LoginStateCipher(b"x" * 32, 600).encrypt(STATE)
    assert LoginStateCipher(b"x" * 32, 600).decrypt(encrypted) == STATE


@pytest.mark.parametrize("length", range(16))  # each way that a cipher and base64 may be padded
def test_clients_can_neither_read_nor_change_it(length: int) -> None:
    cipher = LoginStateCipher(b"x" * 32, 600)
    encrypted = cipher.encrypt(LoginState("browser", "/services/x/page" + "y" * length))

    assert "page" not in encrypted
    for at in range(len(encrypted)):
        changed = encrypted[:at] + ("A" if encrypted[at] != "A" else "B") + encrypted[at + 1 :]
        assert cipher.decrypt(changed) is None


@pytest.mark.parametrize("text", ["", "x", "é", "gAAAAA==", "\x00", "a" * 10_000])
def test_what_was_not_encrypted_here_holds_nothing(text: str) -> None:
    assert LoginStateCipher(b"x" * 32, 600).decrypt(text) is None


def test_one_of_another_secret_holds_nothing() -> None:
    encrypted = LoginStateCipher(b"x" * 32, 600).encrypt(STATE)
    assert LoginStateCipher(b"y" * 32, 600).decrypt(encrypted) is None


def test_an_expired_one_still_has_the_target() -> None:
    cipher = LoginStateCipher(b"x" * 32, -1)

    assert cipher.decrypt(cipher.encrypt(STATE)) == replace(STATE, is_expired=True)


def test_only_the_browser_that_began_it_may_finish_it() -> None:
    assert STATE.belongs_to("browser")
    assert not STATE.belongs_to("another")
    assert not STATE.belongs_to(None)


@pytest.mark.parametrize("again", [False, True])
def test_a_sign_in_that_began_before_an_upgrade_ends_after_it(again: bool) -> None:
    cipher = LoginStateCipher(b"x" * 32, 600)
    fields = {"browser": "b", "next_url": "/x/", "code_verifier": None, "again": again}

    encrypted = cipher._fernet.encrypt(json.dumps(fields).encode()).decode()

    assert cipher.decrypt(encrypted) == LoginState("b", "/x/", None, is_retry=again)


@pytest.mark.parametrize("fields", [{}, {"browser_id": "b", "next_url": "/x/"}, [], "text", 1])
def test_a_state_that_another_version_has_written_is_none(fields: object) -> None:
    cipher = LoginStateCipher(b"x" * 32, 600)

    assert cipher.decrypt(cipher._fernet.encrypt(json.dumps(fields).encode()).decode()) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/services/other/",
        f"{PREFIX}../../hub/",
        f"{PREFIX}%2e%2e/%2E%2E/hub/",
        f"{PREFIX}.%2e/%2e./hub/",
        f"{PREFIX}/evil.example",
        f"{PREFIX}\\evil",
        "javascript:alert(1)",
        f"{PREFIX}\r\nSet-Cookie: a=b",
    ],
)
def test_a_sign_in_never_ends_outside_the_prefix(url: str) -> None:
    assert safe_redirect_target(url, PREFIX) == PREFIX


def test_a_sign_in_ends_where_it_began() -> None:
    assert (
        safe_redirect_target(PREFIX + "a/b?c=https://x//y", PREFIX) == PREFIX + "a/b?c=https://x//y"
    )
