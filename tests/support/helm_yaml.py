"""How Helm reads YAML: measured with Helm 4.1.4, and compared with it by tests/chart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TABLE = json.loads(Path(__file__).with_suffix(".json").read_text(), parse_int=float)

#: The values of scalars: what Helm makes of ``v: TEXT``. All numbers are floats.
SCALARS: dict[str, Any] = _TABLE["scalars"]

#: Whole files and what Helm makes of them, by a name for each; nothing where Helm refuses one.
DOCUMENTS: dict[str, tuple[str, dict[str, Any] | None]] = _TABLE["documents"]
