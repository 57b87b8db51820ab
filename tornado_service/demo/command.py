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

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoApp(StrictApplication):
    """Start a temporary hub from a terminal."""

    name = "tornado-service demo"
    description = "Start a temporary JupyterHub on this machine, with the service."
    examples = """
    tornado-service demo
    tornado-service demo --app=my_module:MyApp
    """
    aliases = {"port": "DemoApp.port", "app": "DemoApp.apps"}

    port = Integer(8000, min=0, max=65535, help="Port to open in a browser; 0: any.", config=True)
    apps = List(
        Unicode(),
        help="""An app to try, as my_module:MyApp or by the name of its entry point; repeat it for
        each. Python looks for it in this directory first. The service starts again when a file of
        it changes.""",
        config=True,
    )
    service_command = List(
        Unicode(), help="Command of the service, if not this one's.", config=True
    )

    def start(self) -> None:
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
        elif self.service_command:
            options = {"service_command": self.service_command}
        else:
            from .activity import hub_options  # imports much that is not needed otherwise

            options = hub_options()
        hub = ThrowAwayHub(port=self.port, hub_output=sys.stderr, **options)
        try:
            hub.start()
            print(_welcome_text(hub, apps, hub.app_states()), flush=True)
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


def _welcome_text(hub: ThrowAwayHub, apps: DemoApps, states: dict[str, str]) -> str:
    failed = [name for name, state in states.items() if state in ("failed", "retrying")]
    problems = "".join(f"App {name} is not running: see its log above.\n" for name in failed)
    users = "\n".join(f"  {name:<6} {what}" for name, what in USERS.items())
    return (
        f"\n{problems}Open {' or '.join(apps.app_urls(hub.service_public_url, failed))}\n"
        f"and sign in, with any password, as\n{users}\n\n"
        f"{apps.welcome_text if apps.specs else ''}"
        "The hub's log goes to this terminal, on standard error.\n"
        "Ctrl-C stops it and removes everything.\n"
    )


if __name__ == "__main__":
    DemoApp.launch_instance()
