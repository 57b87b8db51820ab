"""``python -m tornado_service``, and the command ``tornado-service``."""

from . import launcher  # noqa: F401 - first: all else takes a second
from .app import main

if __name__ == "__main__":
    main()
