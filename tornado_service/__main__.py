"""``python -m tornado_service``, and the command ``tornado-service``."""

import gc

from .server import process  # noqa: F401 - first: all else takes a second

# What is imported stays for ever: to look through it for garbage, now and later, takes long.
gc.disable()
from .app import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
