"""Make dist/tornado_service.pyz: the service in one file, for the chart's own image of the hub.

It is the wheel, ready to run; what the service requires is in that image already. The wheel's files
go into it as one compressed stream, which is a third smaller than a zip of compressed files.
Comments are left out, and so are docstrings, except those in the OpenAPI document or in a help, and
annotations, except those of typed handlers and of the fields of classes.
"""

from __future__ import annotations

import ast
import bz2
import io
import json
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
#: tests need, commands that nobody runs in a pod, web apps, whose library and whose own packages
#: the chart's image does not have, replicas, of which the hub's pod has one, and the list of the
#: wheel's files.
LEFT_OUT = re.compile(
    r"tornado_service/(static/swagger/|testing/|activity/static/(d3|plot|charts?)[._/])"
    r"|tornado_service/(values/|demo/|proxy/|activity/(synthetic|shared_recorder)\.py)"
    r"|tornado_service/streaming/shared_"
    r"|tornado_service/database/replicas/(stores/|(availability|locks|notifications|session|worker)\.)"
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
    with ZipFile(wheel) as source:
        names = [name for name in source.namelist() if not LEFT_OUT.match(name)]
        files = {name: _shortened(name, source.read(name)) for name in sorted(names, key=_by_kind)}
    # smaller than a tar, whose headers are larger than many of the files
    index = json.dumps([(name, len(content)) for name, content in files.items()])
    code = b"".join([index.encode(), b"\n", *files.values()])
    with ZipFile(pyz, "w") as packed:
        _add(packed, "__main__.py", START.read_bytes())
        _add(packed, "code.bz2", bz2.compress(code))


def _by_kind(name: str) -> tuple[str, str]:
    return Path(name).suffix, name  # similar files next to each other take less space


def _shortened(name: str, content: bytes) -> bytes:
    if METADATA.match(name):
        return content.partition(b"\n\n")[0] + b"\n"  # without the README
    if not name.endswith(".py"):
        return content
    return without_annotations(without_comments(without_docstrings(content)))


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


def without_annotations(code: bytes) -> bytes:
    """Python code without the annotations of functions, except those of typed handlers.

    What is imported for annotations only is left out, too.
    """
    lines = code.splitlines(keepends=True)
    cuts: list[tuple[tuple[int, int], tuple[int, int]]] = []  # line and column, from and to
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            cuts.append(((node.lineno, node.col_offset), _end(node)))
            continue
        if (
            not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            or node.name in HTTP_METHODS
        ):
            continue
        every = node.args
        arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
        for argument in arguments:
            if argument is not None and argument.annotation is not None:
                end = argument.col_offset + len(argument.arg.encode())
                cuts.append(((argument.lineno, end), _end(argument.annotation)))
        if node.returns is not None:
            row, column = node.returns.lineno, node.returns.col_offset
            while (arrow := lines[row - 1][:column].rfind(b"->")) < 0:
                row, column = row - 1, len(lines[row - 2])
            column = len(lines[row - 1][:arrow].rstrip())
            cuts.append(((row, column), _end(node.returns)))
    for (row, column), (last_row, last_column) in sorted(cuts, reverse=True):
        rest = lines[last_row - 1][last_column:]
        lines[row - 1] = lines[row - 1][:column] + (rest if row == last_row else b"\n")
        if row != last_row:
            lines[row : last_row - 1] = [b"\n"] * (last_row - row - 1)
            lines[last_row - 1] = rest
    return b"".join(lines)


def _end(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _is_described(node: Documented, *, reads_own: bool) -> bool:
    """Whether a docstring is in the OpenAPI document or in a command's help."""
    if isinstance(node, ast.Module):
        return reads_own
    if not isinstance(node, ast.ClassDef):
        return node.name in HTTP_METHODS
    names = " ".join(map(ast.unparse, (*node.bases, *node.decorator_list)))
    methods = {part.name for part in node.body if isinstance(part, Documented)}
    return bool(methods & HTTP_METHODS) or "dataclass" in names or "ServiceApp" in names.split()


def _add(target: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name)  # of 1980, whatever the clock says
    entry.external_attr = 0o644 << 16
    target.writestr(entry, content, ZIP_STORED)


if __name__ == "__main__":
    main()
