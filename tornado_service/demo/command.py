"""`tornado-service demo`: a temporary hub in a terminal."""

import contextlib
import signal
import sys
from types import FrameType

from traitlets import Integer, List, Unicode

from ..config.application import StrictApplication
from .apps import DemoApps
from .hub import USERS, ThrowAwayHub
from .processes import is_listening
from .web_apps import CONFIG_FILE, WebAppError, config_text, parse_web_apps

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoApp(StrictApplication):
    """Start a temporary hub from a terminal."""

    name = "tornado-service demo"
    description = "Start a temporary JupyterHub on this machine, with the service."
    examples = """
    tornado-service demo
    tornado-service demo --app=my_module:MyApp
    tornado-service demo --web-app="streamlit run app.py --server.port={port} \\
        --server.address=127.0.0.1 --server.baseUrlPath={prefix}"
    """
    aliases = {"port": "DemoApp.port", "app": "DemoApp.apps", "web-app": "DemoApp.web_apps"}

    port = Integer(8000, min=0, max=65535, help="Port to open in a browser; 0: any.", config=True)
    apps = List(
        Unicode(),
        help="""An app to try, as my_module:MyApp or by the name of its entry point; repeat it for
        each. Python looks for it in this directory first. The service starts again when a file of
        it changes.""",
        config=True,
    )
    web_apps = List(
        Unicode(),
        help="""The command of a web app of any framework to try, or NAME=COMMAND; repeat it for
        each. It runs in this directory, without a shell. It has to have {port} or {unix_socket}
        where the app is told where to listen, and {prefix}, the app's path, where the app is told
        that: without it, the app gets paths without its prefix.""",
        config=True,
    )
    service_command = List(
        Unicode(), help="Command of the service, if not this one's.", config=True
    )

    def start(self) -> None:
        try:
            self.parsed_web_apps = parse_web_apps(self.web_apps) if self.web_apps else []
        except WebAppError as error:
            self.fail(2, str(error))
        if self.port and is_listening(self.port):
            sys.exit(f"Port {self.port} is in use: name another, as in --port={self.port + 1}")
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, _interrupt)
        with contextlib.suppress(KeyboardInterrupt):
            self._run()

    def _run(self) -> None:
        apps = DemoApps(self.apps)
        for problem in apps.problems:
            print(f"{problem} (The hub starts all the same: mend it and save.)", file=sys.stderr)
        if self.apps:
            options = apps.hub_options()
        elif self.service_command or self.parsed_web_apps:
            command = self.service_command or [sys.executable, "-m", "tornado_service"]
            options = {"service_command": command}
        else:
            from .activity import hub_options  # imports much that is not needed otherwise

            options = hub_options()
        if self.parsed_web_apps:
            options["service_command"] = [*options["service_command"], f"--config={CONFIG_FILE}"]
            options["service_files"] = {CONFIG_FILE: config_text(self.parsed_web_apps)}
        hub = ThrowAwayHub(port=self.port, hub_output=sys.stderr, **options)
        try:
            hub.start()
            names = [app.name for app in self.parsed_web_apps]
            print(_welcome_text(hub, apps, names, hub.app_states()), flush=True)
            hub.wait()
        except RuntimeError as error:
            sys.exit(str(error))
        finally:
            hub.stop()
        sys.exit("The hub stopped unexpectedly. See its log lines above.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop once: further signals do not interrupt the cleanup."""
    for stop_signal in STOP_SIGNALS:
        signal.signal(stop_signal, signal.SIG_IGN)
    raise KeyboardInterrupt


def _welcome_text(
    hub: ThrowAwayHub, apps: DemoApps, web_apps: list[str], states: dict[str, str]
) -> str:
    failed = [name for name, state in states.items() if state in ("failed", "retrying")]
    problems = "".join(f"App {name} is not running: see its log above.\n" for name in failed)
    users = "\n".join(f"  {name:<6} {what}" for name, what in USERS.items())
    prefix = hub.service_public_url
    notes = apps.welcome_text if apps.specs else ""
    if web_apps:
        notes += f"Web apps start at the first visit; {prefix}home shows all apps.\n"
    return (
        f"\n{problems}Open {' or '.join(apps.app_urls(prefix, failed, web_apps))}\n"
        f"and sign in, with any password, as\n{users}\n\n{notes}"
        "The hub's log goes to this terminal, on standard error.\n"
        "Ctrl-C stops it and removes everything.\n"
    )


if __name__ == "__main__":
    DemoApp.launch_instance()
