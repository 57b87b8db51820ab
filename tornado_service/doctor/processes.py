"""The services that run here, found by their processes, and their environment."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from traitlets.config import Config

from ..app import TornadoService

#: The environment that a service's settings come from.
ENV_PREFIXES = ("JUPYTERHUB_", "TORNADO_SERVICE_")

#: What JupyterHub's library reads from the environment when it is imported, which is too early.
IMPORT_TIME_ENV = {
    "JUPYTERHUB_SERVICE_PREFIX": "base_url",
    "JUPYTERHUB_API_URL": "api_url",
    "JUPYTERHUB_SSL_KEYFILE": "keyfile",
    "JUPYTERHUB_SSL_CERTFILE": "certfile",
    "JUPYTERHUB_SSL_CLIENT_CA": "client_ca",
}


@dataclass(frozen=True)
class ServiceProcess:
    """A service to look at.

    Attributes:
        environment: what its hub gave it.
        arguments: its command line, without the command.
        pid: its process; 0 if there is none and the environment is our own.
        directory: where its relative paths start.
    """

    environment: Mapping[str, str] = field(repr=False)
    arguments: list[str] = field(default_factory=list, repr=False)
    pid: int = 0
    directory: str = "."

    @property
    def name(self) -> str:
        return self.environment.get("JUPYTERHUB_SERVICE_NAME", "")

    def __str__(self) -> str:
        where = f"process {self.pid}" if self.pid else "no process, only its environment"
        return f"{self.name} ({where})"


def running_services(proc: Path = Path("/proc")) -> list[ServiceProcess]:
    """The services that run here as this user.

    Those of others are left alone: their config files are programs.

    Args:
        proc: Linux's table of processes. Elsewhere there is none, and nothing is found.
    """
    found = []
    for pid in sorted(int(entry.name) for entry in proc.glob("[0-9]*")):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is somebody else's
            target = _service_process(proc / str(pid), pid)
            if target and target.name and pid != os.getpid():
                found.append(target)
    return found


def _service_process(process: Path, pid: int) -> ServiceProcess | None:
    if process.stat().st_uid != os.geteuid():
        return None
    arguments = service_arguments(_read_strings(process / "cmdline"))
    if arguments is None:
        return None
    pairs = (text.partition("=") for text in _read_strings(process / "environ"))
    environment = {name: value for name, _, value in pairs if name.startswith(ENV_PREFIXES)}
    return ServiceProcess(environment, arguments, pid, str((process / "cwd").resolve()))


def _read_strings(file: Path) -> list[str]:
    return file.read_bytes().decode(errors="replace").split("\0")[:-1]


def service_arguments(command: list[str]) -> list[str] | None:
    """What follows the service's name in a command line; nothing if it runs something else.

    Args:
        command: such as ``python3 -m tornado_service``, ``python3 …/tornado_service.pyz`` or
            ``python3 …/bin/tornado-service``, with options.
    """
    for number, word in enumerate(command):
        file = Path(word).name
        module = word == "tornado_service" and command[number - 1 : number] == ["-m"]
        script = file == "tornado-service" or re.fullmatch(r"tornado_service.*\.pyz", file)
        if module or script:
            rest = command[number + 1 :]
            return None if rest and rest[0] in TornadoService.subcommands else rest
    return None


def own_environment() -> list[ServiceProcess]:
    """The service whose environment this process has, if any."""
    environment = {
        name: value for name, value in os.environ.items() if name.startswith(ENV_PREFIXES)
    }
    target = ServiceProcess(environment)
    return [target] if target.name and "JUPYTERHUB_SERVICE_URL" in environment else []


@contextlib.contextmanager
def environment_of(target: ServiceProcess) -> Iterator[None]:
    """Replace this process's environment and directory by the target's."""
    before, directory = dict(os.environ), Path.cwd()
    for name in before:
        if name.startswith(ENV_PREFIXES):
            del os.environ[name]
    os.environ.update(target.environment)
    try:
        os.chdir(target.directory)
        yield
    finally:
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(before)


def read_settings(target: ServiceProcess) -> TornadoService:
    """The service with the target's settings; it serves nothing.

    Raises:
        ConfigError: something is set that cannot be.
    """
    early = {
        trait: target.environment[name]
        for name, trait in IMPORT_TIME_ENV.items()
        if name in target.environment
    }
    service = TornadoService(config=Config(ServiceAuth=early))
    service.initialize(list(target.arguments))
    return service
