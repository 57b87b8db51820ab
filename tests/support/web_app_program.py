"""A web app in a process of its own, without any framework; a program of the standard library."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IGNORES_SIGTERM = (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " os.write(1, b'worker %d\\n' % os.getpid()); time.sleep(60)"
)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served_at = ""
    redirect_to = ""
    page = ""

    def do_GET(self) -> None:
        path = self.path
        if self.redirect_to and path == "/":
            self.send_response(302)
            self.send_header("Location", self.redirect_to)
        else:
            self.send_response(200 if not self.served_at or path == self.served_at else 404)
        if path.endswith("/exit"):
            os._exit(3)
        body = (self.page or f"{os.getpid()} {path}").encode()
        if self.page:
            self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "visitor"

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "app", 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--unix-socket")
    parser.add_argument("--served-at", default="")
    parser.add_argument("--redirect-to", default="")
    parser.add_argument("--page", default="", help="the HTML page at each path")
    parser.add_argument("--workers", action="store_true", help="start processes that stay")
    parser.add_argument("--ignore-sigterm", action="store_true")
    parser.add_argument("--say", default="")
    parser.add_argument("--after", type=float, default=0, help="seconds until it listens")
    options = parser.parse_args()
    Handler.served_at, Handler.redirect_to = options.served_at, options.redirect_to
    Handler.page = options.page
    if options.ignore_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, f"leader {os.getpid()}\n".encode())  # at once, as lines of workers follow
    if options.say:
        os.write(1, f"{options.say}\n".encode())
    if options.workers:
        program = [sys.executable, "-S", "-c", IGNORES_SIGTERM]
        subprocess.Popen(program)
        subprocess.Popen(program, start_new_session=True)
    time.sleep(options.after)
    if options.unix_socket:
        Server.address_family = socket.AF_UNIX
        Server(options.unix_socket, Handler).serve_forever()  # type: ignore[arg-type]
    Server((options.host, options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
