"""The command ``tornado-service doctor``: finds problems of the running service."""

import asyncio
import sys

from traitlets import Unicode

from ..config.application import StrictApplication
from ..selfcheck import Finding
from ..telemetry.redaction import single_line
from .diagnosis import diagnose
from .processes import (
    ServiceProcess,
    environment_of,
    other_users,
    own_environment,
    running_services,
)

NO_SERVICE_FOUND = """\
No tornado-service runs here as this user, and this is not the environment of one.
In zero-to-jupyterhub: kubectl exec deploy/hub -- python3 -m tornado_service doctor
A service in pods of its own: kubectl exec deploy/NAME -- python3 -m tornado_service doctor
If the hub has ended already, its log has the reason: kubectl logs deploy/hub --previous"""


def format_findings(findings: list[Finding]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<8} {finding.name + ':':<14} {finding.message}")
        if finding.key:
            lines.append(f"{'':<24}Fix: {finding.key}")
    return "\n".join(map(single_line, lines))


def _no_service_found() -> str:
    users = other_users()
    if not users:
        return NO_SERVICE_FOUND
    # settings of another user are code that this user would run
    return (
        f"A tornado-service runs here as {', '.join(users)}, and its settings are read as that user"
        f" only: runuser -u {users[0]} -- {sys.executable} -m tornado_service doctor"
    )


class DoctorApp(StrictApplication):
    """Check the service that runs here, and list its problems.

    The command finds the process if the same user runs it. In zero-to-jupyterhub:
    kubectl exec deploy/hub -- python3 -m tornado_service doctor
    For a service in pods of its own, replace deploy/hub by the name of its Deployment.

    Exit status: 0 no problem, 1 problems, 2 wrong arguments.
    """

    name = "tornado-service doctor"
    description = __doc__
    aliases = {"name": "DoctorApp.service_name"}

    service_name = Unicode(
        help="Check the service of this name. Default: every service that runs here."
    ).tag(config=True)

    def start(self) -> None:
        running, named = running_services(), self.service_name
        targets = [service for service in running if named in ("", service.name)] or [
            service for service in own_environment() if named in ("", service.name)
        ]
        if not targets:
            others = ", ".join(map(str, running))
            sys.exit(f"No {named} runs here, but {others}" if others else _no_service_found())
        results = [self._diagnose(target) for target in targets]
        sys.exit(0 if all(results) else 1)

    def _diagnose(self, target: ServiceProcess) -> bool:
        """Print the findings for one service; return whether there is no problem."""
        print(target)
        with environment_of(target):
            findings = asyncio.run(diagnose(target))
        print(format_findings(findings), flush=True)
        return all(finding.state != "wrong" for finding in findings)
