"""The examples of docs/how-to/kubernetes-external.md, which the cluster runs with."""

from __future__ import annotations

from typing import Any

import yaml

from tests.packaging.chart.policy import NAMESPACE
from tests.support.documentation import marked_blocks

PAGE = "how-to/kubernetes-external.md"
#: The namespace of the page's hub, and that in which the tests render the charts.
NAMESPACES = ("jhub", NAMESPACE)


def documented(mark: str, key: str) -> dict[str, Any]:
    """The one example with this mark that has this key."""
    texts = marked_blocks(PAGE, mark)
    examples = [yaml.safe_load(text.replace(*NAMESPACES)) for text in texts]
    (example,) = [example for example in examples if key in example]
    found: dict[str, Any] = example
    return found
