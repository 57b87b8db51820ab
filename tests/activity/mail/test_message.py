"""The message is well-formed, whatever is in the settings."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest

from tornado_service.activity.mail.message import check_addresses, report_message


def written(subject: str = "Usage", *, sender: str = "hub@example.org", to: str = "d@x.org",
            report: str = "<html>", text: str = "Text") -> EmailMessage:  # fmt: skip
    """A message as it is read again by whoever gets it."""
    content = report_message(sender, [to, "cio@y.org"], subject, text, report, "r.html").as_bytes()
    assert content.isascii()  # a mail server need not take anything else
    assert max(map(len, content.splitlines())) <= 998
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def test_headers_text_and_attachment() -> None:
    report = "<p>Grüße</p>\n" + "x" * 5000 + "\r\n.\n"
    message = written("Usage: October 2026", text="In\xa0October, 7 users …\n.\n", report=report)

    assert message["Subject"] == "Usage: October 2026"
    assert (message["From"], message["To"]) == ("hub@example.org", "d@x.org, cio@y.org")
    assert parsedate_to_datetime(message["Date"])
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body()
    assert body
    assert body.get_content_type() == "text/plain"
    assert body.get_content().replace("\r\n", "\n") == "In\xa0October, 7 users …\n.\n"
    [attachment] = message.iter_attachments()
    assert attachment.get_content_type() == "text/html"
    assert attachment.get_content_charset() == "utf-8"
    assert attachment.get_filename() == "r.html"
    assert attachment.get_payload(decode=True) == report.encode()


def test_the_same_message_has_the_same_id() -> None:
    first = written()["Message-ID"]

    assert first == written(text="again")["Message-ID"]
    assert first.endswith("@example.org>")
    others = [written("Other"), written(to="e@x.org"), written(sender="b@example.org")]
    assert len({first, *(message["Message-ID"] for message in others)}) == 4


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("Hub\r\nBcc: all@x.org\r\n\r\nText", "Hub Bcc: all@x.org Text"),
        ("Hub\n", "Hub"),
        ("Hub\x00\x1b[31m\u2028\u202eof\ud800us", "Hub [31m of us"),
        (
            "JupyterHub der Universität Köln, 日本語 " * 6,
            "JupyterHub der Universität Köln, 日本語 " * 6,
        ),
    ],
)
def test_a_subject_with_any_characters(subject: str, said: str) -> None:
    message = written(subject)

    assert message["Subject"] == said.strip()
    assert message["Bcc"] is None
    assert message.get_body()


def test_a_domain_that_is_not_ascii() -> None:
    message = report_message("hub@universität.example", ["d@x.org"], "Usage", "", "", "r.html")

    assert message["Message-ID"].endswith("@xn--universitt-y5a.example>")


@pytest.mark.parametrize(
    "address",
    ["dean", "@x.org", "dean@", "a@b@x.org", "a@x.org, b@x.org", "a@x.org\nBcc: b@x.org",
     "Dean <dean@x.org>", "a b@x.org", " a@x.org", "a@x.org;b@x.org", "a@x.org\x00", "a@x..org",
     "a\u202e@x.org", f"a@{'x' * 64}.org"],
)  # fmt: skip
def test_an_address_that_is_none(address: str) -> None:
    for value in (address, ["dean@x.org", address]):
        with pytest.raises(ValueError, match=r"is not a mail address; write one such as hub@"):
            check_addresses(value)


def test_addresses() -> None:
    check_addresses("")
    check_addresses([])
    with pytest.raises(ValueError, match="is not a mail address"):
        check_addresses([""])
    check_addresses(["dean@x.org", "o'neil+hub@mail.x.org", "dekänin@universität.example", "a@b"])
