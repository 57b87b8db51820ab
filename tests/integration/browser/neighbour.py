"""Another user's server on the hub's origin, whose pages run arbitrary scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Forwards every request, and passes its pages the responses. ``/`` is the whole origin.
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

#: The browser requests it as an image or a page at the same time; both get one response.
RACE = """
addEventListener("install", (event) => {
  event.waitUntil(event.addRoutes({
    condition: { urlPattern: new URLPattern({ pathname: "/services/tornado-service/*" }) },
    source: "race-network-and-fetch-handler",
  }));
});
""" + WORKER.replace("fetch(event.request.clone())", "fetch(event.request)")

#: Everything that a script can read of these URLs, as one text.
READ = """
async (urls) => {
  const found = [];
  const read = async (how, url, answer) => {
    const limit = new Promise((resolve) => setTimeout(resolve, 500, ""));
    found.push([how, url, await Promise.race([answer, limit]).catch(String)].join(" "));
  };
  const append = (name, attributes) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return new Promise((resolve) => {
      element.onload = element.onerror = () => resolve(element);
      setTimeout(resolve, 1500, element);
      document.body.append(element);
    });
  };
  const all = [];
  for (const url of urls) {
    for (const mode of ["no-cors", "cors", "same-origin"]) {
      for (const method of ["GET", "POST"]) {
        all.push(read(`${method} ${mode}`, url, fetch(url, { mode, method }).then(async (answer) =>
          [...answer.headers, await answer.text()].join(" "))));
      }
    }
    const request = new XMLHttpRequest();
    request.open("GET", url);
    all.push(read("XMLHttpRequest", url, new Promise((resolve) => {
      request.onloadend = () => resolve(request.responseText);
      request.send();
    })));
    for (const [rel, as] of [["prefetch", ""], ["prefetch", "document"], ["preload", "fetch"],
                             ["preload", "image"], ["preload", "script"], ["prerender", ""]]) {
      all.push(append("link", { rel, as, href: url }).then(() =>
        read(`${rel} ${as}`, url, fetch(url, { mode: "no-cors", cache: "force-cache" })
          .then((answer) => answer.text()))));
    }
    for (const [name, attribute] of [["iframe", "src"], ["embed", "src"], ["object", "data"]]) {
      all.push(append(name, { [attribute]: url }).then((element) => read(name, url,
        (async () => (element.contentDocument ?? element.getSVGDocument())
          ?.documentElement.outerHTML)())));
    }
    const errors = [];
    addEventListener("error", (event) => errors.push(event.message));
    all.push(append("script", { src: url }).then(() => read("script", url, (async () =>
      errors.join())())));
    all.push(append("link", { rel: "stylesheet", href: url }).then(({ sheet }) =>
      read("style", url, (async () => [...sheet?.cssRules ?? []].map((rule) => rule.cssText))())));
    const track = document.createElement("track");
    Object.assign(track, { src: url, kind: "metadata" });
    document.body.appendChild(document.createElement("video")).append(track);
    track.track.mode = "hidden";
    all.push(read("track", url, new Promise((resolve) => {
      track.onerror = () => resolve("");
      track.onload = () => resolve([...track.track.cues].map((cue) => cue.text).join());
    })));
    const code = `try { importScripts(${JSON.stringify(location.origin + url)}) }
      catch (error) { postMessage(String(error)) }`;
    for (const script of [url, URL.createObjectURL(new Blob([code]))]) {
      all.push(read("Worker", url, new Promise((resolve) => {
        const worker = new Worker(script);
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => resolve(event.message);
      })));
    }
    all.push(read("EventSource", url, new Promise((resolve) => {
      const events = new EventSource(url);
      events.onmessage = (event) => resolve(event.data);
      events.onerror = () => { events.close(); resolve(""); };
    })));
    all.push(read("WebSocket", url, new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onmessage = (event) => resolve(event.data);
      socket.onclose = () => resolve("");
    })));
    all.push(read("import", url, import(url).then((module) => JSON.stringify(module))));
    all.push(read("import json", url, import(url, { with: { type: "json" } })
      .then((module) => JSON.stringify(module))));
  }
  await Promise.all(all);
  return found.join("\\n");
}
"""

BY_A_WORKER = """
async ([scope, urls, script = "/services/evil/worker.js"]) => {
  const found = [];
  navigator.serviceWorker.addEventListener("message", (event) => found.push(event.data));
  const registration = await navigator.serviceWorker.register(script, { scope });
  const worker = registration.active ?? registration.installing ?? registration.waiting;
  await new Promise((resolve) => {
    const look = () => worker.state === "activated" ? resolve() : setTimeout(look, 20);
    look();
  });
  const loaded = [];
  for (const url of urls) {
    for (const [name, attribute] of [["img", "src"], ["script", "src"], ["iframe", "src"],
                                     ["video", "src"], ["object", "data"], ["embed", "src"]]) {
      const element = document.createElement(name);
      element[attribute] = url;
      loaded.push(new Promise((resolve) => {
        element.onload = element.onerror = resolve;
        setTimeout(resolve, 1500);
      }));
      document.body.append(element);
    }
    loaded.push(fetch(url, { mode: "no-cors" }));
  }
  await Promise.all(loaded);
  return new Promise((resolve) => setTimeout(() => resolve(found.join("\\n")), 300));
}
"""

#: All ways for a page to send a browser to a URL that signs out.
SIGN_OUT = """
async (url) => {
  const settled = [];
  const append = (name, attributes) => settled.push(new Promise((resolve) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.onload = element.onerror = resolve;
    setTimeout(resolve, 1500);
    document.body.append(element);
  }));
  for (const name of ["iframe", "embed", "img", "script", "video"]) append(name, { src: url });
  append("object", { data: url });
  for (const rel of ["stylesheet", "prefetch", "prerender", "icon", "manifest"]) {
    append("link", { rel, href: url });
  }
  for (const mode of ["no-cors", "cors", "same-origin"]) {
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"]) {
      settled.push(fetch(url, { method, mode }).catch(() => {}));
      const body = method === "GET" || method === "HEAD" ? undefined : "_xsrf=guess";
      settled.push(fetch(url, { method, mode, body }).catch(() => {}));
    }
  }
  navigator.sendBeacon(url, new URLSearchParams({ _xsrf: "guess" }));
  const rules = document.createElement("script");
  rules.type = "speculationrules";
  const list = [{ source: "list", urls: [url], eagerness: "immediate" }];
  rules.textContent = JSON.stringify({ prefetch: list, prerender: list });
  document.head.append(rules);
  for (const method of ["get", "post"]) {
    for (const [number, target] of ["iframe", "_blank"].entries()) {
      const form = document.createElement("form");
      Object.assign(form, { action: url, method, target });
      if (target === "iframe") {
        form.target = `${method}${number}`;
        const frame = document.createElement("iframe");
        frame.name = form.target;
        document.body.append(frame);
      }
      document.body.append(form);
      form.submit();
    }
  }
  window.open(url);
  await Promise.all(settled);
}
"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        worker = {"worker.js": WORKER, "race.js": RACE}.get(self.path.rpartition("/")[2])
        body = (worker or "<!doctype html><title>evil</title>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if worker else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Service-Worker-Allowed", "/")
        # as ours: it isolates a window only from pages of other origins
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def listening() -> Iterator[str]:
    """Its URL; a hub with it as the service ``evil`` serves it at ``/services/evil/``."""
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
