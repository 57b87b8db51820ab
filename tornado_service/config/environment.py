"""The environment, as far as it may be shown."""

import os

#: Environment variables without secrets; ``api/debug`` shows these.
PUBLIC_ENVIRONMENT = frozenset(
    {
        "JUPYTERHUB_API_URL",
        "JUPYTERHUB_BASE_URL",
        "JUPYTERHUB_CLIENT_ID",
        "JUPYTERHUB_HOST",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
        "JUPYTERHUB_OAUTH_CALLBACK_URL",
        "JUPYTERHUB_PUBLIC_HUB_URL",
        "JUPYTERHUB_PUBLIC_URL",
        "JUPYTERHUB_SERVICE_NAME",
        "JUPYTERHUB_SERVICE_PREFIX",
        "JUPYTERHUB_SERVICE_URL",
        "LANG",
        "LC_ALL",
        "PATH",
        "PYTHONPATH",
        "VIRTUAL_ENV",
    }
)


def public_environment() -> dict[str, str]:
    """The environment by allow-list; nothing secret is in it."""
    return {
        name: value if name in PUBLIC_ENVIRONMENT else "[hidden]"
        for name, value in sorted(os.environ.items())
    }
