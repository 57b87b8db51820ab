"""The code in the documentation that tests run: each block is marked with ``tested: NAME``."""

from __future__ import annotations

import re
from textwrap import dedent

from tests.support import ROOT


def marked_blocks(page: str, mark: str) -> list[str]:
    """The blocks of code with a mark.

    Args:
        page: its path in ``docs``.
        mark: the words after ``tested:``.

    Raises:
        AssertionError: there is none.
    """
    blocks = re.findall(
        rf"<!-- tested: {re.escape(mark)} -->\n *```\w+\n(.*?)^ *```",
        (ROOT / "docs" / page).read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert blocks, f"{page} has no block {mark}"
    return [dedent(block) for block in blocks]


def marked_block(page: str, mark: str) -> str:
    """The only block with a mark; arguments and errors as for ``marked_blocks``."""
    (block,) = marked_blocks(page, mark)
    return block
