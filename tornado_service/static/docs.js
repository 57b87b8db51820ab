"use strict";

// Swagger UI, in the session of the signed-in user.
{
  const { prefix, xsrfToken } = document.body.dataset;
  const root = document.documentElement;
  const followTheme = () =>
    root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");

  followTheme();
  new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-bs-theme"] });

  SwaggerUIBundle({
    dom_id: "#api",
    url: `${prefix}api/openapi.json`,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (new URL(request.url, location.href).origin === location.origin) {
        request.headers["X-XSRFToken"] = xsrfToken;
      }
      return request;
    },
  });
}
