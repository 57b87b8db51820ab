"""The diagnosis of one service, from outside its process."""

import json
from dataclasses import replace
from typing import Any

from traitlets import TraitError

from ..auth.login_state import SignIns
from ..config.checks import ConfigError
from ..selfcheck import CheckedSetup, Finding, probe, responder_at, run_checks
from .processes import ServiceProcess, read_settings


async def diagnose(target: ServiceProcess) -> list[Finding]:
    """All findings for a service, whose environment this process has adopted."""
    try:
        service = read_settings(target)
    except (ConfigError, TraitError) as error:
        # a trait's error may quote a secret
        reason = str(error) if isinstance(error, ConfigError) else type(error).__name__
        return [Finding("settings", "wrong", f"Its settings cannot be read: {reason}")]
    setup = service.checked_setup()
    process = await check_process(target, setup)
    status, reason = await fetch_status(setup, process)
    findings = [Finding(**found) for found in status.get("findings", ())]
    origins = (found.value for found in findings if found.name == "origin")
    replicas = [found for found in findings if found.name == "replicas"]
    sign_ins = SignIns(**status.get("sign_ins", {}))
    setup = replace(setup, instance=process.value, seen_origin=next(origins, ""), sign_ins=sign_ins)
    replicas = [
        Finding(**found) for found in status.get("findings", ()) if found["name"] == "replicas"
    ]
    if not service.apps and not service.web_apps:
        return [process, *replicas, *await run_checks(setup, include_proxy=True)]
    apps = check_apps(status, reason)
    setup = replace(setup, required_scopes=setup.required_scopes.union(apps.value.split()))
    return [process, *replicas, apps, *await run_checks(setup, include_proxy=True)]


async def check_process(target: ServiceProcess, setup: CheckedSetup) -> Finding:
    if not target.pid:
        message = "No process of the service was found here; this is its environment only."
        return Finding("process", "unknown", message)
    where = f"port {setup.port}"
    try:
        responder = await responder_at(setup, setup.origin_at(setup.ip or "127.0.0.1"))
    except probe.ProbeError as error:
        message = f"Process {target.pid} does not respond at {where}: {error}. See its log."
        return Finding("process", "wrong", message)
    if not responder.instance:
        return Finding(
            "process", "wrong", f"The process that responds at {where} is not the service."
        )
    message = f"Process {target.pid} responds at {where}."
    return Finding("process", "ok", message, value=responder.instance)


async def fetch_status(setup: CheckedSetup, process: Finding) -> tuple[dict[str, Any], str]:
    """The process's ``api/status``, or why it is unavailable."""
    if process.state != "ok":
        return {}, "The status of apps is available only while the service runs."
    if setup.tls.certfile:
        return {}, "With internal_ssl only the hub and its proxy may connect: open the Status page."
    url = f"{setup.origin_at(setup.ip or '127.0.0.1')}{setup.prefix}api/status"
    try:
        response = await probe.get(url, {"Authorization": f"token {setup.token}"})
    except probe.ProbeError as error:
        return {}, f"The service does not report the status of its apps: {error}."
    if response.status != 200:
        return {}, f"The service's status endpoint returns {response.status}."
    return json.loads(response.body), ""


def check_apps(status: dict[str, Any], unknown: str) -> Finding:
    """The state of the process's apps, with their required scopes as the value.

    The process reports it: nothing is imported in this one.
    """
    if unknown:
        return Finding("apps", "unknown", unknown)
    scopes = " ".join(status["scopes"])
    if reasons := "; ".join(_app_problem(app) for app in status["apps"] if app["reason"]):
        return Finding("apps", "wrong", reasons, "see the app in the service's log", scopes)
    states = ", ".join(
        f"{app['name']} is {app['state']}{_app_details(app)}" for app in status["apps"]
    )
    return Finding("apps", "ok", f"{states}.", value=scopes)


def _app_details(app: dict[str, Any]) -> str:
    """The app's own facts; of those with several lines, such as output, the last line."""
    details = [
        f"{label} {text.splitlines()[-1].strip()}"
        for label, text in app["details"].items()
        if text.strip()
    ]
    return f" ({', '.join(details)})" if details else ""


def _app_problem(app: dict[str, Any]) -> str:
    if app["state"] == "failed":
        return f"{app['app']} failed: {app['reason']}"
    if app["state"] == "retrying":
        return f"{app['app']} cannot start yet, and is tried again: {app['reason']}"
    return f"{app['name']} is in trouble: {app['reason']}{_app_details(app)}"
