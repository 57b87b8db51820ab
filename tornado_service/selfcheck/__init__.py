"""What is wrong with this deployment, in words, with the key to set."""

from .address import INSTANCE_HEADER, who_answers
from .check import FRESH, SelfCheck, examine
from .findings import Finding, Setup

__all__ = ["FRESH", "INSTANCE_HEADER", "Finding", "SelfCheck", "Setup", "examine", "who_answers"]
