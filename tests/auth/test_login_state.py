import pytest

from tornado_service.auth.login_state import LoginState, LoginStateCipher

STATE = LoginState("browser", "/services/x/page", "verifier")


def test_what_is_sealed_is_what_is_opened() -> None:
    seal = LoginStateCipher(b"x" * 32, 600)

    assert seal.decrypt(seal.encrypt(STATE)) == (STATE, False)


def test_another_process_with_the_same_secret_can_open_it() -> None:
    assert (
        LoginStateCipher(b"x" * 32, 600).decrypt(LoginStateCipher(b"x" * 32, 600).encrypt(STATE))[0]
        == STATE
    )


@pytest.mark.parametrize("length", range(16))  # each way that a cipher and base64 may be padded
def test_nobody_can_read_or_change_it(length: int) -> None:
    seal = LoginStateCipher(b"x" * 32, 600)
    sealed = seal.encrypt(LoginState("browser", "/services/x/page" + "y" * length))

    assert "page" not in sealed
    for at in range(len(sealed)):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        assert seal.decrypt(changed)[0] is None


@pytest.mark.parametrize("text", ["", "x", "é", "gAAAAA==", "\x00", "a" * 10_000])
def test_what_was_not_sealed_here_holds_nothing(text: str) -> None:
    assert LoginStateCipher(b"x" * 32, 600).decrypt(text) == (None, True)


def test_one_of_another_secret_holds_nothing() -> None:
    assert LoginStateCipher(b"y" * 32, 600).decrypt(
        LoginStateCipher(b"x" * 32, 600).encrypt(STATE)
    ) == (None, True)


def test_a_lapsed_one_still_says_where_to_go() -> None:
    seal = LoginStateCipher(b"x" * 32, -1)

    assert seal.decrypt(seal.encrypt(STATE)) == (STATE, True)


def test_only_the_browser_that_began_it_may_finish_it() -> None:
    assert STATE.belongs_to("browser")
    assert not STATE.belongs_to("another")
    assert not STATE.belongs_to(None)
