from __future__ import annotations

import pytest

from tornado_service.activity.web import formatting


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0"), (0.001, "less than 1"), (0.5, "50"), (0.999, "99"), (1, "100")],
)
def test_a_part_is_never_shown_as_all_or_nothing(share: float, text: str) -> None:
    assert formatting.percent(share) == f"{text}\u00a0%"


@pytest.mark.parametrize(
    ("seconds", "text"), [(59, "0 min"), (3599, "59 min"), (3600, "1.0 h"), (5400, "1.5 h")]
)
def test_a_length_is_in_minutes_up_to_an_hour(seconds: int, text: str) -> None:
    assert formatting.length(seconds) == text.replace(" ", "\u00a0")
    assert formatting.length(None) is None


@pytest.mark.parametrize(
    ("duration", "text"), [("30m", "30 min"), ("2h", "2 h"), ("1d", "1 day"), ("7d", "7 days")]
)
def test_a_duration_of_a_query_is_in_words(duration: str, text: str) -> None:
    assert formatting.duration(duration) == text.replace(" ", "\u00a0")
