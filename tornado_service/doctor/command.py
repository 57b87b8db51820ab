"""The command ``tornado-service doctor``: what is wrong with the service that runs here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from traitlets import TraitError, Unicode
from traitlets.config import Config

from ..app import TornadoService
from ..config import application as config
from ..selfcheck import Finding, Setup, examine, probe, who_answers
from ..telemetry.redaction import single_line

#: The environment that a service's settings come from.
OURS = ("JUPYTERHUB_", "TORNADO_SERVICE_")

#: What JupyterHub's library reads from the environment when it is imported, which is too early.
EARLY = {
    "JUPYTERHUB_SERVICE_PREFIX": "base_url",
    "JUPYTERHUB_API_URL": "api_url",
    "JUPYTERHUB_SSL_KEYFILE": "keyfile",
    "JUPYTERHUB_SSL_CERTFILE": "certfile",
    "JUPYTERHUB_SSL_CLIENT_CA": "client_ca",
}

NOBODY = """\
No tornado-service runs here as this user, and this is not the environment of one.
In zero-to-jupyterhub: kubectl exec deploy/hub -- python3 -m tornado_service doctor
If the hub has ended already, its log has the reason: kubectl logs deploy/hub --previous"""


@dataclass(frozen=True)
class Patient:
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
        """The service's name."""
        return self.environment.get("JUPYTERHUB_SERVICE_NAME", "")

    def __str__(self) -> str:
        where = f"process {self.pid}" if self.pid else "no process, only its environment"
        return f"{self.name} ({where})"


def running_services(proc: Path = Path("/proc")) -> list[Patient]:
    """The services that run here as this user.

    Those of others are left alone: their config files are programs.

    Args:
        proc: Linux's table of processes. Elsewhere there is none, and nothing is found.
    """
    found = []
    for pid in sorted(int(entry.name) for entry in proc.glob("[0-9]*")):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is somebody else's
            patient = _patient(proc / str(pid), pid)
            if patient and patient.name and pid != os.getpid():
                found.append(patient)
    return found


def _patient(process: Path, pid: int) -> Patient | None:
    if process.stat().st_uid != os.geteuid():
        return None
    arguments = service_arguments(_texts(process / "cmdline"))
    if arguments is None:
        return None
    pairs = (text.partition("=") for text in _texts(process / "environ"))
    environment = {name: value for name, _, value in pairs if name.startswith(OURS)}
    return Patient(environment, arguments, pid, str((process / "cwd").resolve()))


def _texts(file: Path) -> list[str]:
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


def own_environment() -> list[Patient]:
    """The service whose environment we have been given, if that is so."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(OURS)}
    patient = Patient(environment)
    return [patient] if patient.name and "JUPYTERHUB_SERVICE_URL" in environment else []


@contextlib.contextmanager
def in_place_of(patient: Patient) -> Iterator[None]:
    """Have the patient's environment and directory instead of our own."""
    before, directory = dict(os.environ), Path.cwd()
    for name in before:
        if name.startswith(OURS):
            del os.environ[name]
    os.environ.update(patient.environment)
    try:
        os.chdir(patient.directory)
        yield
    finally:
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(before)


def read_settings(patient: Patient) -> TornadoService:
    """The service with the patient's settings; it serves nothing.

    Raises:
        ConfigError: something is set that cannot be.
    """
    early = {
        trait: patient.environment[name]
        for name, trait in EARLY.items()
        if name in patient.environment
    }
    service = TornadoService(config=Config(ServiceAuth=early))
    service.initialize(list(patient.arguments))
    return service


async def diagnose(patient: Patient) -> list[Finding]:
    """Everything that can be found out about one service.

    Args:
        patient: the service; we are in its place.
    """
    try:
        service = read_settings(patient)
    except (config.ConfigError, TraitError) as error:
        # a trait's error may quote what is secret
        reason = str(error) if isinstance(error, config.ConfigError) else type(error).__name__
        return [Finding("settings", "wrong", f"Its settings cannot be read: {reason}")]
    setup = Setup.of(service, service.selfcheck.needed)
    process = await look_at_process(patient, setup)
    apps = [await look_at_apps(setup, process)] if service.apps else []
    needed = setup.needed.union(*(finding.value.split() for finding in apps))
    origin = await origin_seen_by(setup, process)
    setup = replace(setup, instance=process.value, needed=needed, seen_origin=origin)
    return [process, *apps, *await examine(setup, from_outside=True)]


async def look_at_process(patient: Patient, setup: Setup) -> Finding:
    """Whether the process serves, and as which instance."""
    if not patient.pid:
        message = "No process of the service was found here; this is its environment only."
        return Finding("process", "unknown", message)
    where = f"port {setup.port}"
    try:
        instance = await who_answers(setup, origin_of(setup))
    except probe.NoAnswer as error:
        message = f"Process {patient.pid} does not answer at {where}: {error}. Its log says why."
        return Finding("process", "wrong", message)
    if not instance:
        return Finding("process", "wrong", f"What answers at {where} is not the service.")
    message = f"Process {patient.pid} answers at {where}."
    return Finding("process", "ok", message, value=instance)


def origin_of(setup: Setup) -> str:
    """Where the process listens, whatever its URL is."""
    host = setup.ip or "127.0.0.1"
    scheme = "https" if setup.tls_files[1] else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{setup.port}"


async def ask_status(setup: Setup) -> probe.Answer:
    """What the process says of itself.

    Raises:
        NoAnswer: it does not.
    """
    headers = {"Authorization": f"token {setup.token}"}
    return await probe.get(f"{origin_of(setup)}{setup.prefix}api/status", headers)


async def origin_seen_by(setup: Setup, process: Finding) -> str:
    """The origin by which browsers have come to the process; empty if it does not say."""
    if process.state != "ok" or setup.tls_files[1]:
        return ""
    try:
        answer = await ask_status(setup)
    except probe.NoAnswer:
        return ""
    findings = json.loads(answer.body)["findings"] if answer.status == 200 else []
    return next((each["value"] for each in findings if each["name"] == "origin"), "")


async def look_at_apps(setup: Setup, process: Finding) -> Finding:
    """How the apps of the process are, and in the value the scopes that they need.

    They are not imported here: the process has done that, and says what has come of it.
    """
    if process.state != "ok":
        return Finding("apps", "unknown", "Only a service that runs knows how its apps are.")
    if setup.tls_files[1]:
        message = "With internal_ssl only the hub and its proxy may ask: admins see it at status."
        return Finding("apps", "unknown", message)
    try:
        answer = await ask_status(setup)
    except probe.NoAnswer as error:
        return Finding("apps", "unknown", f"The service does not say how its apps are: {error}.")
    if answer.status != 200:
        message = f"Asked how its apps are, the service answers with status {answer.status}."
        return Finding("apps", "unknown", message)
    status = json.loads(answer.body)
    scopes = " ".join(status["scopes"])
    wrong = [app for app in status["apps"] if app["reason"]]
    if wrong:
        reasons = "; ".join(map(_complaint, wrong))
        return Finding("apps", "wrong", reasons, "what the service's log has of it", scopes)
    states = ", ".join(f"{app['name']} is {app['state']}" for app in status["apps"])
    return Finding("apps", "ok", f"{states}.", value=scopes)


def _complaint(app: dict[str, str]) -> str:
    if app["state"] == "failed":
        return f"{app['app']} failed: {app['reason']}"
    if app["state"] == "retrying":
        return f"{app['app']} cannot start yet, and is tried again: {app['reason']}"
    return f"{app['name']} is in trouble: {app['reason']}"


def report(findings: list[Finding]) -> str:
    """Findings as lines for a terminal.

    Args:
        findings: what was found.
    """
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<8} {finding.name + ':':<14} {finding.message}")
        if finding.key:
            lines.append(f"{'':<24}Fix: {finding.key}")
    return "\n".join(map(single_line, lines))


class DoctorApp(config.StrictApplication):
    """Say what is wrong with the service that runs here.

    It finds the process by itself, if this user runs it. In zero-to-jupyterhub:
    kubectl exec deploy/hub -- python3 -m tornado_service doctor

    Exit status: 0 nothing is wrong, 1 something is, 2 the command was used in a wrong way.
    """

    name = "tornado-service doctor"
    description = __doc__
    aliases = {"name": "DoctorApp.service_name"}
    flags: dict[str, Any] = {}

    service_name = Unicode(
        help="Look at the service of this name. Default: at every one that runs here."
    ).tag(config=True)

    def start(self) -> None:
        """Print what was found."""
        running, named = running_services(), self.service_name
        patients = [each for each in running if named in ("", each.name)]
        patients = patients or [each for each in own_environment() if named in ("", each.name)]
        if not patients:
            others = ", ".join(map(str, running))
            sys.exit(f"No {named} runs here, but {others}" if others else NOBODY)
        results = [self._look_at(patient) for patient in patients]
        sys.exit(0 if all(results) else 1)

    def _look_at(self, patient: Patient) -> bool:
        """Print what is found about one; whether nothing is wrong."""
        print(patient)
        with in_place_of(patient):
            findings = asyncio.run(diagnose(patient))
        print(report(findings), flush=True)
        return all(finding.state != "wrong" for finding in findings)
