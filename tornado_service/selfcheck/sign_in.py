"""Checks that users can sign in: the service's OAuth client, and where the hub redirects to."""

import json
from urllib.parse import urlsplit

from . import probe
from .findings import CheckedSetup, Finding

#: Sign-ins that browsers have begun again while none has succeeded, after which that is reported.
MANY_REPEATED = 3

#: The hub's errors for a client that it does not know, or with another secret:
#: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
_CLIENT_ERRORS = ("invalid_client", "unauthorized_client")


async def check_sign_in(setup: CheckedSetup) -> list[Finding]:
    """Check what the hub requires of a sign-in, as far as the service knows it."""
    if not setup.client_id:
        return []
    return [await check_client(setup), *check_redirect(setup)]


async def check_client(setup: CheckedSetup) -> Finding:
    """Try the OAuth client and its secret, as at the end of a sign-in.

    The code is invalid, so that the hub returns no token. It checks the client first, so that its
    error shows whether it accepts the client. Its API accepts earlier tokens of a service; its
    OAuth client has only the current one.
    """
    form = {
        "grant_type": "authorization_code",
        "code": f"self-check-of-{setup.name}",
        "client_id": setup.client_id,
        "client_secret": setup.token,
        "redirect_uri": setup.callback_url,
    }
    url = f"{setup.api_url}/oauth2/token"
    try:
        response = await probe.post(url, form, setup.tls.client_context())
    except probe.ProbeError as reason:
        message = f"The hub does not respond when the service tries its OAuth client: {reason}."
        return Finding("sign-in", "unknown", message)
    error = _oauth_error(response.body)
    if response.status == 400 and error == "invalid_grant":
        message = f"The hub accepts the OAuth client {setup.client_id} with the service's token."
        return Finding("sign-in", "ok", message)
    if error in _CLIENT_ERRORS:
        return _refused(setup)
    message = f"The hub returned status {response.status} when the service tried its OAuth client."
    return Finding("sign-in", "unknown", message)


def _refused(setup: CheckedSetup) -> Finding:
    message = f"No user can sign in: the hub refuses the OAuth client {setup.client_id} with the"
    message += " service's token as its secret."
    right = setup.default_client_id
    if setup.client_id != right:
        message += f" The client of this service is {right}, unless the hub's settings name another"
        return Finding(
            "sign-in", "wrong", f"{message}.", setup.variable("JUPYTERHUB_CLIENT_ID", right)
        )
    message += " The hub has another token for the service"
    if setup.is_external:
        message += f", which was changed there or here, or it has no service {setup.name}."
    else:
        message += ": this one was set by hand, or an earlier hub has left this process."
    return Finding("sign-in", "wrong", message, setup.token_fix)


def check_redirect(setup: CheckedSetup) -> list[Finding]:
    """Check the URL to which the hub redirects browsers after sign-in.

    The hub compares it to its own setting, as text, in a browser that is signed in at the hub:
    whether it accepts the URL shows in sign-ins.
    """
    if not setup.callback_url:
        return []
    url, right = urlsplit(setup.callback_url), f"{setup.prefix}oauth_callback"
    key = f"no ServiceAuth.oauth_redirect_uri, and no {_callback_variable(setup)}"
    message = f"After sign-in the hub redirects browsers to {setup.callback_url}"
    if url.path != right:
        message += f", which is not the service's own path {right}: no user can sign in."
        return [Finding("redirect", "wrong", message, key)]
    if setup.sign_ins.finished:
        return [Finding("redirect", "ok", f"{message}; they come back from there.")]
    unproven = f"{message}, and only if its own setting is the same text: status 400 there,"
    unproven += " Mismatching redirect URI, means that it is not. No user has signed in since the"
    unproven += " start"
    if setup.is_external and url.netloc and not _is_subdomain(url.netloc, setup.hub_host):
        if setup.sign_ins.repeated:
            return [
                Finding("redirect", "wrong", f"{unproven}, and browsers have tried again.", key)
            ]
        return [Finding("redirect", "unknown", f"{unproven}.", key)]
    at_subdomain = "" if url.netloc else _callback_at_subdomain(setup, right)
    if setup.sign_ins.repeated >= MANY_REPEATED:
        message += ", but none has come back since the start, and some have tried again. Either the"
        message += " hub refuses this address (status 400, Mismatching redirect URI), or these"
        message += " users may not open the service (status 403)."
        access = f"access:services!service={setup.name}"
        key = f"no oauth_redirect_uri in {setup.helm_key}, or in c.JupyterHub.services"
        key += f"; the scope {access} in a role of the users"
        key += f"; {at_subdomain}" if at_subdomain else ""
        return [Finding("redirect", "note", message, key)]
    if setup.is_external:
        return [Finding("redirect", "unknown", f"{unproven}.", at_subdomain)]
    return [Finding("redirect", "ok", f"{message}.")]


def _callback_variable(setup: CheckedSetup) -> str:
    return setup.variable("JUPYTERHUB_OAUTH_CALLBACK_URL")


def _callback_at_subdomain(setup: CheckedSetup, path: str) -> str:
    """The callback to set for an external service of a hub that may have subdomains, or nothing."""
    if not setup.is_external or not setup.hub_host:
        return ""
    hub = urlsplit(setup.hub_host)
    callback = f"{hub.scheme}://{setup.name}--service.{hub.netloc}{path}"
    return f"{_callback_variable(setup)}={callback}, if the hub has c.JupyterHub.subdomain_host"


def _is_subdomain(host: str, hub_host: str) -> bool:
    """Whether a host is below that of the hub, which has subdomains for its services."""
    hub = urlsplit(hub_host).netloc
    return bool(hub) and host.endswith(f".{hub}")


def _oauth_error(body: bytes) -> str:
    try:
        model = json.loads(body)
    except ValueError:
        return ""
    error = model.get("error") if isinstance(model, dict) else None
    return error if isinstance(error, str) else ""
