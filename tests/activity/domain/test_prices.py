from __future__ import annotations

from typing import Any

import pytest

from tornado_service.activity.domain.prices import Prices, parse_prices


def test_no_prices() -> None:
    assert parse_prices({}) is None


def test_one_price_for_all_servers() -> None:
    prices = parse_prices({"currency": " CHF ", "default": 1})

    assert prices == Prices("CHF", 1.0)
    assert prices.of("gpu", None) == 1.0


def test_by_profile() -> None:
    prices = parse_prices({"currency": "€", "default": 0.05, "profiles": {"GPU": 2}})

    assert prices is not None
    assert [prices.of("", profile) for profile in ("GPU", "gpu", "", None)] == [2, 0.05, 0.05, None]


def test_by_server_name() -> None:
    prices = parse_prices({"currency": "€", "default": 0, "servers": {"gpu": 2.5, "": 1}})

    assert prices is not None
    assert [prices.of(server, None) for server in ("gpu", "", "other")] == [2.5, 1, 0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"default": 1}, "'currency' is missing"),
        ({"currency": "", "default": 1}, "'currency' is missing"),
        ({"currency": "EUR"}, "'default' is missing"),
        ({"currency": "EUR", "default": "1"}, "'default' is '1'; write a number of at least 0"),
        ({"currency": "EUR", "default": True}, "'default' is True"),
        ({"currency": "EUR", "default": -1}, "'default' is -1"),
        ({"currency": "EUR", "default": float("nan")}, "'default' is nan"),
        ({"currency": "EUR", "default": 1, "profiles": {"GPU": "x"}}, "the price of 'GPU' is 'x'"),
        ({"currency": "EUR", "default": 1, "profiles": 2}, "'profiles' is 2"),
        ({"currency": "EUR", "default": 1, "profile": {}}, "unknown key 'profile'"),
        (
            {"currency": "EUR", "default": 1, "profiles": {}, "servers": {}},
            "either 'profiles' or 'servers'",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_prices(value)
