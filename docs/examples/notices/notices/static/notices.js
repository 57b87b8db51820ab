"use strict";

// The service renders the notices, for this reader: the page is asked for again.
const show = async () => {
  const answer = await serviceFetch("notices/", { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("notices").replaceChildren(...page.getElementById("notices").children);
};

serviceEvents("notices/api/events", { open: show, posted: show, removed: show });
