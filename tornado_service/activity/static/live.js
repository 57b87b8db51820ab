"use strict";

// Keeps what runs now up to date: after each sample, the parts of this page that have
// data-live are replaced by the same parts of the page "now".
{
  const { page, events } = document.currentScript.dataset;
  const parser = new DOMParser();

  // The names in the table are links: who was on one of them still is, and sees the same columns.
  const replace = (old, fresh) => {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const { scrollLeft, scrollTop } = old.querySelector(".table-responsive") ?? {};
    old.replaceChildren(...fresh.childNodes);
    const table = old.querySelector(".table-responsive");
    table?.scrollTo({ left: scrollLeft, top: scrollTop, behavior: "instant" });
    const options = { preventScroll: true };
    if (focused?.href) [...old.querySelectorAll("a")].find(({ href }) => href === focused.href)?.focus(options);
    else if (focused?.matches(".table-responsive")) table?.focus(options);
  };

  // Who may not see it any more is not left with what they saw; a pending response is ignored.
  let hasLeft = false;
  const leave = () => {
    hasLeft = true;
    for (const old of document.querySelectorAll("[data-live]")) {
      old.replaceChildren();
      delete old.dataset.results; // nor with what a pending search finds
    }
    say("You are signed out, or may not see this any more: load the page again.");
  };

  const refresh = async () => {
    const { search } = location;
    const response = await serviceFetch(page + search, { headers: { Accept: "text/html" } });
    if ([401, 403].includes(response.status)) leave();
    if (!response.ok) return;
    const fresh = parser.parseFromString(await response.text(), "text/html");
    if (hasLeft || search !== location.search) return; // or the user has searched meanwhile
    for (const old of document.querySelectorAll("[data-live]")) {
      const part = fresh.getElementById(old.id);
      // what is the same would be read aloud again
      if (part && part.textContent !== old.textContent) replace(old, part);
    }
  };

  const say = (text) => {
    const place = document.getElementById("live");
    if (!place) return;
    place.textContent = text;
    place.hidden = false;
  };

  const update = () => refresh().catch(() => say("Could not refresh."));

  serviceEvents(events, {
    open: () => {
      say("Updates automatically.");
      update();
    },
    sample: update,
    reset: update,
    error: () => say("The connection broke off: this may be out of date. It is tried again."),
    end: ({ reason, retry }) => {
      if (retry) return;
      if (reason === "signed-out") {
        leave();
        return;
      }
      say("This is no longer kept up to date: load the page again.");
      update();
    },
  });
}
