"""Problems of this deployment, with the setting that fixes each."""

from .checks import run_checks
from .findings import CheckedSetup, Finding
from .monitor import MAX_FINDINGS_AGE, SelfCheck
from .url import INSTANCE_HEADER, SERVICE_HEADER, responder_at, service_id

__all__ = [
    "INSTANCE_HEADER",
    "MAX_FINDINGS_AGE",
    "SERVICE_HEADER",
    "CheckedSetup",
    "Finding",
    "SelfCheck",
    "responder_at",
    "run_checks",
    "service_id",
]
