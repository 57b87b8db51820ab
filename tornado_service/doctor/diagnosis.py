"""The diagnosis of one service, from outside of its process."""

import json
from dataclasses import replace

from traitlets import TraitError

from ..config.checks import ConfigError
from ..selfcheck import CheckedSetup, Finding, instance_at, probe, run_checks
from .processes import ServiceProcess, read_settings


async def diagnose(target: ServiceProcess) -> list[Finding]:
    """All findings for a service, whose environment this process has."""
    try:
        service = read_settings(target)
    except (ConfigError, TraitError) as error:
        # a trait's error may quote what is secret
        reason = str(error) if isinstance(error, ConfigError) else type(error).__name__
        return [Finding("settings", "wrong", f"Its settings cannot be read: {reason}")]
    setup = service.checked_setup()
    process = await check_process(target, setup)
    apps = [await check_apps(setup, process)] if service.apps else []
    needed = setup.required_scopes.union(*(finding.value.split() for finding in apps))
    origin = await observed_origin(setup, process)
    setup = replace(setup, instance=process.value, required_scopes=needed, seen_origin=origin)
    return [process, *apps, *await run_checks(setup, include_proxy=True)]


async def check_process(target: ServiceProcess, setup: CheckedSetup) -> Finding:
    if not target.pid:
        message = "No process of the service was found here; this is its environment only."
        return Finding("process", "unknown", message)
    where = f"port {setup.port}"
    try:
        instance = await instance_at(setup, listening_origin(setup))
    except probe.ProbeError as error:
        message = f"Process {target.pid} does not answer at {where}: {error}. Its log says why."
        return Finding("process", "wrong", message)
    if not instance:
        return Finding("process", "wrong", f"What answers at {where} is not the service.")
    message = f"Process {target.pid} answers at {where}."
    return Finding("process", "ok", message, value=instance)


def listening_origin(setup: CheckedSetup) -> str:
    host = setup.ip or "127.0.0.1"
    scheme = "https" if setup.tls.certfile else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{setup.port}"


async def fetch_status(setup: CheckedSetup) -> probe.ProbeResponse:
    """The response of the process's ``api/status``.

    Raises:
        ProbeError: there is none.
    """
    headers = {"Authorization": f"token {setup.token}"}
    return await probe.get(f"{listening_origin(setup)}{setup.prefix}api/status", headers)


async def observed_origin(setup: CheckedSetup, process: Finding) -> str:
    """The origin that browsers used, as the process reports it; empty if unknown."""
    if process.state != "ok" or setup.tls.certfile:
        return ""
    try:
        answer = await fetch_status(setup)
    except probe.ProbeError:
        return ""
    findings = json.loads(answer.body)["findings"] if answer.status == 200 else []
    return next((finding["value"] for finding in findings if finding["name"] == "origin"), "")


async def check_apps(setup: CheckedSetup, process: Finding) -> Finding:
    """The state of the process's apps, with the scopes that they need as the value.

    The process reports it: nothing is imported here.
    """
    if process.state != "ok":
        return Finding("apps", "unknown", "Only a service that runs knows how its apps are.")
    if setup.tls.certfile:
        message = "With internal_ssl only the hub and its proxy may ask: admins see it at status."
        return Finding("apps", "unknown", message)
    try:
        answer = await fetch_status(setup)
    except probe.ProbeError as error:
        return Finding("apps", "unknown", f"The service does not say how its apps are: {error}.")
    if answer.status != 200:
        message = f"Asked how its apps are, the service answers with status {answer.status}."
        return Finding("apps", "unknown", message)
    status = json.loads(answer.body)
    scopes = " ".join(status["scopes"])
    wrong = [app for app in status["apps"] if app["reason"]]
    if wrong:
        reasons = "; ".join(map(_app_problem, wrong))
        return Finding("apps", "wrong", reasons, "what the service's log has of it", scopes)
    states = ", ".join(f"{app['name']} is {app['state']}" for app in status["apps"])
    return Finding("apps", "ok", f"{states}.", value=scopes)


def _app_problem(app: dict[str, str]) -> str:
    if app["state"] == "failed":
        return f"{app['app']} failed: {app['reason']}"
    if app["state"] == "retrying":
        return f"{app['app']} cannot start yet, and is tried again: {app['reason']}"
    return f"{app['name']} is in trouble: {app['reason']}"
