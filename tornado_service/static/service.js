"use strict";

// Controls that only work with scripts are hidden in the page.
for (const control of document.querySelectorAll("[data-needs-script]")) {
  control.hidden = false;
}
document.getElementById("thenavbar")?.classList.add("collapse");

// Buttons that copy the text of another element.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      // browsers have a clipboard on https and on localhost only
      getSelection().selectAllChildren(source);
    }
  });
}

// The hub's files are loaded after the page: the hub may not respond.
const addHubLook = () => {
  for (const link of document.querySelectorAll("link[data-after-load]")) link.disabled = false;
  for (const content of document.querySelectorAll("noscript[data-after-load]")) {
    content.outerHTML = content.textContent;
  }
  for (const image of document.querySelectorAll("img[data-after-load]")) {
    const hubs = new Image();
    hubs.onload = () => image.src = hubs.src;
    hubs.src = image.dataset.afterLoad;
  }
};
if (document.readyState === "complete") addHubLook();
else addEventListener("load", addHubLook);

// Without scripts, the page's <noscript> does this.
const retry = document.querySelector("[data-retry-after]");
if (retry) setTimeout(() => location.reload(), 1000 * retry.dataset.retryAfter);

/**
 * fetch() below the service's prefix, with the XSRF token that the hub's sign-in requires for all
 * requests of scripts, including GET.
 *
 * @param {string} path - relative to the prefix, "api/user"
 * @param {RequestInit} options - as for fetch
 * @returns {Promise<Response>}
 */
window.serviceFetch = (path, options = {}) => {
  const { prefix, xsrfToken } = document.body.dataset;
  const headers = new Headers(options.headers);
  headers.set("X-XSRFToken", xsrfToken);
  return fetch(prefix + path, { ...options, headers, credentials: "same-origin" });
};

/**
 * Listen to an EventStream of the service, until the page is closed or the session ends.
 *
 * A browser's own EventSource cannot send the XSRF token; otherwise this is the same.
 * Handlers are called with an event's data, by its name. Four names are special:
 *   open: the connection is open, for the first time or again; the page can load its data now
 *   reset: events have been lost; the page has to reload its data
 *   error: the connection was lost; reconnection is automatic
 *   end: the last event, {reason, retry}; reconnection is automatic only with retry
 *
 * @param {string} path - relative to the prefix, "reports/api/news"
 * @param {Object<string, function(*, string)>} handlers - by event; get its data and its id
 * @returns {{close: function()}}
 */
window.serviceEvents = (path, handlers) => {
  const MAX_DELAY = 60_000; // milliseconds between two attempts
  const stop = new AbortController();
  let lastId = "";
  let pause = 3000;
  let failures = 0;

  const emit = (name, data) => {
    if (stop.signal.aborted) return;
    try {
      handlers[name]?.(data, lastId);
    } catch (error) {
      reportError(error); // an error of the page; further events are still handled
    }
  };

  const end = (data) => {
    emit("end", data);
    if (!data.retry) stop.abort();
  };

  const take = (event) => {
    if (event.id !== undefined) lastId = event.id;
    if (event.retry) pause = event.retry;
    if (event.data === undefined) return;
    const data = JSON.parse(event.data);
    if (event.name === "end") end(data);
    else emit(event.name, data);
  };

  // Returns the minimum delay before the next attempt, in milliseconds.
  const listen = async () => {
    const headers = { Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    const response = await serviceFetch(path, { headers, cache: "no-store", signal: stop.signal });
    if (response.ok) {
      failures = 0;
      emit("open");
      for await (const event of eventsOf(response.body)) take(event);
    } else if (response.status < 500 && response.status !== 429) {
      end({ reason: "refused", retry: false, status: response.status });
    }
    return 1000 * (response.headers.get("Retry-After") ?? 0);
  };

  const run = async () => {
    while (!stop.signal.aborted) {
      const minDelay = await listen().catch((error) => emit("error", error));
      const maxDelay = Math.min(MAX_DELAY, pause * 2 ** failures++);
      const delay = Math.max(minDelay ?? 0, maxDelay / 2) + (Math.random() * maxDelay) / 2;
      if (!stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, delay));
    }
  };

  run();
  return { close: () => stop.abort() };
};

/**
 * The events of a text/event-stream,
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    // a CR at the end may be half of a line's end
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        yield { name: "message", ...event };
        event = {};
        continue;
      }
      const [, field, text = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line);
      if (field === "data") event.data = "data" in event ? `${event.data}\n${text}` : text;
      else if (field === "event") event.name = text || "message";
      else if (field === "id") event.id = text;
      else if (field === "retry" && /^\d+$/.test(text)) event.retry = Number(text);
    }
  }
}

/**
 * A WebSocket below the service's prefix, with the XSRF token that our own pages know.
 *
 * It is closed with 1008 when the session has ended, and with 1001 or 1013 when it may be opened
 * again later.
 *
 * @param {string} path - relative to the prefix, "reports/api/chat"
 * @returns {WebSocket}
 */
window.serviceSocket = (path) => {
  const { prefix, xsrfToken } = document.body.dataset;
  const url = new URL(prefix + path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("_xsrf", xsrfToken);
  return new WebSocket(url);
};
