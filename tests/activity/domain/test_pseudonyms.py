from __future__ import annotations

from tornado_service.activity.domain.pseudonyms import is_pseudonym, pseudonymize, pseudonyms
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot

SECRET = b"0123456789abcdef"


def test_a_pseudonym_is_the_same_for_the_same_name_and_secret_only() -> None:
    names = [f"user{number}" for number in range(1000)]
    first, again, other = pseudonyms(SECRET), pseudonyms(SECRET), pseudonyms(SECRET[::-1])

    assert first("ada") == again("ada")
    assert first("ada") != other("ada")
    assert len({first(name) for name in names}) == 1000
    assert is_pseudonym(first("ada"))
    assert not is_pseudonym("ada")
    assert "ada" not in first("ada")


def test_a_sample_under_pseudonyms_keeps_all_else() -> None:
    map_name = pseudonyms(SECRET)
    ada = UserSnapshot("ada", 1, 2, (ServerSnapshot("thesis", 3),))

    assert pseudonymize(Sample(5, True, (ada,)), map_name) == Sample(
        5, True, (UserSnapshot(map_name("ada"), 1, 2, (ServerSnapshot("thesis", 3),)),)
    )
