"""Make dist/tornado_service.pyz: the service in one file, for the chart's own image of the hub.

It is the wheel, ready to run; what the service requires is in that image already. The wheel's files
go into it as one compressed stream, which is a third smaller than a zip of compressed files, and
without the comments of their code.
"""

from __future__ import annotations

import io
import lzma
import re
import subprocess
import sys
import tempfile
import tokenize
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from tornado_service.values.check.delivery import LARGEST_FILE

ROOT = Path(__file__).resolve().parents[1]
PYZ = ROOT / "dist" / "tornado_service.pyz"
START = Path(__file__).with_name("start.py")
#: What the single file does without: what is large and draws Swagger UI and the charts, what only
#: tests need, commands that nobody runs in a pod, and the list of the wheel's files.
LEFT_OUT = re.compile(
    r"tornado_service/(static/swagger/|testing/|activity/static/(d3|plot)[./])"
    r"|tornado_service/(values/|demo/|activity/synthetic\.py)"
    r"|[^/]+\.dist-info/RECORD$"
)


def main() -> None:
    """Make the file, and say how large it is."""
    PYZ.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        pack(build_wheel(Path(directory)), PYZ)
    size = PYZ.stat().st_size
    print(f"{PYZ.relative_to(ROOT)}: {size:,} bytes")
    if size > LARGEST_FILE:
        sys.exit(f"It is too large for values/extra-files.yaml: {LARGEST_FILE:,} bytes at most.")


def build_wheel(directory: Path) -> Path:
    """Build the project's wheel in an empty directory."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = [*pip, "wheel", "--no-deps", f"--wheel-dir={directory}", str(ROOT)]
    subprocess.run(wheel, check=True)  # noqa: S603
    (built,) = directory.glob("*.whl")
    return built


def pack(wheel: Path, pyz: Path) -> None:
    """Put what is in a wheel into a file that Python runs; the same wheel gives the same bytes."""
    code = io.BytesIO()
    with ZipFile(wheel) as source, ZipFile(code, "w") as target:
        for name in sorted(source.namelist()):
            if not LEFT_OUT.match(name):
                content = source.read(name)
                _add(target, name, without_comments(content) if name.endswith(".py") else content)
    best = lzma.PRESET_EXTREME | 9
    with ZipFile(pyz, "w") as target:
        _add(target, "__main__.py", START.read_bytes())
        _add(target, "code.zip.xz", lzma.compress(code.getvalue(), preset=best))


def without_comments(code: bytes) -> bytes:
    """Python code without its comments, and with the lines of tracebacks where they are."""
    lines = code.splitlines(keepends=True)
    for token in tokenize.tokenize(io.BytesIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            before = lines[row - 1].decode()[:column].rstrip()
            lines[row - 1] = before.encode() + b"\n"
    return b"".join(lines)


def _add(target: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name)  # of 1980, whatever the clock says
    entry.external_attr = 0o644 << 16
    target.writestr(entry, content, ZIP_STORED)


if __name__ == "__main__":
    main()
