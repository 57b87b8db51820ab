"use strict";

// Controls that only work with scripts are hidden in the page.
for (const control of document.querySelectorAll("[data-needs-script]")) {
  control.hidden = false;
}
document.getElementById("thenavbar")?.classList.add("collapse");

/**
 * fetch() below the service's prefix, with the XSRF token that the hub's sign-in asks of every
 * request that a script makes, reading ones too.
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
