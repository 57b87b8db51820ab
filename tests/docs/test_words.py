"""Plain English: unusual phrases are in no page, message, help or document."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

#: Phrases, and their replacements.
FORBIDDEN = {
    "a hub forgets": "JupyterHub keeps no usage history",
    "when is it quiet": "the best times for maintenance",
    "who there is": "users",
    "find a place": "the service hosts apps",
    "what you may open": "apps",
    "as the hub knows": "account",
    "sign-in allows": "permissions of this session",
    "for how long": "details",
    "looked at": "sampled",
    "looks at the hub": "polling interval",
    "looks whether": "checks whether",
    "was watched": "data coverage",
    "watched since": "data since",
    "not watched": "no data",
    "servers at a time": "concurrent servers",
    "most and mean": "peak and average",
    "the same as a table": "show as table",
    "whom the hub shows": "users you may see",
    "are those of utc": "all times are in UTC",
    "made up": "demo data, synthetic",
    "to look at": "",
    "is known of": "usage",
    "nobody of this name": "user not found",
    "an operator finds": "request ID",
    "could not be brought up to date": "could not refresh",
    "appear here by themselves": "updates automatically",
    "the same and more": "for more checks",
    "the same for programs": "OpenAPI document",
    "no hub can tell": "cannot be recovered",
    "for ever": "indefinitely",
    "told as a whole": "reported in full",
    "nobody waits": "circuit breaker",
    "talks rubbish": "invalid responses",
    "begins anew": "loses its history",
    "the first is void": "has no effect",
    "give each tag": "never reuse a tag",
    "makes everybody wait": "blocks the event loop",
    "is not kept": "could not store",
    "suspected hole": "suspected vulnerability",
    "too much is asked": "busy",
    "part of the service does not run": "app is unavailable",
    "more than none": "greater than 0",
    "when something is away": "failure modes",
    "a conversation both ways": "WebSockets",
    "idem": "the same",
    "of late": "recently",
    "whose days": "time zone",
    "may be told": "is shown",
    "who uses this jupyterhub, how much": "usage history of a JupyterHub",
    "apps of your own find": "apps that you write",
    "waits for the hub while others": "a slow hub never blocks other requests",
    "nothing to change at your spawner": "no spawner changes",
    "you, as the hub": "your account",
    "does not show them here": "see your servers on the JupyterHub home page",
    "this page will tell": "Activity has just started collecting data",
    "cannot be known": "earlier usage is not available",
    "what will be here": "coming soon",
    "of this time": "of this period",
    "have been watched": "have data",
    "in which a restart disturbs": "best times for maintenance",
    "months are compared when": "changes appear only if",
    "some have more days than others": "not adjusted for the length of the month",
    "report that is made to be printed": "printable report",
    "of those who are members now": "current members",
    "paler is less": "scale",
    "one person's use": "usage by USER",
    "none is known of": "no sessions in this period",
    "whose use you may see": "access to their activity",
    "is signed in, but this is for": "only hub admins can open this page",
    "this is the usual range": "showing the last 30 days",
    "is no day that can be shown": "is not a valid date",
    "in the hub's pod or on its machine": "in the hub pod or on the hub host",
    "history begins when it is set up": "history starts at installation",
    "is made of its members as they": "group figures use current membership",
    "somebody who may not be seen": "a user you may not see",
    "at the edge of a range": "that overlap the range",
    "who used servers for": "daily totals per user",
    "that ended again within": "if the service exits",
    "sessions last over": "sessions survive",
    "computes in c": "blocking C code",
    "ends when it ends": "cannot be interrupted",
    "it is nothing for a probe": "do not use it as a liveness probe",
    "without a usable answer": "failed calls",
    "looks whether the hub is back": "checks for recovery",
    "those that you name are all": "only the apps you list are enabled",
    "nodes keep what they have pulled": "nodes cache images",
    "belongs to nobody": "an unknown path",
    "the way of a page": "request flow",
    "the sign-in has ended": "your session has expired",
    "this part of the service": "this app",
    "admins see why at": "admins can see why on the Status page",
    "finds it in the log": "reference for the administrator",
    "most servers": "peak concurrent servers",
    "mean servers": "average concurrent servers",
    "my use": "my usage",
    "write a day": "enter a date",
    "takes more than none": "must be greater than 0",
    "between two looks": "polling interval",
    "waits for it now": "circuit breaker open",
    "looking again": "retrying",
    "make it a package": "packaging",
    "what it costs the hub": "load on the Hub",
    "as the hub has it": "in the hub",
    "beside": "next to",
    "anew": "again",
    "answer": "response",
    "answers": "responses, responds",
    "answered": "responded, returned",
    "nobody": "no user",
    "somebody": "a user, another user",
    "whoever": "users who",
    "everybody": "all users",
    "stumbles": "fails",
    "the caller": "user, client",
    "callers": "users, clients",
}
_PHRASE = re.compile("|".join(rf"\b{re.escape(phrase)}\b" for phrase in FORBIDDEN), re.IGNORECASE)

PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("values/*"),
    *ROOT.glob("chart/*.*"),
    *ROOT.glob("chart/templates/*"),
    *ROOT.glob("image/*.md"),
    *ROOT.glob("tornado_service/**/templates/*.html"),
    *ROOT.glob("tornado_service/**/*.j2"),
    *ROOT.glob("tornado_service/static/*.js"),
    *ROOT.glob("tornado_service/activity/static/*.js"),
]


def messages(module: Path) -> Iterator[str]:
    """The texts of a module that users read: messages, help, log lines; no docstrings."""
    tree = ast.parse(module.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in docstrings else node.value
            yield " ".join(text.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_use_the_terms_of_the_field(page: Path) -> None:
    assert _PHRASE.findall(" ".join(page.read_text().split())) == []


def test_messages_help_and_log_lines_use_them_too() -> None:
    modules = [*ROOT.glob("tornado_service/**/*.py")]
    found = {
        f"{module.relative_to(ROOT)}: {text}"
        for module in modules
        for text in messages(module)
        if _PHRASE.search(text)
    }

    assert len(modules) > 100
    assert found == set()
