"""The settings of the app: whether they are valid, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from traitlets import HasTraits, TraitError, validate

from .domain.notes import Note, parse_notes
from .domain.prices import Prices, parse_prices
from .domain.terms import Term, parse_terms, parse_year_start
from .mail.message import check_addresses
from .web.report.document import Image
from .web.report.logo import read_logo

#: What reads these settings; `ValueError` if it cannot.
PARSERS: dict[str, Callable[[Any], object]] = {
    "terms": parse_terms,
    "notes": parse_notes,
    "academic_year_start": parse_year_start,
    "prices": parse_prices,
    "report_recipients": check_addresses,
    "smtp_sender": check_addresses,
}


class CheckedSettings(HasTraits):
    """Checks the settings of `Activity`, and reads those that are texts or dictionaries."""

    academic_year_start: Any
    notes: Any
    prices: Any
    report_logo: Any
    smtp_password: Any
    smtp_user: Any
    terms: Any
    timezone: Any

    @validate("timezone")
    def _check_timezone(self, proposal: Any) -> str:
        return parse_zone(proposal["value"]).key

    @validate(*PARSERS)
    def _check_parsed(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        try:
            PARSERS[name](value)
        except ValueError as error:
            raise TraitError(f"Activity.{name}: {error}") from None
        return value

    @validate("smtp_user", "smtp_password")
    def _check_mail_account(self, proposal: Any) -> str:
        if bool(self.smtp_user) != bool(self.smtp_password):
            raise TraitError(
                "Set both Activity.smtp_user and Activity.smtp_password, or neither of them"
            )
        if not proposal["value"].isascii():
            raise TraitError(f"Activity.{proposal['trait'].name} may have ASCII characters only")
        return str(proposal["value"])

    @validate("report_logo")
    def _check_logo(self, proposal: Any) -> str:
        try:
            read_logo(proposal["value"])
        except ValueError as error:
            raise TraitError(f"Activity.report_logo: {error}") from None
        return str(proposal["value"])

    @validate("pseudonym_secret")
    def _check_secret_length(self, proposal: Any) -> str:
        if 0 < len(proposal["value"]) < 16:
            raise TraitError(
                "Activity.pseudonym_secret has fewer than 16 characters: openssl rand -hex 16"
            )
        return str(proposal["value"])

    @property
    def parsed_terms(self) -> tuple[Term, ...]:
        return parse_terms(self.terms)

    @property
    def parsed_notes(self) -> tuple[Note, ...]:
        return parse_notes(self.notes)

    @property
    def parsed_prices(self) -> Prices | None:
        return parse_prices(self.prices)

    @cached_property
    def own_logo(self) -> Image | None:
        """The logo of the settings, as it was at start."""
        return read_logo(self.report_logo)

    @property
    def parsed_year_start(self) -> tuple[int, int]:
        return parse_year_start(self.academic_year_start)

    @property
    def zone(self) -> ZoneInfo:
        return parse_zone(self.timezone)


def parse_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        write = "write one such as Europe/Berlin."
        if not available_timezones():
            write = "this machine has no time zones: install the Python package tzdata."
        raise TraitError(f"Activity.timezone: unknown time zone {name!r}; {write}") from None
