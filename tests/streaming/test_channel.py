"""Channels: accepted and stored events."""

from __future__ import annotations

from typing import Any

import pytest

from tornado_service import Channel
from tornado_service.streaming import channel


@pytest.mark.parametrize("name", ["", "a\nb", "end", "reset", "open", "error"])
def test_a_name_that_means_something_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot have the name"):
        Channel().send(1, event=name)


@pytest.mark.parametrize(
    ("data", "error"),
    [(object(), TypeError), (float("nan"), ValueError), ("x" * 66000, ValueError)],
)
def test_what_cannot_be_sent_is_the_senders_error(data: Any, error: type[Exception]) -> None:
    channel = Channel()

    with pytest.raises(error):
        channel.send(data)
    assert channel.end_offset == 1


def test_a_channel_keeps_a_bounded_number_of_bytes() -> None:
    news = Channel()

    for _ in range(200):
        news.send("x" * 60_000)

    assert news._size <= channel.MAX_BUFFER_SIZE
    assert news._size == sum(len(event.encoded) for event in news._events)
