"""How Helm reads YAML: recorded with Helm 4.1.4; tests/packaging/chart compares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TABLE = json.loads(Path(__file__).with_suffix(".json").read_text(), parse_int=float)

#: The values of scalars: Helm's result for ``v: TEXT``. All numbers are floats.
SCALARS: dict[str, Any] = _TABLE["scalars"]

#: Whole files and Helm's results, by a name for each; nothing if Helm rejects one.
DOCUMENTS: dict[str, tuple[str, dict[str, Any] | None]] = _TABLE["documents"]
