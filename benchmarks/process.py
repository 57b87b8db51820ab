"""CPU time, memory and threads of a process and its descendants."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Memory:
    """In MiB. USS is the memory that ending the processes would free."""

    rss: float
    uss: float
    threads: int


def tree(root: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        if fields := _stat(int(name)):
            children.setdefault(int(fields[1]), []).append(int(name))
    pids = [root]
    for pid in pids:
        pids += children.get(pid, [])
    return pids


def cpu_seconds(root: int) -> float:
    """CPU time of a process and its descendants."""
    return sum(map(own_cpu_seconds, tree(root)))


def own_cpu_seconds(pid: int) -> float:
    """CPU time of a process without its descendants; 0 if it has ended."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def memory(root: int) -> Memory:
    """The memory and threads of a tree of processes."""
    rss = uss = 0
    threads = 0
    for pid in tree(root):
        sizes = dict(re.findall(r"(\w+): +(\d+) kB", _read(f"/proc/{pid}/smaps_rollup")))
        rss += int(sizes["Rss"])
        uss += int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"])
        threads += len(os.listdir(f"/proc/{pid}/task"))
    return Memory(rss / 1024, uss / 1024, threads)


def own_rss(pid: int) -> float:
    """RSS of a process without its descendants, in MiB."""
    return _status(pid, "VmRSS")


def own_peak_rss(pid: int) -> float:
    """The highest RSS since ``reset_peak_rss``, in MiB."""
    return _status(pid, "VmHWM")


def reset_peak_rss(pid: int) -> None:
    """https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html ."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> float:
    match = re.search(rf"{name}:\s+(\d+) kB", _read(f"/proc/{pid}/status"))
    assert match is not None
    return int(match[1]) / 1024


def environment(pid: int) -> dict[str, str]:
    """The initial environment of a process."""
    pairs = _read(f"/proc/{pid}/environ").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _stat(pid: int) -> list[str]:
    """The fields behind the name, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html ."""
    try:
        return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except OSError:
        return []


def _read(path: str) -> str:
    return Path(path).read_text(errors="surrogateescape")
