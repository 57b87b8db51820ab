"""WebApp: an app of any framework, behind the hub's sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tornado.httputil import HTTPHeaders

from .. import AppError, PageHandler, ServiceApp
from .options import Options, parse_options
from .process.command import full_name

if TYPE_CHECKING:
    from .forward.connection import Pool
    from .forward.target import Target
    from .process.supervisor import Supervisor
    from .stall_watch import StallWatch

#: Names of options that are others in a class.
ATTRIBUTES = {"start": "start_mode"}


class WebApp(ServiceApp):
    """A web app that knows nothing of JupyterHub, at ``P/<name>/``, for users who are signed in.

    `c.TornadoService.web_apps` makes one of each entry; an author may write a class instead::

        class Sales(WebApp):
            name = "sales"
            command = ["streamlit", "run", "sales.py", "--server.port={port}",
                       "--server.address=127.0.0.1", "--server.baseUrlPath={prefix}"]
            allowed_groups = {"analysts"}

    The app is told who the visitor is, by the headers ``X-Forwarded-User`` and
    ``X-Forwarded-Groups``; it gets no cookie and no token of the hub.

    In ``command`` and in the values of ``environment``, ``{port}`` is a free port of the loopback
    address, ``{unix_socket}`` the path of a socket that only this user can open, ``{prefix}`` the
    app's path without a slash at its end, ``{name}`` its name.

    Attributes:
        command: starts the app: the program and its arguments, without a shell.
        url: where the app listens: ``http://HOST:PORT``, if it runs already or has its own port.
        strip_prefix: whether the app gets paths without its prefix, ``/`` for its first page.
        allowed_groups: groups of the hub whose members may open it.
        allowed_users: users who may open it, in addition. With neither of both: all who may use
            the service.
        required_scopes: scopes that a visitor needs beyond access to the service.
        start_mode: ``"on_visit"``, or ``"always"`` to start it with the service.
        start_timeout: seconds in which it has to respond after its start.
        idle_timeout: seconds without requests and WebSockets after which it is ended; 0: never.
        environment: variables for it, beyond ``PATH``, ``HOME``, ``LANG`` and the like.
        working_directory: where it runs; by default where the service runs.
        max_body_size: the largest request body in bytes; None: no limit.
        max_message_size: the largest message of a WebSocket in bytes; None: no limit.
    """

    command: ClassVar[Sequence[str]] = ()
    url: ClassVar[str] = ""
    strip_prefix: ClassVar[bool] = False
    allowed_groups: ClassVar[Set[str] | Sequence[str]] = frozenset()
    allowed_users: ClassVar[Set[str] | Sequence[str]] = frozenset()
    required_scopes: ClassVar[Set[str] | Sequence[str]] = frozenset()
    start_mode: ClassVar[Literal["on_visit", "always"]] = "on_visit"
    start_timeout: ClassVar[float] = 60
    idle_timeout: ClassVar[float] = 0
    environment: ClassVar[Mapping[str, str]] = {}
    working_directory: ClassVar[str] = ""
    max_body_size: ClassVar[int | None] = None
    max_message_size: ClassVar[int | None] = None

    serves_static = False  # a folder static/ is the app's own

    #: How the administrator or the author finds the options.
    options_source: ClassVar[str] = ""

    options: Options
    pool: Pool
    stalls: StallWatch
    supervisor: Supervisor | None = None
    url_target: Target | None = None

    #: Why the app's URL does not respond, until it does.
    url_problem = ""

    def handlers(self) -> list[tuple[Any, ...]]:
        """All paths below the app's prefix.

        Raises:
            AppError: an option is invalid, or a library is missing.
        """
        if find_spec("h11") is None:
            raise AppError("Web apps need h11: pip install 'tornado-service[web-apps]'")
        from .handler import make_handler

        names = {field: ATTRIBUTES.get(field, field) for field in Options.model_fields}
        given = {field: getattr(self, name) for field, name in names.items()}
        self.options = parse_options(given, self._options_place, names)
        self._connect()
        return [("(?s:.*)", make_handler(self.options.required_scopes))]

    def _connect(self) -> None:
        from .forward.connection import Pool
        from .forward.target import Target
        from .process.command import ProcessOptions
        from .process.metrics import show
        from .process.supervisor import Supervisor
        from .stall_watch import StallWatch

        options = self.options
        self.pool = Pool()
        self.stalls = StallWatch()
        self.url_target = Target.of_url(options.url) if options.url else None
        if not options.command:
            return
        process = ProcessOptions(
            name=self.name,
            prefix=self.prefix.rstrip("/"),
            command=options.command,
            environment=options.environment,
            working_directory=options.working_directory,
            url_target=self.url_target,
            strip_prefix=options.strip_prefix,
            always=options.start == "always",
            start_timeout=options.start_timeout,
            idle_timeout=options.idle_timeout,
            setting=self._options_place,
        )
        supervisor = self.supervisor = Supervisor(process, self.log, lambda: count_restart())
        count_restart = show(self, lambda: supervisor.is_ready, lambda: supervisor.uses)

    @property
    def _options_place(self) -> str:
        return self.options_source or type(self).__name__

    def option_name(self, name: str) -> str:
        """The full name of an option, as the administrator or the author finds it."""
        return full_name(self._options_place, name)

    async def start(self) -> None:
        """Start the process, if it is to run always."""
        if self.supervisor:
            await self.supervisor.start()

    async def stop(self) -> None:
        """End the process and all connections."""
        self.pool.close()
        self.stalls.close()
        if self.supervisor:
            await self.supervisor.stop()

    def is_allowed(self, user: Mapping[str, Any]) -> bool:
        """Whether a user is one of ``allowed_users``, or in one of ``allowed_groups``."""
        groups, users = self.options.allowed_groups, self.options.allowed_users
        if not groups and not users:
            return True
        if user.get("kind", "user") == "user" and user["name"] in users:
            return True
        return not groups.isdisjoint(user.get("groups") or ())

    def change_request_headers(self, handler: PageHandler, headers: HTTPHeaders) -> None:
        """Change the headers that the app gets, after the service has set its own. A hook.

        Args:
            handler: the request; ``handler.current_user`` is the hub's model of the visitor.
            headers: to be changed in place.
        """

    def change_response_headers(self, handler: PageHandler, headers: HTTPHeaders) -> None:
        """Change the headers that the visitor gets. A hook.

        Args:
            handler: the request.
            headers: to be changed in place.
        """

    @property
    def problem(self) -> str:
        """What is wrong with the process or its responses, with the key to change."""
        return self.supervisor.problem if self.supervisor else self.url_problem

    @property
    def details(self) -> dict[str, str]:
        """State, process, restarts and last lines of output; or the URL."""
        return self.supervisor.details if self.supervisor else {"url": self.options.url}
