"""Start the service from the single file, whose ``__main__.py`` this is."""

import atexit
import lzma
import os
import sys
import tempfile
from zipfile import ZipFile

CODE = "code.zip.xz"


def unpack(pyz: str) -> str:
    """Unpack the code into memory, so that nothing has to be writable; else into a temporary file.

    Args:
        pyz: the single file.

    Returns:
        the path of a zip, from which Python imports.
    """
    with ZipFile(pyz) as packed:
        code = lzma.decompress(packed.read(CODE))
    try:
        number = os.memfd_create("tornado_service")
    except (AttributeError, OSError):  # not on every system, and not allowed on each that has it
        file = tempfile.NamedTemporaryFile(prefix="tornado_service-", suffix=".zip")  # noqa: SIM115
        atexit.register(file.close)
        file.write(code)
        file.flush()
        return file.name
    with open(number, "wb", closefd=False) as memory:
        memory.write(code)
    return f"/proc/self/fd/{number}"


if __name__ == "__main__":
    sys.path[0] = unpack(sys.path[0])

    from tornado_service.__main__ import main

    main()
