"""Plain English: phrases that users do not search for are in no page, message, help or document."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

#: What is written instead of each.
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
}
_PHRASE = re.compile("|".join(rf"\b{re.escape(phrase)}\b" for phrase in FORBIDDEN), re.IGNORECASE)

PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("values/*"),
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
