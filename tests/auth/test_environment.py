"""What an external service derives from its name, the URL of the Hub API and its token."""

from __future__ import annotations

import os
from http.cookies import SimpleCookie

import pytest
from traitlets import TraitError

from tornado_service.app import TornadoService
from tornado_service.auth.environment import base_url_of
from tornado_service.auth.service_auth import ServiceAuth
from tornado_service.config.checks import ConfigError

pytestmark = pytest.mark.library

MINIMAL = {
    "JUPYTERHUB_SERVICE_NAME": "reports",
    "JUPYTERHUB_API_URL": "http://hub:8081/jupyter/hub/api",
    "JUPYTERHUB_API_TOKEN": "0123456789abcdef",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        if name.startswith(("JUPYTERHUB_", "TORNADO_SERVICE_")):
            monkeypatch.delenv(name)
    for name, value in MINIMAL.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def make_service(*arguments: str, port: int = 8181) -> TornadoService:
    service = TornadoService()
    service.initialize([f"--port={port}", *arguments])
    return service


def derived(auth: ServiceAuth) -> dict[str, object]:
    return {
        "prefix": auth.base_url,
        "hub": auth.hub_prefix,
        "client": auth.oauth_client_id,
        "callback": auth.oauth_redirect_uri,
        "authorize": auth.oauth_authorization_url,
        "token": auth.oauth_token_url,
        "scopes": auth.access_scopes,
        "cookies": (auth.cookie_name, auth.state_cookie_name, auth.cookie_path),
        "login": auth.login_url,
    }


def test_three_replicas_derive_the_same() -> None:
    services = [make_service(port=port) for port in (8181, 8182, 8183)]

    first, *others = (derived(service.auth) for service in services)

    assert first == {
        "prefix": "/jupyter/services/reports/",
        "hub": "/jupyter/hub/",
        "client": "service-reports",
        "callback": "/jupyter/services/reports/oauth_callback",
        "authorize": "/jupyter/hub/api/oauth2/authorize",
        "token": "http://hub:8081/jupyter/hub/api/oauth2/token",
        "scopes": {"access:services", "access:services!service=reports"},
        "cookies": (
            "service-reports",
            "service-reports-oauth-state",
            "/jupyter/services/reports/",
        ),
        "login": "/jupyter/hub/api/oauth2/authorize?client_id=service-reports"
        "&redirect_uri=%2Fjupyter%2Fservices%2Freports%2Foauth_callback&response_type=code",
    }
    assert others == [first, first]
    assert len({service.cookie_secret for service in services}) == 1
    assert {service.prefix for service in services} == {"/jupyter/services/reports/"}


@pytest.mark.parametrize(
    ("variable", "value", "setting"),
    [
        ("JUPYTERHUB_BASE_URL", "/other/", {"hub": "/other/hub/"}),
        ("JUPYTERHUB_BASE_URL", "/other/", {"prefix": "/other/services/reports/"}),
        ("JUPYTERHUB_SERVICE_PREFIX", "/elsewhere/", {"callback": "/elsewhere/oauth_callback"}),
        ("JUPYTERHUB_CLIENT_ID", "service-x", {"client": "service-x"}),
        ("JUPYTERHUB_OAUTH_CALLBACK_URL", "https://x.org/cb", {"callback": "https://x.org/cb"}),
        ("JUPYTERHUB_OAUTH_ACCESS_SCOPES", '["custom:x"]', {"scopes": {"custom:x"}}),
        ("JUPYTERHUB_OAUTH_SCOPES", '["custom:x"]', {"scopes": {"custom:x"}}),
        (
            "JUPYTERHUB_HOST",
            "https://hub.example",
            {"authorize": "https://hub.example/jupyter/hub/api/oauth2/authorize"},
        ),
    ],
)
def test_a_variable_that_is_set_has_precedence(
    environment: pytest.MonkeyPatch, variable: str, value: str, setting: dict[str, object]
) -> None:
    environment.setenv(variable, value)

    assert derived(make_service().auth).items() >= setting.items()


def test_a_setting_has_precedence_over_the_environment() -> None:
    service = make_service("--ServiceAuth.hub_prefix=/x/hub", "--ServiceAuth.api_token=of-a-file")

    assert service.prefix == "/x/services/reports/"
    assert service.auth.api_token == service.hub.api_token == "of-a-file"


@pytest.mark.parametrize(
    ("url", "base_url"),
    [
        ("http://127.0.0.1:8081/hub/api", "/"),
        ("http://127.0.0.1:8081/hub/api/", "/"),
        ("https://example.org/hub/api", "/"),
        ("https://example.org/a/b/hub/api", "/a/b/"),
        ("http://[::1]:8081/hub/hub/api", "/hub/"),
        ("http://hub:8081", ""),
        ("http://hub:8081/", ""),
        ("http://hub:8081/hub", ""),
        ("http://hub:8081/hub/apis", ""),
        ("http://hub:8081/myhub/api", ""),
        ("http://hub:8081//hub/api", ""),
        ("http://hub:8081/hub/api?x=1", ""),
        ("http://hub:8081/hub/api#x", ""),
        ("http://hub:http/hub/api", ""),
        ("http:///hub/api", ""),
        ("hub:8081/hub/api", ""),
        ("ftp://hub/hub/api", ""),
        ("", ""),
    ],
)
def test_the_base_url_comes_from_the_url_of_the_api(url: str, base_url: str) -> None:
    assert base_url_of(url) == base_url


@pytest.mark.parametrize(
    "name",
    ["a/b", "..", ".", "a b", "a%20b", "a?b", "ä", "a\n", "a@b", "a(b)", "a,b", "a;b", "a=b"],
)
def test_a_name_that_is_no_part_of_a_path_or_a_cookie_is_refused(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv("JUPYTERHUB_SERVICE_NAME", name)

    with pytest.raises(ConfigError, match="JUPYTERHUB_SERVICE_NAME is"):
        make_service()


@pytest.mark.parametrize("name", ["Reports", "a.b_c~d", "a!b$c&d'e*f+g:h-1", "x" * 70])
def test_any_name_that_is_part_of_a_path_and_a_cookie_will_do(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv("JUPYTERHUB_SERVICE_NAME", name)

    service = make_service()

    assert service.prefix == f"/jupyter/services/{name}/"
    SimpleCookie()[service.auth.state_cookie_name] = "x"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        # each would lock out all users, while the hub accepts the client
        ("JUPYTERHUB_BASE_URL", "jupyter"),
        ("JUPYTERHUB_BASE_URL", "jupyter/"),
        ("JUPYTERHUB_BASE_URL", "https://hub.example.org/jupyter/"),
        ("JUPYTERHUB_BASE_URL", "//jupyter/"),
        ("JUPYTERHUB_HOST", "hub.example.org"),
        ("JUPYTERHUB_HOST", "hub.example.org:8000"),
        ("JUPYTERHUB_HOST", "https://hub.example.org/"),
        ("JUPYTERHUB_HOST", "https://hub.example.org/jupyter"),
        ("JUPYTERHUB_HOST", "https://hub.example.org:x"),
        ("JUPYTERHUB_HOST", "https://"),
        ("JUPYTERHUB_PUBLIC_URL", "hub.example.org/services/reports/"),
        ("JUPYTERHUB_PUBLIC_URL", "/services/reports/"),
        ("JUPYTERHUB_PUBLIC_URL", "http://[hub"),
    ],
)
def test_an_address_of_another_form_is_refused(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    environment.setenv(variable, value)

    with pytest.raises(ConfigError, match=rf"^{variable} is '[^']+': it takes [^\n]+$"):
        make_service()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JUPYTERHUB_BASE_URL", "/"),
        ("JUPYTERHUB_BASE_URL", "/jupyter"),
        ("JUPYTERHUB_BASE_URL", "/a/b/"),
        ("JUPYTERHUB_BASE_URL", "/@x/a%20b/"),
        ("JUPYTERHUB_HOST", "http://127.0.0.1:8000"),
        ("JUPYTERHUB_HOST", "https://[::1]:8000"),
        ("JUPYTERHUB_PUBLIC_URL", "https://hub.example.org"),
        ("JUPYTERHUB_PUBLIC_URL", "https://hub.example.org/jupyter/services/reports/"),
    ],
)
def test_an_address_of_the_right_form(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    environment.setenv(variable, value)

    assert make_service().prefix.endswith("/services/reports/")


@pytest.mark.parametrize("scopes", ["access:services", "{}", "[]", "[1]", '"access:services"'])
def test_scopes_that_are_no_list_are_refused(environment: pytest.MonkeyPatch, scopes: str) -> None:
    """An empty one would let everybody in."""
    environment.setenv("JUPYTERHUB_OAUTH_ACCESS_SCOPES", scopes)

    with pytest.raises(TraitError, match="JUPYTERHUB_OAUTH_ACCESS_SCOPES is"):
        make_service().auth.access_scope  # noqa: B018


class TestLaunchedByAHub:
    """A hub sets all variables: what is missing is reported, and not derived."""

    @pytest.fixture(autouse=True)
    def launched(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("JUPYTERHUB_SERVER_NAME", "")
        environment.setenv("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:8181")
        environment.setenv("JUPYTERHUB_SERVICE_PREFIX", "/services/reports/")
        environment.setenv("JUPYTERHUB_CLIENT_ID", "service-reports")

    def test_it_starts(self) -> None:
        assert make_service().prefix == "/services/reports/"

    @pytest.mark.parametrize(
        "name", ["JUPYTERHUB_SERVICE_URL", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_CLIENT_ID"]
    )
    def test_nothing_is_derived(self, environment: pytest.MonkeyPatch, name: str) -> None:
        environment.delenv(name)

        with pytest.raises(ConfigError, match=f"Not set: {name}"):
            make_service()

    def test_the_addresses_are_those_of_the_hub(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("JUPYTERHUB_HOST", "https://hub.example.org/")

        assert make_service().prefix == "/services/reports/"

    def test_its_token_is_that_of_the_hub(self, environment: pytest.MonkeyPatch) -> None:
        service = make_service("--TornadoService.api_token_file=missing")

        assert service.auth.api_token == MINIMAL["JUPYTERHUB_API_TOKEN"]
