"""The pages of the documentation: each is in a table of contents, and all links work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import ROOT
from tornado_service._version import DOCS_URL

DOCS = ROOT / "docs"
#: The documents of Sphinx. Files with a leading underscore are included by others.
DOCUMENTS = sorted(page for page in DOCS.rglob("*.md") if not page.name.startswith("_"))
PAGES = [
    *DOCUMENTS,
    *sorted(ROOT.glob("*.md")),
    ROOT / "chart/README.md",
    ROOT / "image/README.md",
    ROOT / "values/README.md",
]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    """A page with what it includes."""

    def included(match: re.Match[str]) -> str:
        return (page.parent / match[1]).read_text()

    return re.sub(
        r"^ *```\{include\} (\S+)\n.*?^ *```$", included, page.read_text(), flags=re.M | re.S
    )


def prose(page: Path) -> str:
    """A page without its blocks of code, whose comments look like headings."""
    return re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, by the rule of GitHub and MyST."""
    headings = re.findall(r"^#+ +(.+)$", prose(page), re.MULTILINE)
    words = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w -]", "", word).replace(" ", "-") for word in words}


def children(page: Path) -> list[Path]:
    """The entries of a page's tables of contents."""
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(), re.M | re.S)
    options = re.compile(r"^:\w+:.*$", re.MULTILINE)
    lines = [line for block in blocks for line in options.sub("", block).split()]
    return [(page.parent / f"{line}.md").resolve() for line in lines]


def test_each_page_is_in_one_table_of_contents() -> None:
    listed = [child for page in DOCUMENTS for child in children(page)]

    assert sorted([DOCS / "index.md", *listed]) == DOCUMENTS


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)[^)]*\)", prose(page)):
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        assert other.exists(), f"it links to {target}"
        assert not anchor or anchor in anchors(other), f"it links to {target}"


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_each_page_begins_with_a_heading_and_names_its_audience(page: Path) -> None:
    heading, paragraph = page.read_text().split("\n\n")[:2]

    assert heading.startswith("# ")
    assert re.search(r"\bfor\b|\bFor\b", paragraph), paragraph


def test_links_to_the_site_lead_to_its_pages() -> None:
    package = ROOT / "tornado_service"
    code = [file for kind in ("py", "html", "js", "j2") for file in package.rglob(f"*.{kind}")]
    site = rf"(?:{re.escape(DOCS_URL)}|\{{DOCS_URL\}}|\{{\{{ docs \}}\}})"
    links = {
        link
        for file in (*code, *PAGES)
        for link in re.findall(rf"{site}([\w/.#-]+)", file.read_text())
    }

    assert links
    for link in links:
        path, _, anchor = link.rstrip(".").partition("#")
        page = DOCS / f"{path.removesuffix('.html')}.md"
        assert page in DOCUMENTS, f"there is no {link}"
        assert not anchor or anchor in anchors(page), f"there is no {link}"
