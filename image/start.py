"""Start the service from the single file, whose ``__main__.py`` this is."""

import atexit
import bz2
import io
import json
import os
import sys
import tempfile
from zipfile import ZipFile

#: A line of JSON with name and size of each file, and then the files.
CODE = "code.bz2"


def unpack(pyz: str) -> str:
    """Unpack the code into memory, so that nothing has to be writable; else into a temporary file.

    Args:
        pyz: the single file.

    Returns:
        the path of a zip, from which Python imports.
    """
    with ZipFile(pyz) as packed:
        archive = _as_zip(bz2.decompress(packed.read(CODE)))
    try:
        number = os.memfd_create("tornado_service")
    except (AttributeError, OSError):  # not on every system, and not allowed on each that has it
        file = tempfile.NamedTemporaryFile(prefix="tornado_service-", suffix=".zip")  # noqa: SIM115
        atexit.register(file.close)
        file.write(archive)
        file.flush()
        return file.name
    with open(number, "wb", closefd=False) as memory:
        memory.write(archive)
    return f"/proc/self/fd/{number}"


def _as_zip(code: bytes) -> bytes:
    index, _, content = code.partition(b"\n")
    source, archive = io.BytesIO(content), io.BytesIO()
    with ZipFile(archive, "w") as target:
        for name, size in json.loads(index):
            target.writestr(name, source.read(size))
    return archive.getvalue()


if __name__ == "__main__":
    sys.path[0] = unpack(sys.path[0])

    from tornado_service.__main__ import main

    main()
