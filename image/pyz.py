"""Make dist/tornado_service.pyz: the service in one file, for the chart's own image of the hub.

It is the wheel, ready to run; what the service requires is in that image already. The wheel's files
go into it as one compressed stream, which is a third smaller than a zip of compressed files.
Comments are left out, and so are docstrings, except those in the OpenAPI document or in a help.
"""

from __future__ import annotations

import ast
import bz2
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from tornado_service.values.check.delivery import LARGEST_FILE

ROOT = Path(__file__).resolve().parents[1]
PYZ = ROOT / "dist" / "tornado_service.pyz"
START = Path(__file__).with_name("start.py")
#: What the single file does without: what is large and draws Swagger UI and the charts, what only
#: tests need, commands that nobody runs in a pod, web apps, whose library and whose own packages
#: the chart's image does not have, and the list of the wheel's files.
LEFT_OUT = re.compile(
    r"tornado_service/(static/swagger/|testing/|activity/static/(d3|plot|charts?)[._/])"
    r"|tornado_service/(values/|demo/|proxy/|activity/synthetic\.py)"
    r"|[^/]+\.dist-info/RECORD$"
)
METADATA = re.compile(r"[^/]+\.dist-info/METADATA$")
#: Methods of handlers: their docstrings describe the operations of the API.
HTTP_METHODS = {"get", "head", "post", "put", "patch", "delete"}

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


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
    with ZipFile(wheel) as source, tarfile.open(fileobj=code, mode="w") as target:
        for name in sorted(source.namelist(), key=_by_kind):
            if not LEFT_OUT.match(name):
                content = _shortened(name, source.read(name))
                entry = tarfile.TarInfo(name)  # of 1970, whatever the clock says
                entry.size = len(content)
                target.addfile(entry, io.BytesIO(content))
    with ZipFile(pyz, "w") as packed:
        _add(packed, "__main__.py", START.read_bytes())
        _add(packed, "code.tar.bz2", bz2.compress(code.getvalue()))


def _by_kind(name: str) -> tuple[str, str]:
    return Path(name).suffix, name  # similar files next to each other take less space


def _shortened(name: str, content: bytes) -> bytes:
    if METADATA.match(name):
        return content.partition(b"\n\n")[0] + b"\n"  # without the README
    return without_comments(without_docstrings(content)) if name.endswith(".py") else content


def without_comments(code: bytes) -> bytes:
    """Python code without its comments, and with the lines of tracebacks where they are."""
    lines = code.splitlines(keepends=True)
    for token in tokenize.tokenize(io.BytesIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            before = lines[row - 1].decode()[:column].rstrip()
            lines[row - 1] = before.encode() + b"\n"
    return b"".join(lines)


def without_docstrings(code: bytes) -> bytes:
    """Python code without the docstrings that are not read at run time, line by line as before."""
    lines = code.splitlines(keepends=True)
    reads_own = b"__doc__" in code
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, Documented) or _is_described(node, reads_own=reads_own):
            continue
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
            begin, end = first.lineno - 1, first.end_lineno or first.lineno
            lines[begin] = lines[begin][: first.col_offset] + b'""\n'
            lines[begin + 1 : end] = [b"\n"] * (end - begin - 1)
    return b"".join(lines)


def _is_described(node: Documented, *, reads_own: bool) -> bool:
    """Whether a docstring is in the OpenAPI document or in a command's help."""
    if isinstance(node, ast.Module):
        return reads_own
    if not isinstance(node, ast.ClassDef):
        return node.name in HTTP_METHODS
    names = " ".join(map(ast.unparse, (*node.bases, *node.decorator_list)))
    methods = {part.name for part in node.body if isinstance(part, Documented)}
    return bool(methods & HTTP_METHODS) or "dataclass" in names or names == "ServiceApp"


def _add(target: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name)  # of 1980, whatever the clock says
    entry.external_attr = 0o644 << 16
    target.writestr(entry, content, ZIP_STORED)


if __name__ == "__main__":
    main()
