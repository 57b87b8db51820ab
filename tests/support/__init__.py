"""What several tests share."""

from pathlib import Path

#: The repository.
ROOT = Path(__file__).parents[2]
