"""Starts the command of a web app, and ends all of its processes, even if the service is killed.

A program of its own that imports nothing of this package: ``python -I -S launcher.py GRACE
DIRECTORY SOCKET COMMAND…``. GRACE is in seconds; SOCKET, which may be empty, is removed at the end,
with its directory. Its standard input is a socket of the service. When
the service closes it, or is gone, the command's processes get SIGTERM, and SIGKILL after GRACE.
The launcher reports through the socket, a line each:

- ``pid N``: the command runs as process N, in a process group of the same number;
- ``error directory N`` or ``error command N``: it cannot be started, with errno;
- ``exit N`` or ``signal N``: it has ended; its remaining processes are ended now.

The launcher exits when the last process has ended, with status 0 then. On Linux this includes
those in sessions of their own, as orphans become children of the launcher
(https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress

IS_LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

#: Seconds for which processes are killed again, as they may start others meanwhile.
KILL_TIME = 2.0


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process; only Linux has them."""
    if IS_LINUX:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(root: int) -> set[int]:
    """The processes that a process has started, theirs included; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    with suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{name}/stat", "rb") as file:
                    # the name before may contain any character
                    parent = int(file.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    waiting = [root]
    while waiting:
        new = set(children.get(waiting.pop(), ())) - found
        found |= new
        waiting.extend(new)
    return found


class Launcher:
    """The command, its processes, and the connection to the service."""

    def __init__(self, service: socket.socket, grace: float) -> None:
        self.service = service
        self.grace = grace
        self.leader = 0
        self.has_children = True
        # a byte arrives for each signal: the end of a child interrupts select()
        self.wakeups, wakeup = os.pipe()
        os.set_blocking(self.wakeups, False)
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self.request_end)
        self.must_end = False

    def request_end(self, *_: object) -> None:
        self.must_end = True

    def report(self, text: str) -> None:
        with suppress(OSError):  # the service is gone
            self.service.sendall(f"{text}\n".encode())

    def start(self, directory: str, command: list[str]) -> bool:
        """Start the command; report it, or why that failed."""
        failure, failing = os.pipe()  # closed by exec
        pid = os.fork()
        if pid == 0:
            self._become(directory, command, failing)
        self.leader = pid
        os.close(failing)
        with open(failure, "rb") as file:
            error = file.read().decode()
        self.report(f"error {error}" if error else f"pid {pid}")
        for output in (1, 2):  # only the command's processes keep the output open
            os.dup2(os.open(os.devnull, os.O_WRONLY), output)
        return not error

    def _become(self, directory: str, command: list[str], failing: int) -> None:
        """Replace this new process by the command."""
        step = "command"
        try:
            os.setsid()
            # if the launcher is killed, nothing else ends the command
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            # Python ignores some, and what has started the service may ignore others
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            step = "directory"
            os.chdir(directory)
            step = "command"
            os.execvp(command[0], command)  # noqa: S606 - starting it is the task
        except OSError as error:
            os.write(failing, f"{step} {error.errno}".encode())
        finally:
            os._exit(127)

    def reap(self) -> bool:
        """Release processes that have ended; return whether the command is one of them."""
        has_ended = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.has_children = False
                return has_ended
            if pid == 0:
                return has_ended
            if pid == self.leader:
                has_ended = True
                number = os.waitstatus_to_exitcode(status)
                self.report(f"exit {number}" if number >= 0 else f"signal {-number}")

    def wait(self, seconds: float | None) -> None:
        """Wait for a signal, the end of the service, or a time."""
        service = self.service.fileno()
        waiting = [self.wakeups] if self.must_end else [self.wakeups, service]
        ready, _, _ = select.select(waiting, [], [], seconds)
        if self.wakeups in ready:
            os.read(self.wakeups, 1024)
        if service in ready:
            self.must_end = True  # the service sends nothing

    def run(self) -> None:
        """Watch the command, until it has ended or the service ends it."""
        while not self.reap() and not self.must_end:
            self.wait(None)
        self.must_end = True
        self.end_all()

    def send(self, number: int) -> None:
        """Send a signal to all processes of the command."""
        with suppress(OSError):
            os.killpg(self.leader, number)
        for pid in descendants(os.getpid()):
            with suppress(OSError):
                if number == signal.SIGKILL or os.getpgid(pid) != self.leader:
                    os.kill(pid, number)

    def is_running(self) -> bool:
        """Whether a process of the command is left."""
        self.reap()
        if IS_LINUX:  # all that are left are children, or become so
            return self.has_children
        with suppress(OSError):
            os.killpg(self.leader, 0)
            return True
        return self.has_children

    def end_all(self) -> None:
        """End all processes of the command."""
        if not self.is_running():
            return
        self.send(signal.SIGTERM)
        end = time.monotonic() + self.grace
        while self.is_running() and (left := end - time.monotonic()) > 0:
            self.wait(min(left, 0.1))
        end = time.monotonic() + KILL_TIME
        while self.is_running():
            if time.monotonic() > end:
                sys.exit(1)
            self.send(signal.SIGKILL)
            self.wait(0.02)


def main(arguments: list[str]) -> None:
    grace, directory, unix_socket, *command = arguments
    with socket.socket(fileno=os.dup(0)) as service:
        launcher = Launcher(service, float(grace))
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if launcher.start(directory, command):
            launcher.run()
    if unix_socket:  # the service does this, too, unless it has been killed
        with suppress(OSError):
            os.unlink(unix_socket)
        with suppress(OSError):
            os.rmdir(os.path.dirname(unix_socket))


if __name__ == "__main__":
    main(sys.argv[1:])
