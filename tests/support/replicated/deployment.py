"""The whole: replicas, balancer, hub, proxy and database."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support import postgresql
from tests.support.prepare import find_postgresql
from tests.support.replicated.nginx import Nginx
from tests.support.replicated.replica import PATIENCE, Replica
from tornado_service.activity import Activity
from tornado_service.demo.apps import scope_options
from tornado_service.demo.hub import config_text
from tornado_service.demo.processes import free_ports
from tornado_service.demo.proxy import find_proxy
from tornado_service.testing import RealHub

COUNT = 3
APPS = (
    "tests.support.replicated.board_app:Board",
    "tests.support.frequent_activity:FrequentActivity",
)
ACCOUNT = "service"

#: As in zero-to-jupyterhub, the proxy goes on while the hub restarts.
OWN_PROXY = """
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{port}"
c.ConfigurableHTTPProxy.auth_token = "{token}"
"""


class Deployment:
    """A service of three replicas at a real hub.

    Attributes:
        launched: all replicas, also those that have ended.
        hub: the hub, which does not launch the service.
        nginx: between the hub's proxy and the replicas, and between the replicas and the hub.
        database: their PostgreSQL.
        replicas: those that get requests.

    Args:
        count: of the replicas.
        apps: what they run.
        settings: more settings of the service, by class.
    """

    def __init__(
        self,
        count: int = COUNT,
        apps: Sequence[str] = APPS,
        settings: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self._count = count
        self._apps = list(apps)
        self._settings = settings or {}
        self._started = 0
        self._stack = ExitStack()
        self.replicas: list[Replica] = []
        self.launched: list[Replica] = []
        (port,) = free_ports(1)
        options = scope_options(Activity.service_scopes, Activity.user_scopes)
        options["service_options"] |= {"command": []}  # the hub does not launch it
        options["extra_config"] = options.get("extra_config", "") + OWN_PROXY.format(
            port=(proxy_api := free_ports(1)[0]), token=(proxy_token := secrets.token_hex(16))
        )
        self._proxy_api, self._proxy_token = proxy_api, proxy_token
        self.hub = RealHub(service_url=f"http://127.0.0.1:{port}", **options)
        self._cookie_secret = secrets.token_hex(32)

    def __enter__(self) -> Deployment:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="replicas-")).resolve()
        self._stack.callback(shutil.rmtree, self.directory)
        (port,) = free_ports(1)
        programs = Path(find_postgresql())
        self.database = self._stack.enter_context(postgresql.serving(programs, port))
        password = secrets.token_hex(8)
        self.database.run(
            f"CREATE ROLE {ACCOUNT} LOGIN PASSWORD '{password}'",
            f"CREATE DATABASE {ACCOUNT} OWNER {ACCOUNT}",
        )
        self.database_url = f"postgresql+psycopg2://{ACCOUNT}:{password}@127.0.0.1:{port}/{ACCOUNT}"
        (self.directory / "config.py").write_text(config_text(self._service_settings()))
        self.nginx = Nginx(self.directory, self.hub.service_port)
        self._stack.callback(self.stop_replicas)
        for _ in range(self._count):
            self.replicas.append(self.launch())
        self._configure()
        self.nginx.start()
        self._stack.callback(self.nginx.stop)
        self._start_proxy()
        self._starter = self._stack.enter_context(ThreadPoolExecutor(1))
        self._stack.callback(self.hub.stop)
        self.start_hub()
        for replica in self.replicas:
            replica.wait_until_serving()
        self.token = self.hub.token_for("ada")

    def _start_proxy(self) -> None:
        """The hub's proxy, which is configurable-http-proxy."""
        command = [*find_proxy(), "--ip=127.0.0.1", f"--port={self.hub.port}"]
        command += ["--api-ip=127.0.0.1", f"--api-port={self._proxy_api}"]
        command += [f"--default-target=http://127.0.0.1:{self.hub.hub_port}"]
        with (self.directory / "proxy.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "CONFIGPROXY_AUTH_TOKEN": self._proxy_token},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)

    def _service_settings(self) -> dict[str, dict[str, Any]]:
        settings = {
            "TornadoService": {"apps": self._apps, "authenticate_prometheus": False},
            "HubClient": {"breaker_pause": 0.5},
        }
        for section, values in self._settings.items():
            settings.setdefault(section, {}).update(values)
        return settings

    def launch(self) -> Replica:
        """Start one more replica, which gets no requests yet."""
        self._started += 1
        port, hub_api_port = free_ports(2)
        replica = Replica(
            f"replica-{self._started}",
            self.directory,
            port,
            hub_api_port,
            self.hub.service_prefix,
            {
                "JUPYTERHUB_SERVICE_NAME": self.hub.service_name,
                "JUPYTERHUB_SERVICE_URL": self.hub.service_url,
                "JUPYTERHUB_API_TOKEN": self.hub.service["api_token"],
                "TORNADO_SERVICE_DATABASE_URL": self.database_url,
                "TORNADO_SERVICE_REPLICAS": str(self._count),
                "TORNADO_SERVICE_COOKIE_SECRET": self._cookie_secret,
            },
            ["--config=config.py"],
        )
        self.launched.append(replica)
        replica.start()
        return replica

    def _configure(self) -> None:
        self.nginx.configure(
            [replica.port for replica in self.replicas],
            [replica.hub_api_port for replica in self.launched],
            self.hub.hub_port,
        )

    def balance(self, *replicas: Replica) -> None:
        """Send requests to these replicas only, from now on."""
        self.replicas = list(replicas)
        self._configure()
        self.nginx.reload()

    def add(self) -> Replica:
        """Start a replica, and send it requests when it is ready, as Kubernetes does."""
        replica = self.launch()
        self._configure()
        self.nginx.reload()
        replica.wait_until_serving()
        self.balance(*self.replicas, replica)
        return replica

    def remove(self, replica: Replica) -> int:
        """Send a replica no more requests, and then stop it; returns its exit status."""
        self.balance(*(other for other in self.replicas if other is not replica))
        replica.signal(signal.SIGTERM)
        return replica.wait()

    def replace_all(self) -> list[int]:
        """Replace each replica by a new one, one after another; their exit statuses."""
        statuses = []
        for replica in list(self.replicas):
            self.add()
            statuses.append(self.remove(replica))
        return statuses

    def start_hub(self) -> None:
        """Start the hub after a crash, from any thread.

        It ends with the thread that has started it, so that this is one of the deployment.
        """
        self._starter.submit(self.hub.start).result()

    def restore(self) -> None:
        """Have as many replicas again as at the start, a hub and a database."""
        if not self.database.is_running:
            self.database.start()
        if self.hub.process is None or self.hub.process.poll() is not None:
            self.start_hub()
        alive = [r for r in self.replicas if r.process and r.process.poll() is None]
        if len(alive) < len(self.replicas):
            self.balance(*alive)
        for replica in self.launched:  # one that is not in use might lead an app
            if replica not in self.replicas:
                replica.stop()
        while len(self.replicas) < self._count:
            self.add()
        for replica in self.replicas:
            wait_until(lambda r=replica: r.get("health/ready")[0] == 200, f"{replica.name} is ill")

    def stop_replicas(self) -> None:
        for replica in self.launched:
            replica.stop()

    def leader(self, app: str = "board") -> Replica:
        """The replica that leads an app; waits until there is one, and no other."""
        leaders: list[Replica] = []

        def has_one() -> bool:
            leaders[:] = [r for r in self.replicas if self.leads(r, app)]
            return len(leaders) == 1

        wait_until(has_one, f"{app} has no leader, or several: {leaders}")
        return leaders[0]

    def leads(self, replica: Replica, app: str = "board") -> bool:
        """Whether a replica itself says that it leads an app; for ``board``, its code is asked."""
        if app == "board":
            return replica.get("board/api/leads", self.token, timeout=5) == (200, True)
        status, answer = replica.get("api/status", self.token, timeout=5)
        return status == 200 and answer["leaders"].get(app) == answer["instance"]

    def held(self, replica: Replica) -> dict[str, int]:
        """The requests of ``board/api/hold`` in progress on a replica, by method."""
        held: dict[str, int] = replica.get("board/api/held", self.token)[1]
        return held

    def runs(self, since: float = 0) -> list[tuple[int, float]]:
        """Each run of the work of one replica: its process, and seconds since 1970."""
        query = "SELECT process, at FROM runs WHERE at >= %s ORDER BY at"
        with self.database.connect(ACCOUNT) as connection:
            return connection.execute(query, (since,)).fetchall()

    def wait_for_runs(self, count: int) -> None:
        """Wait for this many more runs."""
        wanted = len(self.runs()) + count
        wait_until(lambda: len(self.runs()) >= wanted, "the work is not done")

    def missing_notes(self, texts: Sequence[str]) -> set[str]:
        """Those of these texts that are not in the database."""
        with self.database.connect(ACCOUNT) as connection:
            stored = {text for (text,) in connection.execute("SELECT text FROM notes")}
        return set(texts) - stored

    @property
    def logs(self) -> str:
        return "\n".join(f"--- {replica.name}\n{replica.log}" for replica in self.launched)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition that takes requests.

    Raises:
        AssertionError: it is not met in time.
    """
    deadline = time.monotonic() + PATIENCE / 2
    while not await condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


def wait_until(condition: Callable[[], bool], problem: str = "it did not happen") -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it is not met in time.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, problem
        time.sleep(0.25)
