"""The hub's pod on this machine: the chart's objects, run in namespaces of its own.

With the objects of our own chart, a pod of the service runs in the same namespaces.

``run`` lays out the files and starts this module again under ``unshare``: with its own network,
so the chart's fixed ports are free, and its own mounts, so files are where the chart puts them.
"""

import asyncio
import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.packaging.chart.charts import Object, one, secret_texts
from tests.packaging.chart.policy import NAMESPACE

ETC = Path("/usr/local/etc/jupyterhub")
PUBLIC = "http://127.0.0.1:8000"
NAMESPACES = ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"]


def can_run() -> bool:
    """Whether this machine permits namespaces."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode == 0


def run(objects: list[Object], plan: dict[str, Any], at: Path) -> Any:
    """Start the hub of these objects and visit it.

    Args:
        objects: rendered by helm.
        plan: the ``proxy``'s command, whether the pod has ``ipv6``, and what to do: ``visits``,
            each a user's name and a path, and ``calls``, each a path and a token.
        at: a directory for the pod.

    Returns:
        the status, URL and page of each visit and call, the roles, and the logs of the hub and of
        our own chart's pod.
    """
    _lay_out(objects, at)
    (at / "plan.json").write_text(json.dumps(plan))
    scripts = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    command = [*NAMESPACES, sys.executable, "-m", "tests.packaging.chart.hub_pod", str(at)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment)
    assert done.returncode == 0, done.stderr + (at / "hub.log").read_text()[-4000:]
    logs = {name: at / f"{name}.log" for name in ("hub", "service")}
    texts = {name: log.read_text() if log.exists() else "" for name, log in logs.items()}
    return {**json.loads(done.stdout), "log": texts["hub"], "service_log": texts["service"]}


def _lay_out(objects: list[Object], at: Path) -> None:
    """Mount what the Deployments mount, as files."""
    spec = one(objects, "Deployment", "hub")["spec"]["template"]["spec"]
    (at / "mounts.json").write_text(json.dumps(volume_files(objects, spec, at / "mount")))
    names = []
    for deployment in objects:
        own = deployment["metadata"]["name"]
        if deployment["kind"] == "Deployment" and own == "tornado-service":
            names = ["hub", own]  # their Kubernetes Services
            (at / "service.json").write_text(json.dumps(service_container(objects, deployment, at)))
    # as the kubelet writes it, and the proxy's name, with everything on this one machine
    lines = [f"127.0.0.1 {' '.join(['localhost', 'proxy-api', *names])}", "::1 localhost"]
    lines += [
        f"{alias['ip']} {' '.join(alias['hostnames'])}" for alias in spec.get("hostAliases", [])
    ]
    (at / "hosts").write_text("\n".join(lines) + "\n")
    (at / "srv").mkdir()


def volume_files(objects: list[Object], spec: dict[str, Any], at: Path) -> dict[str, str]:
    """The files of a pod's volumes: where it mounts them, and where they are here."""
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or []}
    mounts: dict[str, str] = {}
    for number, mount in enumerate(spec["containers"][0].get("volumeMounts", [])):
        content = _content(objects, volumes[mount["name"]])
        if content is None:
            continue
        source = at.with_name(f"{at.name}-{number}")
        if "subPath" in mount:
            source.write_bytes(content[mount["subPath"]])
        else:
            source.mkdir()
            for name, value in content.items():
                (source / name).write_bytes(value)
        mounts[mount["mountPath"].rstrip("/")] = str(source)
    return mounts


def service_container(objects: list[Object], deployment: Object, at: Path) -> dict[str, Any]:
    """The arguments of our own chart's container, with its files here, and its environment."""
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    mounts = volume_files(objects, spec, at / "service")
    arguments = container["args"]
    for path, source in mounts.items():
        arguments = [word.replace(path, source) for word in arguments]
    environment = {entry["name"]: variable_value(objects, entry) for entry in container["env"]}
    return {"arguments": arguments, "environment": environment}


def variable_value(objects: list[Object], variable: dict[str, Any]) -> str:
    """The text of an environment variable of a container."""
    if "value" in variable:
        return variable["value"]
    if "fieldRef" in variable["valueFrom"]:
        assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.namespace", variable
        return NAMESPACE
    secret = variable["valueFrom"]["secretKeyRef"]
    return secret_texts(objects, secret["name"])[secret["key"]]


def _content(objects: list[Object], volume: dict[str, Any]) -> dict[str, bytes] | None:
    if "configMap" in volume:
        data = one(objects, "ConfigMap", volume["configMap"]["name"])["data"]
        return {key: str(value).encode() for key, value in data.items()}
    if "secret" in volume:
        secret = one(objects, "Secret", volume["secret"]["secretName"])
        texts = {key: text.encode() for key, text in secret.get("stringData", {}).items()}
        all_of_it = {key: base64.b64decode(text) for key, text in secret["data"].items()} | texts
        items = volume["secret"].get("items") or [{"key": key, "path": key} for key in all_of_it]
        return {item["path"]: all_of_it[item["key"]] for item in items}
    return None


def mount(at: Path) -> None:
    """Lay the files over those of the machine, and switch the loopback interface on."""
    mounts = json.loads((at / "mounts.json").read_text())
    _call("mount", "--bind", str(at / "hosts"), "/etc/hosts")
    for parent in ("/usr/local/etc", "/usr/local/share"):
        _call("mount", "-t", "tmpfs", "none", parent)
    for path, source in mounts.items():
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if os.path.isdir(source) else shutil.copy(source, target)
    _call("ip", "link", "set", "lo", "up")


def _call(*command: str) -> None:
    subprocess.run(command, check=True)


def _start(at: Path, proxy: list[str]) -> subprocess.Popen[bytes]:
    token = (ETC / "secret" / "hub.config.ConfigurableHTTPProxy.auth_token").read_text()
    environment = {
        "PATH": os.environ["PATH"],
        "HUB_SERVICE_PORT": "8081",
        "PROXY_API_SERVICE_PORT": "8001",
        "POD_NAMESPACE": "lab",
        "CONFIGPROXY_AUTH_TOKEN": token,
        "PYTHONPATH": os.environ["PYTHONPATH"],
    }
    ports = ["--ip=127.0.0.1", "--port=8000", "--api-ip=127.0.0.1", "--api-port=8001"]
    log = (at / "proxy.log").open("wb")
    subprocess.Popen([*proxy, *ports], env=environment, stdout=log, stderr=log)
    return subprocess.Popen(
        ["jupyterhub", f"--config={ETC}/jupyterhub_config.py", "--upgrade-db"],
        cwd=at / "srv",
        env=environment,
        stdout=(at / "hub.log").open("wb"),
        stderr=subprocess.STDOUT,
    )


def _start_service(at: Path) -> subprocess.Popen[bytes] | None:
    """Start a pod of our own chart, if there is one."""
    if not (at / "service.json").exists():
        return None
    service = json.loads((at / "service.json").read_text())
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH")}
    return subprocess.Popen(
        [sys.executable, "-m", "tornado_service", *service["arguments"]],
        cwd="/",
        env={**inherited, **service["environment"]},
        stdout=(at / "service.log").open("wb"),
        stderr=subprocess.STDOUT,
    )


def _wait(hub: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if "JupyterHub is now running" in log.read_text():
            return
        if hub.poll() is not None:
            sys.exit(f"the hub ended with {hub.returncode}")
        time.sleep(0.1)
    sys.exit("the hub does not start")


def _wait_until_ready(log: Path) -> None:
    """Wait until the service knows that the hub is there: it was started first."""
    for _ in range(600):
        with suppress(OSError), urlopen("http://tornado-service:8181/health/ready", timeout=20):
            return
        time.sleep(0.1)
    sys.exit(f"the service is not ready: {log.read_text()[-4000:]}")


async def _visit(name: str, path: str) -> dict[str, Any]:
    from tornado.httpclient import AsyncHTTPClient

    from tornado_service.testing import Visitor

    visitor = Visitor(AsyncHTTPClient(), PUBLIC)
    response = await visitor.sign_in(path, name)
    return {"status": response.code, "address": visitor.address, "page": visitor.page}


async def _call_api(path: str, token: str) -> dict[str, Any]:
    from tornado.httpclient import AsyncHTTPClient

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = await AsyncHTTPClient().fetch(PUBLIC + path, headers=headers, raise_error=False)
    return {"status": response.code, "page": response.body.decode()}


def _roles(database: Path) -> dict[str, list[str]]:
    with sqlite3.connect(database) as connection:
        rows = connection.execute("select name, scopes from roles").fetchall()
    return {name: json.loads(scopes) for name, scopes in rows}


def main(at: Path) -> None:
    """Run the pod, within the namespaces."""
    plan = json.loads((at / "plan.json").read_text())
    mount(at)
    if not plan["ipv6"]:
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    service = _start_service(at)
    hub = _start(at, plan["proxy"])
    _wait(hub, at / "hub.log")
    if service:
        _wait_until_ready(at / "service.log")
    visits = [asyncio.run(_visit(*visit)) for visit in plan["visits"]]
    calls = [asyncio.run(_call_api(*call)) for call in plan["calls"]]
    roles = _roles(at / "srv" / "jupyterhub.sqlite")
    started = time.monotonic()
    hub.terminate()
    hub.wait(60)
    stopped = round(time.monotonic() - started, 1)
    if service:
        service.terminate()
        service.wait(60)
    result = {"visits": visits, "calls": calls, "roles": roles, "stopped_after": stopped}
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
