"""``python -m tornado_service``, and the command ``tornado-service``."""

import gc

from .server import process  # noqa: F401 - first: all other imports take a second

# Imported objects live as long as the process: collecting garbage among them takes long.
gc.disable()
from .app import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
