"""Errors in the app's settings are reported with the fix."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Application

from tornado_service.activity import Activity
from tornado_service.activity.app import default_hub_name

WITHOUT_ZONES = """
import sys, zoneinfo
sys.modules["tzdata"] = None
zoneinfo.reset_tzpath(to=())
from tornado_service.activity import Activity
try:
    Activity().zone
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["Berlin", "", "../UTC", "Europe", "Europe/Ber\0lin"])
def test_a_zone_that_does_not_exist(name: str) -> None:
    with pytest.raises(TraitError, match=r"Activity\.timezone: .* write one such as Europe/Berlin"):
        Activity(timezone=name)


def test_a_zone_where_none_is_known() -> None:
    command = [sys.executable, "-c", WITHOUT_ZONES]
    reported = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "unknown time zone 'UTC'; this machine has no time zones: install" in reported
    assert "tzdata" in reported


def test_a_secret_that_is_too_short() -> None:
    with pytest.raises(TraitError, match="openssl rand -hex 16"):
        Activity(pseudonym_secret="short")


def test_terms_are_read_from_the_settings() -> None:
    winter = {"name": "Winter term", "first": "2026-10-01", "last": "2027-03-31"}
    app = Activity(terms=[winter], academic_year_start="10-01")

    assert [term.name for term in app.parsed_terms] == ["Winter term"]
    assert app.parsed_year_start == (10, 1)


def test_terms_and_notes_are_arguments_of_a_command() -> None:
    class Program(Application):
        classes = [Activity]

    program = Program()
    program.initialize(
        [
            "--Activity.terms={'name': 'Winter', 'first': '2026-10-01', 'last': '2027-03-31'}",
            "--Activity.terms={'name': 'Summer', 'first': '2026-04-01', 'last': '2026-09-30'}",
            "--Activity.notes={'text': 'Exams', 'first': '2027-02-08'}",
        ]
    )
    app = Activity(config=program.config)

    assert [term.name for term in app.parsed_terms] == ["Summer", "Winter"]
    assert [note.text for note in app.parsed_notes] == ["Exams"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"terms": [{"name": "Winter term"}]}, r"Activity\.terms: .* is not a term; write one as"),
        ({"terms": [{"name": "W", "first": "1.10.26", "last": "2027-03-31"}]},
         r"Activity\.terms: 'first' of 'W' is '1.10.26'; write a date as in 2026-10-01"),
        ({"notes": [{"text": "Exams", "first": "soon"}]},
         r"Activity\.notes: 'first' of 'Exams' is 'soon'; write a date as in 2026-10-01"),
        ({"academic_year_start": "1 September"},
         r"Activity\.academic_year_start: '1 September' is not a day of each year"),
        ({"report_recipients": ["dean@x.org, cio@x.org"]},
         r"Activity\.report_recipients: 'dean@x\.org, cio@x\.org' is not a mail address; write"),
        ({"smtp_sender": "Hub"}, r"Activity\.smtp_sender: 'Hub' is not a mail address"),
        ({"smtp_port": 0}, "smtp_port"),
        ({"smtp_port": 65536}, "smtp_port"),
        ({"smtp_security": "ssl"}, "smtp_security"),
        ({"smtp_user": "hub"}, r"Set both Activity\.smtp_user and Activity\.smtp_password, or"),
        ({"smtp_password": "x"}, r"Set both Activity\.smtp_user and Activity\.smtp_password, or"),
        ({"smtp_user": "hub", "smtp_password": "ü"}, r"Activity\.smtp_password may have ASCII"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_read(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(TraitError, match=said):
        Activity(**settings)


def test_the_mail_settings_are_arguments_of_a_command() -> None:
    class Program(Application):
        classes = [Activity]

    program = Program()
    program.initialize(
        ["--Activity.report_recipients=dean@x.org", "--Activity.report_recipients=cio@x.org",
         "--Activity.smtp_password=secret", "--Activity.smtp_user=hub", "--Activity.smtp_port=465"]
    )  # fmt: skip
    app = Activity(config=program.config)

    assert app.report_recipients == ["dean@x.org", "cio@x.org"]
    assert (app.smtp_user, app.smtp_password, app.smtp_port) == ("hub", "secret", 465)


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://hub.example.org/hub/", "JupyterHub hub.example.org"), ("", "JupyterHub")],
)
def test_the_name_of_the_hub_in_reports(
    monkeypatch: pytest.MonkeyPatch, url: str, name: str
) -> None:
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_HUB_URL", url)

    assert default_hub_name() == name
