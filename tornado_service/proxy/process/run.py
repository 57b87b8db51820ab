"""One run of a web app's command, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Coroutine
from functools import partial
from logging import Logger
from typing import Any, TypeVar

from .. import diagnosis
from ..forward.target import Target
from ..links import outside_link
from .address import Address
from .child import Child
from .command import ProcessOptions
from .environment import make_environment
from .output import OutputLog
from .processes import is_exposed, listening_ports, marked_processes
from .readiness import (
    NoResponse,
    Response,
    fetch,
    fetch_paths,
    is_refusing,
    path_of,
    wait_until_ready,
)

Result = TypeVar("Result")

#: Seconds that a command has run well after which its failures are forgotten.
RUNS_WELL = 60.0

#: Seconds that the rest of the output may take after the command has ended.
OUTPUT_TIMEOUT = 0.1


class Run:
    """One run of a command.

    Args:
        options: the command.
        output: takes what it writes.
        log: gets its start and its end.
        last_port: the port of the run before, or 0.
        idle_left: returns the seconds until the command is idle, None for never.
        on_ready: called when it takes requests.

    Attributes:
        address: where the command listens.
        unreachable: set it if a connection to the command has failed.
        problem: what is wrong although the app takes requests; empty if nothing is known.
    """

    def __init__(
        self,
        options: ProcessOptions,
        output: OutputLog,
        log: Logger,
        last_port: int,
        idle_left: Callable[[], float | None],
        on_ready: Callable[[], None],
    ) -> None:
        self.address = Address(options.url_target or Target())
        self.unreachable = asyncio.Event()
        self.problem = ""
        self._options = options
        self._output = output
        self._log = log
        self._last_port = last_port
        self._idle_left = idle_left
        self._on_ready = on_ready
        self._child: Child | None = None
        self._ready_since: float | None = None
        self._ran_well = False
        self._home = Response(0)
        self._must_end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        """The command's process; 0 if there is none."""
        return self._child.pid if self._child else 0

    @property
    def is_ready(self) -> bool:
        """Whether the app takes requests."""
        return self._ready_since is not None

    @property
    def has_run_well(self) -> bool:
        """Whether it has taken requests for long enough that earlier failures do not matter."""
        since = self._ready_since
        return self._ran_well or (since is not None and time.monotonic() - since > RUNS_WELL)

    def request_end(self) -> None:
        """End the command; ``run`` returns when it has ended."""
        if not self._must_end.done():
            self._must_end.set_result(None)

    async def run(self) -> str:
        """Run the command.

        Returns:
            Why it has failed, for administrators; empty if it was idle or had to end.
        """
        make = partial(Address.make, self._options, self._last_port)
        try:
            self.address = await asyncio.get_running_loop().run_in_executor(None, make)
        except OSError as error:
            return f"The command has nowhere to listen: {error}."
        try:
            return await self._run_child()
        finally:
            await self.address.remove()

    async def _run_child(self) -> str:
        options, address = self._options, self.address
        command, additional = options.expand(port=address.port, unix_socket=address.unix_socket)
        environment = make_environment(os.environ, additional, secrets.token_hex(8))
        try:
            child = await Child.start(
                command, environment, options.working_directory, address.unix_socket
            )
        except OSError as error:
            return f"The system cannot start a process ({error.strerror})."
        self._child = child
        reading = asyncio.ensure_future(self._output.read(child.output))
        try:
            failure = await self._watch(child)
        finally:
            self._ran_well = self.has_run_well
            self._ready_since = None
            await child.end()
            await asyncio.wait({reading}, timeout=OUTPUT_TIMEOUT)
            reading.cancel()
            child.close_output()
            self._child = None
        return self._why_ended(child) if failure is None else failure

    async def _watch(self, child: Child) -> str | None:
        """Wait until the command has to be ended; return why.

        Returns:
            None if it has ended by itself, an empty text if it is idle or has to end, else what is
            wrong.
        """
        checking: asyncio.Task[None] | None = None
        try:
            while True:
                failure = await self._become_ready(child)
                if failure or child.ended.done() or self._must_end.done():
                    return failure or (None if child.ended.done() else "")
                if checking is None:
                    checking = asyncio.ensure_future(self._check(self._home))
                if not await self._until_unreachable(child):
                    return None if child.ended.done() else ""
        finally:
            if checking:
                checking.cancel()

    async def _first(
        self, child: Child, work: Coroutine[Any, Any, Result], timeout: float | None
    ) -> Result | None:
        """The result of some work; None if the command ends or has to end before, or too late."""
        task = asyncio.ensure_future(work)
        waiting: set[asyncio.Future[Any]] = {task, child.ended, self._must_end}
        try:
            await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        if child.ended.done() or self._must_end.done() or not task.done():
            return None
        return task.result()

    async def _become_ready(self, child: Child) -> str:
        """Wait until the app responds; return why it does not in time.

        The text is empty, too, if the command has ended or has to end.
        """
        options = self._options
        self._ran_well = self.has_run_well
        self._ready_since = None
        began = time.monotonic()
        home = await self._first(child, self._wait_until_ready(child), options.start_timeout)
        if child.ended.done() or self._must_end.done():
            return ""
        if home is None:
            return await self._first(child, self._why_not_ready(child), None) or ""
        self._home = home
        self._ready_since = time.monotonic()
        self._log.info(
            "App %s is ready after %.1f s: process %d listens on %s",
            options.name,
            self._ready_since - began,
            child.pid,
            self.address,
        )
        self._on_ready()
        return ""

    async def _wait_until_ready(self, child: Child) -> Response:
        await child.started.wait()
        path = path_of(self._options.prefix, self._options.strip_prefix)
        return await wait_until_ready(self.address.target, path, self._options.prefix)

    async def _until_unreachable(self, child: Child) -> bool:
        """Wait until nothing listens any more: True; or the command is idle or has ended: False."""
        while True:
            self.unreachable.clear()
            reported = await self._first(child, self.unreachable.wait(), self._idle_left())
            if child.ended.done() or self._must_end.done():
                return False
            if self._idle_left() == 0:
                self._ready_since = None
                self._log.info("App %s is idle: its process is ended", self._options.name)
                return False
            if not reported:
                continue
            is_gone: bool | None = await self._first(child, is_refusing(self.address.target), None)
            if is_gone:
                self._log.warning("App %s does not listen any more", self._options.name)
                return True

    async def _check(self, home: Response) -> None:
        """Find out what is wrong although the app takes requests."""
        problem = await self._prefix_problem(home) or await self._exposure()
        problem = self.problem = problem or self._link_problem(home)
        if problem:
            self._log.warning("App %s: %s", self._options.name, problem)

    async def _exposure(self) -> str:
        """Whether others can connect to the app, and so pretend to be any user."""
        port = self.address.port
        loop = asyncio.get_running_loop()
        if not port or not await loop.run_in_executor(None, is_exposed, port):
            return ""
        return diagnosis.exposed(port, self._options.key)

    async def _prefix_problem(self, home: Response) -> str:
        """Whether the app has its home page elsewhere than its options say."""
        options = self._options
        paths = await fetch_paths(self.address.target, options.prefix, options.strip_prefix, home)
        if paths is None:
            return ""
        return diagnosis.prefix_problem(
            paths.root,
            paths.prefixed,
            paths.twice,
            prefix=options.prefix,
            strip_prefix=options.strip_prefix,
            command=" ".join([*options.command, *options.environment.values()]),
            key=options.key,
        )

    def _link_problem(self, home: Response) -> str:
        """Whether the home page has links that lead out of the app."""
        options = self._options
        link = outside_link(home.page, options.prefix) if home.status == 200 else ""
        return diagnosis.outside_link(link, options.prefix, options.key) if link else ""

    async def _why_not_ready(self, child: Child) -> str:
        loop = asyncio.get_running_loop()
        ports = await loop.run_in_executor(
            None, lambda: listening_ports(marked_processes(child.mark))
        )
        return diagnosis.not_ready(
            self._options.start_timeout,
            str(self.address),
            ports,
            self._options.key,
            reason=await self._reason(),
            last_line=self._last_line,
        )

    async def _reason(self) -> str:
        """What the app does instead of responding; empty if nothing listens."""
        path = path_of(self._options.prefix, self._options.strip_prefix)
        try:
            await asyncio.wait_for(fetch(self.address.target, path, self._options.prefix), 1)
        except asyncio.TimeoutError:
            return "it accepts connections only"
        except NoResponse as error:
            return str(error)
        except OSError:
            return ""
        return "it responds only now"

    @property
    def _last_line(self) -> str:
        return self._output.latest[-1] if self._output.latest else ""

    def _why_ended(self, child: Child) -> str:
        ended, options = child.ended.result(), self._options
        if ended.failed_step:
            return diagnosis.not_started(
                ended.failed_step,
                ended.errno,
                options.key,
                program=options.command[0],
                directory=options.working_directory,
            )
        return diagnosis.ended(ended.status, ended.signal, self._last_line, options.key)
