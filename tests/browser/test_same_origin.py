"""What a page of another server on the same origin can do with a visitor's session: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import neighbour
from tornado_service.testing import RealHub
from tornado_service.testing.browser import OpenPage
from tornado_service.testing.real_hub import COMMAND, SharedHub

EVIL = "/services/evil/"
#: Each shows a signed-in visitor's name, or the XSRF token, or both.
PATHS = ("", "api/user", "docs", "logout", "nothing", "activity/", "activity/nothing",
         "activity/api/people.csv", "activity/api/people", "activity/api/live")  # fmt: skip

#: Everything that a script gets to read of these addresses, as one text.
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
async ([scope, urls]) => {
  const found = [];
  navigator.serviceWorker.addEventListener("message", (event) => found.push(event.data));
  const script = "/services/evil/worker.js";
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

#: Everything by which a page may bring a browser to an address that signs out.
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


@pytest.fixture(scope="module")
def real_hub(shared_hub: SharedHub) -> Iterator[RealHub]:
    """A hub with one more service; ``shared_hub`` skips where there can be none."""
    with neighbour.listening() as url:
        more = f'c.JupyterHub.services.append({{"name": "evil", "url": "{url}"}})'
        apps = ["tornado_service.activity:Activity"]
        hub = RealHub(
            service_command=[*COMMAND, f"--TornadoService.apps={apps[0]}"],
            service_scopes=["list:users", "read:users:activity", "read:servers"],
            extra_config=more,
        )
        with hub:
            hub.wait_for_apps()
            yield hub


@pytest.fixture
def ours(real_hub: RealHub) -> list[str]:
    return [real_hub.service_prefix + path for path in PATHS]


@pytest.fixture
def victim(open_page: OpenPage) -> Page:
    """Signed in here as ada; what is shown is the neighbour's page."""
    page = open_page("", "ada")
    page.token = page.locator("body").get_attribute("data-xsrf-token")
    assert len(page.token) > 20
    page.goto(EVIL)
    return page


def assert_nothing_of(page: Page, found: str, ours: list[str]) -> None:
    assert found.count(ours[0]) >= len(ours), "it has tried"
    for secret in ("ada", page.token):
        lines = [line for line in found.split("\n") if secret in line]
        assert lines == [], lines[0][:400]


def test_a_script_reads_no_answer(victim: Page, ours: list[str]) -> None:
    assert_nothing_of(victim, victim.evaluate(READ, ours), ours)


def test_a_service_worker_of_its_own_reads_none(victim: Page, ours: list[str]) -> None:
    """It passes on what the page loads, such as images, and has the answer first."""
    found = victim.evaluate(BY_A_WORKER, [EVIL, []])
    victim.goto(EVIL)
    found = victim.evaluate(BY_A_WORKER, [EVIL, ours])

    assert " no-cors image " in found
    assert_nothing_of(victim, found, ours)


def test_a_service_worker_of_the_whole_origin_reads_no_answer_to_what_it_passes_on(
    victim: Page, ours: list[str]
) -> None:
    victim.evaluate(BY_A_WORKER, ["/", []])
    victim.goto(EVIL)
    found = victim.evaluate(BY_A_WORKER, ["/", ours])
    opened = victim.context.new_page()
    for url in ours:
        opened.goto(url)
    found += victim.evaluate("() => new Promise((resolve) => setTimeout(resolve, 300, ''))")

    assert " navigate iframe " in found
    assert_nothing_of(victim, found, ours)
    assert "ada" not in opened.content()


def test_no_script_has_the_xsrf_cookie(victim: Page, real_hub: RealHub) -> None:
    """Not even one of our own pages: they carry the token."""
    read = "async () => [document.cookie, ...(await cookieStore.getAll()).map((each) => each.name)]"
    home = real_hub.service_prefix

    stolen = victim.evaluate(read)
    victim.evaluate("(url) => history.replaceState(null, '', url)", home)
    stolen += victim.evaluate(read)
    victim.goto(home)
    stolen += victim.evaluate(read)

    kept = {cookie["name"] for cookie in victim.context.cookies(real_hub.service_public_url)}
    assert "_xsrf" in kept
    assert set(stolen) == {""}


def test_another_page_does_not_sign_out(victim: Page, real_hub: RealHub) -> None:
    home = real_hub.service_prefix
    victim.evaluate(SIGN_OUT, f"{home}logout")
    for window in victim.context.pages[1:]:
        window.wait_for_load_state()

    assert len(victim.context.pages) == 4, "the windows"
    victim.goto(home)
    expect(victim.get_by_role("main")).to_contain_text("ada")


def test_a_person_signs_out_by_the_address(victim: Page, real_hub: RealHub) -> None:
    victim.goto(f"{real_hub.service_prefix}logout")
    victim.get_by_role("main").get_by_role("button", name="Logout").click()
    victim.wait_for_url("**/hub/**")

    victim.goto(real_hub.service_prefix)
    expect(victim.get_by_label("Username")).to_be_visible()


def test_our_own_pages_read(open_page: OpenPage, ours: list[str]) -> None:
    """What the tests above look for is there for those whom it is for."""
    page = open_page("", "ada")
    read: Any = page.evaluate("serviceFetch('api/user').then((answer) => answer.json())")
    assert read["name"] == "ada"
