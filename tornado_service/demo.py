"""`tornado-service demo`: a throw-away hub at a terminal."""

import signal
import sys
from types import FrameType

from traitlets import Integer, List, Unicode
from traitlets.config import Application

from .demo_hub import PEOPLE, ThrowAwayHub, free_ports, listens
from .demo_proxy import NoProxyError, find_npm, find_proxy

__all__ = ["DemoApp", "NoProxyError", "ThrowAwayHub", "find_npm", "find_proxy", "free_ports"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoApp(Application):
    """`tornado-service demo`: the throw-away hub at a terminal."""

    name = "tornado-service demo"
    description = "Start a throw-away JupyterHub on this machine, with the service in it."
    aliases = {"port": "DemoApp.port"}

    port = Integer(8000, min=0, max=65535, help="Port to open in a browser; 0: any.", config=True)
    service_command = List(
        Unicode(), help="Command of the service, if not this one's.", config=True
    )

    def start(self) -> None:
        """Run the hub until Ctrl-C."""
        if self.port and listens(self.port):
            sys.exit(f"Port {self.port} is in use: name another, as in --port={self.port + 1}")
        hub = ThrowAwayHub(
            port=self.port, service_command=self.service_command or None, hub_output=sys.stderr
        )
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, _interrupt)
        try:
            hub.start()
            print(_welcome(hub), flush=True)
            hub.wait()
        except KeyboardInterrupt:
            return
        except RuntimeError as error:
            sys.exit(str(error))
        finally:
            hub.stop()
        sys.exit("The hub stopped by itself. Its last lines, above, say why.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Stop, once: what follows is not to be interrupted."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _welcome(hub: ThrowAwayHub) -> str:
    people = "\n".join(f"  {name:<6} {what}" for name, what in PEOPLE.items())
    return (
        f"\nOpen {hub.service_public_url}\n"
        f"and sign in, with any password, as\n{people}\n\n"
        "The hub's log goes to this terminal, on standard error.\n"
        "Ctrl-C stops it and removes everything.\n"
    )


if __name__ == "__main__":
    DemoApp.launch_instance()
