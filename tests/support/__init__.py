"""Helpers of several tests."""

from pathlib import Path

#: The repository.
ROOT = Path(__file__).parents[2]
