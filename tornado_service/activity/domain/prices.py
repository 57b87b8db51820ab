"""Prices of server-hours, as an admin has set them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

EXAMPLE = '{"currency": "EUR", "default": 0.04, "profiles": {"GPU": 1.20}}'

#: What prices can depend on, by its name in the settings.
KINDS: Mapping[str, Literal["profile", "server"]] = {"profiles": "profile", "servers": "server"}


@dataclass(frozen=True)
class Prices:
    """Prices per server-hour.

    Attributes:
        currency: as it is written after an amount.
        default: of servers whose profile or name has no price of its own.
        kind: what ``named`` is by; ``None``: all servers have the same price.
        named: prices by the name of the profile or server.
    """

    currency: str
    default: float
    kind: Literal["profile", "server"] | None = None
    named: Mapping[str, float] = field(default_factory=dict)

    def of(self, server: str, profile: str | None) -> float | None:
        """The price of a server; ``None``: it depends on the profile, which is not known."""
        if self.kind is None:
            return self.default
        name = profile if self.kind == "profile" else server
        return None if name is None else self.named.get(name, self.default)


def parse_prices(value: Mapping[str, Any]) -> Prices | None:
    """The prices of the settings; ``None``: there are none. `ValueError` says what to change."""
    if not value:
        return None
    kinds = [name for name in KINDS if name in value]
    unknown = sorted(map(str, set(value) - {"currency", "default", *KINDS}))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}; write prices as in {EXAMPLE}")
    if len(kinds) > 1:
        raise ValueError("set either 'profiles' or 'servers', not both")
    currency = value.get("currency")
    if not isinstance(currency, str) or not currency.strip():
        raise ValueError(f"'currency' is missing; write prices as in {EXAMPLE}")
    if "default" not in value:
        raise ValueError(f"'default' is missing; write prices as in {EXAMPLE}")
    named = value[kinds[0]] if kinds else {}
    if not isinstance(named, Mapping):
        raise ValueError(f"{kinds[0]!r} is {named!r}; write prices as in {EXAMPLE}")
    return Prices(
        currency.strip(),
        _price(value["default"], "'default'"),
        KINDS[kinds[0]] if named else None,
        {str(name): _price(price, f"the price of {name!r}") for name, price in named.items()},
    )


def _price(value: object, what: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:  # type: ignore[arg-type, operator]
        raise ValueError(f"{what} is {value!r}; write a number of at least 0, such as 0.04")
    return float(value)  # type: ignore[arg-type]
