"use strict";

// Search as you type: the parts of the page that have data-results are replaced by the same parts
// of the page that the form opens, and the URL becomes that of this page.
{
  const PAUSE = 250; // milliseconds without a key
  const parser = new DOMParser();
  const form = document.querySelector("input[type=search]")?.form;
  let timer;
  let request;

  const urlOf = () => {
    const url = new URL(form.action);
    url.search = ""; // as a browser does
    for (const [name, value] of new FormData(form)) {
      if (value) url.searchParams.append(name, value);
    }
    return url;
  };

  const show = async (url) => {
    request?.abort();
    request = new AbortController();
    const path = url.pathname.slice(document.body.dataset.prefix.length) + url.search;
    const { signal } = request;
    const response = await serviceFetch(path, { headers: { Accept: "text/html" }, signal });
    if (!response.ok) {
      form.requestSubmit(); // the page says what is wrong
      return;
    }
    const fresh = parser.parseFromString(await response.text(), "text/html");
    history.replaceState(history.state, "", url);
    for (const old of document.querySelectorAll("[data-results]")) {
      old.replaceChildren(...(fresh.getElementById(old.id)?.childNodes ?? []));
    }
  };

  const search = () =>
    show(urlOf()).catch((error) => {
      if (error.name === "AbortError") return;
      document.querySelector("[data-results][aria-live]").textContent = "Could not search. Try again.";
    });

  form?.addEventListener("input", ({ target }) => {
    if (!target.matches("input[type=search], [data-search]")) return;
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE);
  });
  form?.addEventListener("submit", () => clearTimeout(timer));
}
