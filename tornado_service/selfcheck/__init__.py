"""What is wrong with this deployment, in words, with the key to set."""

from .checks import examine
from .findings import Finding, Setup
from .monitor import FRESH, SelfCheck
from .url import INSTANCE_HEADER, who_answers

__all__ = ["FRESH", "INSTANCE_HEADER", "Finding", "SelfCheck", "Setup", "examine", "who_answers"]
