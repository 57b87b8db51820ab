"""Problems of this deployment, with the setting that fixes each."""

from .checks import run_checks
from .findings import CheckedSetup, Finding
from .monitor import MAX_FINDINGS_AGE, SelfCheck
from .url import INSTANCE_HEADER, instance_at

__all__ = [
    "INSTANCE_HEADER",
    "MAX_FINDINGS_AGE",
    "CheckedSetup",
    "Finding",
    "SelfCheck",
    "instance_at",
    "run_checks",
]
