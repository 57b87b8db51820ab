"""Paths in the chart's values."""

#: Keys, and numbers of list entries.
KeyPath = tuple[str | int, ...]

BASE_URL = ("hub", "baseUrl")
IMAGE = ("hub", "image")
SERVICES = ("hub", "services")
ROLES = ("hub", "loadRoles")
USER_SCOPES = ("hub", "config", "JupyterHub", "extra_user_scopes")
CUSTOM_SCOPES = ("hub", "config", "JupyterHub", "custom_scopes")
EXTRA_CONFIG = ("hub", "extraConfig")
EXTRA_ENV = ("hub", "extraEnv")
EXTRA_FILES = ("hub", "extraFiles")
EXTRA_PORTS = ("hub", "service", "extraPorts")
HOST_ALIASES = ("hub", "extraPodSpec", "hostAliases")
OPEN_PORTS = ("hub", "networkPolicy", "allowedIngressPorts")
INGRESS = ("hub", "networkPolicy", "ingress")
HUB_EGRESS = ("hub", "networkPolicy", "egress")
PROXY_EGRESS = ("proxy", "chp", "networkPolicy", "egress")

#: Lists that a service needs, or that control access to it. Helm never joins two lists.
SERVICE_LISTS: tuple[tuple[str, ...], ...] = (
    *(EXTRA_PORTS, HOST_ALIASES, OPEN_PORTS, INGRESS, HUB_EGRESS, PROXY_EGRESS, USER_SCOPES),
)
