"""Start the service from the single file, whose ``__main__.py`` this is."""

import atexit
import io
import os
import sys
import tarfile
import tempfile
from typing import IO
from zipfile import ZipFile

CODE = "code.tar.bz2"


def unpack(pyz: str) -> str:
    """Unpack the code into memory, so that nothing has to be writable; else into a temporary file.

    Args:
        pyz: the single file.

    Returns:
        the path of a zip, from which Python imports.
    """
    with ZipFile(pyz) as packed, packed.open(CODE) as code:
        archive = _as_zip(code)
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


def _as_zip(code: IO[bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=code, mode="r|bz2") as source, ZipFile(archive, "w") as target:
        for entry in source:
            content = source.extractfile(entry)
            target.writestr(entry.name, content.read() if content else b"")
    return archive.getvalue()


if __name__ == "__main__":
    sys.path[0] = unpack(sys.path[0])

    from tornado_service.__main__ import main

    main()
