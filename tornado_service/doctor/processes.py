"""The running services and their environment, from the process table."""

import contextlib
import os
import pwd
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from traitlets.config import Config

from ..app import TornadoService

#: Environment variables that configure a service.
ENV_PREFIXES = ("JUPYTERHUB_", "TORNADO_SERVICE_")

#: JupyterHub's library reads these from the environment on import, which is too early.
IMPORT_TIME_ENV = {
    "JUPYTERHUB_SERVICE_PREFIX": "base_url",
    "JUPYTERHUB_API_URL": "api_url",
    "JUPYTERHUB_SSL_KEYFILE": "keyfile",
    "JUPYTERHUB_SSL_CERTFILE": "certfile",
    "JUPYTERHUB_SSL_CLIENT_CA": "client_ca",
}


@dataclass(frozen=True)
class ServiceProcess:
    """A service to diagnose.

    Attributes:
        environment: the variables that configure it, most of them set by a hub that launched it.
        arguments: its command line, without the command.
        pid: 0 if there is no process and the environment is our own.
        directory: its working directory.
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
    """The running services of this user; config files of other users are untrusted code.

    Only Linux has the process table that this reads.
    """
    services = []
    for pid in sorted({int(entry.name) for entry in proc.glob("[0-9]*")} - {os.getpid()}):
        process = proc / str(pid)
        with contextlib.suppress(OSError):  # it has ended meanwhile, or belongs to another user
            arguments = service_arguments(_read_strings(process / "cmdline"))
            if arguments is None or process.stat().st_uid != os.geteuid():
                continue
            pairs = (text.partition("=")[::2] for text in _read_strings(process / "environ"))
            directory = str((process / "cwd").resolve())
            target = ServiceProcess(_service_variables(pairs), arguments, pid, directory)
            if target.name:
                services.append(target)
    return services


def other_users(proc: Path = Path("/proc")) -> list[str]:
    """The names of other users who run a service here."""
    users = set()
    for process in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            user = process.stat().st_uid
            is_service = service_arguments(_read_strings(process / "cmdline")) is not None
            if is_service and user != os.geteuid():
                users.add(user)
    return sorted(map(_user_name, users))


def _user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"


def _service_variables(variables: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in variables if name.startswith(ENV_PREFIXES)}


def _read_strings(file: Path) -> list[str]:
    return file.read_bytes().decode(errors="replace").split("\0")[:-1]


def service_arguments(command: list[str]) -> list[str] | None:
    """The options in a service's command line; None if it is another command.

    Examples: ``python3 -m tornado_service``, ``python3 …/tornado_service.pyz`` and
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
    target = ServiceProcess(_service_variables(os.environ.items()))
    return [target] if target.name and "JUPYTERHUB_API_URL" in target.environment else []


@contextlib.contextmanager
def environment_of(target: ServiceProcess) -> Iterator[None]:
    """Replace this process's environment and directory by the target's."""
    before, directory = dict(os.environ), Path.cwd()
    for name in _service_variables(before.items()):
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
    """A service with the target's settings, not started."""
    early = {
        trait: target.environment[name]
        for name, trait in IMPORT_TIME_ENV.items()
        if name in target.environment
    }
    service = TornadoService(config=Config(ServiceAuth=early))
    service.initialize(list(target.arguments))
    return service
