"""The service's commands, each in a process of its own, which has the libraries already.

To import JupyterHub's library takes most of the time of a command that ends at once. A process of
multiprocessing's ``forkserver`` has imported it; ours are imported in each process.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryDirectory

_context = get_context("forkserver")
_context.set_forkserver_preload(["jupyterhub.services.auth", "pydantic", "tests.support.commands"])

#: Seconds for a command to end.
TIMEOUT = 60


def run_command(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> CompletedProcess[str]:
    """Run ``python -m tornado_service`` to its end.

    Args:
        arguments: those after ``tornado-service``.
        cwd: its working directory; by default that of the tests.
        env: its environment; by default that of the tests.

    Raises:
        TimeoutExpired: it has not ended in time.
    """
    with TemporaryDirectory() as directory:
        outputs = [Path(directory, name) for name in ("stdout", "stderr")]
        process = _context.Process(
            target=_run, args=(arguments, cwd or Path(), dict(env or os.environ), outputs)
        )
        process.start()
        process.join(TIMEOUT)
        status = process.exitcode
        if status is None:
            process.kill()
            process.join()
        process.close()
        stdout, stderr = (output.read_text(encoding="utf-8") for output in outputs)
    if status is None:
        raise TimeoutExpired(arguments, TIMEOUT, stdout, stderr)
    return CompletedProcess(arguments, status, stdout, stderr)


def _run(arguments: tuple[str, ...], cwd: Path, env: dict[str, str], outputs: list[Path]) -> None:
    for number, output in enumerate(outputs, start=1):
        file = os.open(output, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv[1:] = arguments
    sys.path.insert(0, str(Path.cwd()))
    runpy.run_module("tornado_service", run_name="__main__", alter_sys=True)
