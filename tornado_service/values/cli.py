"""The commands ``tornado-service values`` and ``tornado-service values check``."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Integer, List, TraitError, Unicode, validate

from ..apps.isolation.containment import AppError
from ..apps.loader import import_app
from ..config.application import StrictApplication
from ..config.private_files import make_private_directory, write_private
from ..hub.versions import parse_version
from . import overlays
from .check.runner import find_mistakes
from .deployment import ACTIVITY, PUBLIC_IMAGE, Deployment, normalize_base_url
from .merge import CHART, Values, ValuesError, hub_service, read_files
from .paths import KeyPath
from .service_settings import web_app_addresses
from .site import Site
from .web_app_addresses import WebAppAddress, parse_address


class _Command(StrictApplication):
    """A command that writes to stdout."""

    parent_key = Unicode(
        help="""The key of the chart's values in a chart that depends on it: its name or alias, or a
        path of them, as in binderhub.jupyterhub. Default: where your values have those of the
        chart, else the top.""",
        config=True,
    )

    @validate("parent_key")
    def _is_path(self, proposal: dict[str, Any]) -> str:
        path: str = proposal["value"]
        if path and not all(re.fullmatch(r"[a-zA-Z0-9_-]+", name) for name in path.split(".")):
            raise TraitError(
                f"--parent={path} is no path of charts; write their names with dots:"
                " binderhub.jupyterhub"
            )
        return path

    @property
    def parent_path(self) -> KeyPath | None:
        """The keys above the chart's values; None: detect them."""
        return tuple(self.parent_key.split(".")) if self.parent_key else None

    def start(self) -> None:
        super().start()  # of the subcommand, if any
        if self.subapp is None:
            try:
                self.run()
            except ValuesError as error:
                self.fail(2, str(error))

    def run(self) -> None:
        raise NotImplementedError  # subclasses implement it


class CheckApp(_Command):
    """Check values files for mistakes, before you run Helm."""

    name = "tornado-service values check"
    description = __doc__
    examples = """
    tornado-service values check -f values/service.yaml -f values/ingress.yaml \\
        -f values/image.yaml -f config.yaml

    Pass the files in the same order as to Helm. One line for each finding: file, key, effect, fix.
    Exit status: 0 no finding, 1 findings, 2 a file cannot be read.
    """
    aliases = {
        "f": "CheckApp.files",
        "values": "CheckApp.files",
        "jupyterhub-version": "CheckApp.jupyterhub_version",
        "release": "CheckApp.release",
        "name": "CheckApp.service",
        "parent": "CheckApp.parent_key",
    }

    files = List(Unicode(), help="A values file; repeat it for each, in Helm's order.", config=True)
    jupyterhub_version = Unicode(
        "5.5", help="The hub's version: 5.5 in z2jh 4.4. Default: 5.5.", config=True
    )
    release = Unicode(
        help="Name of the Helm release; only needed where fullnameOverride is null.", config=True
    )
    service = Unicode(
        help="Check this service only. Default: every service of hub.services with a url.",
        config=True,
    )

    @validate("jupyterhub_version")
    def _is_version(self, proposal: dict[str, Any]) -> str:
        try:
            parse_version(proposal["value"])
        except ValueError:
            raise TraitError("--jupyterhub-version takes numbers, such as 5.5 or 6.1.1") from None
        return str(proposal["value"])

    def run(self) -> None:
        if not self.files:
            raise ValuesError("name the values files: -f values/service.yaml -f ... -f config.yaml")
        values = Values(read_files(self.files), self.parent_path)
        version = parse_version(self.jupyterhub_version)
        findings = find_mistakes(Site(values, version, self.release, self.service))
        for finding in findings:
            print(finding)
        sys.exit(1 if findings else 0)


class ValuesApp(_Command):
    """Write the Helm values with which zero-to-jupyterhub runs the service."""

    name = "tornado-service values"
    description = __doc__
    examples = """
    tornado-service values --image=quay.io/me/hub:4.4.0-1 > tornado-service.yaml
    tornado-service values --delivery=extra-files --site=config.yaml > tornado-service.yaml
    tornado-service values --web-app-url=http://wiki.tools.svc:8080 > tornado-service.yaml
    tornado-service values --external > tornado-service.yaml
    helm upgrade RELEASE jupyterhub/jupyterhub --version 4.4.0 \\
        -f tornado-service.yaml -f config.yaml
    """
    subcommands = {
        "check": (CheckApp, "Check values files for mistakes."),
    }
    aliases = {
        "name": "ValuesApp.service_name",
        "app": "ValuesApp.apps",
        "group": "ValuesApp.groups",
        "web-app-url": "ValuesApp.web_app_urls",
        "parent": "ValuesApp.parent_key",
        **{
            option.replace("_", "-"): f"ValuesApp.{option}"
            for option in (
                *("port", "release", "fullname_override", "name_override", "base_url", "mode"),
                *("delivery", "image", "jupyterhub", "namespace", "site", "output_dir"),
            )
        },
    }
    flags = {
        "loopback-api": (
            {"ValuesApp": {"loopback_api": True}},
            "Let the service call the Hub API at localhost. For sites that can have neither"
            " hub.labels nor hub.extraPodSpec; --base-url counts here.",
        ),
        "external": (
            {"ValuesApp": {"external": True}},
            "For a service in pods of its own, which the hub does not launch: our chart runs it."
            " --delivery, --image and --loopback-api do not count then.",
        ),
    }

    service_name = Unicode(
        "tornado-service", help="The service's name; it opens at /services/NAME/.", config=True
    )
    port = Integer(8181, min=1024, max=65535, help="The port that it listens on.", config=True)
    release = Unicode(
        help="""Name of the Helm release. Needed with several releases in one namespace, and where
        fullnameOverride is null.""",
        config=True,
    )
    fullname_override = Unicode(
        help="The chart's fullnameOverride, if set; null for null. The hub's Service has it.",
        config=True,
    )
    name_override = Unicode(help="The chart's nameOverride, if you set it.", config=True)
    base_url = Unicode("/", help="The chart's hub.baseUrl, such as /lab/.", config=True)
    mode = Enum(
        ["ingress", "allowed-ingress-ports"],
        "ingress",
        help="""How the network policy opens the port: to the proxy and the hub (ingress), or to
        every pod (allowed-ingress-ports). With --external: the port of the Hub API, to the
        service's pods or to every pod.""",
        config=True,
    )
    delivery = Enum(
        ["image", "extra-files"],
        "image",
        help="How the hub gets the code: by an image, or by one file in the chart's own image.",
        config=True,
    )
    image = Unicode(
        PUBLIC_IMAGE, help="The hub's image with the service in it, as NAME:TAG.", config=True
    )
    jupyterhub = Integer(5, min=5, max=6, help="The hub's major version, 5 or 6.", config=True)
    apps = List(
        Unicode(),
        [ACTIVITY],
        help="""An app to run, as my_module:MyApp or by the name of its entry point; repeat it for
        each. Only the apps you list are enabled: list activity to keep Activity; --app= enables
        none. The service's role gets the scopes that the apps declare.
        Default: activity.""",
        config=True,
    )
    groups = List(
        Unicode(),
        help="Give access only to members of this group; repeat it. Default: all users.",
        config=True,
    )
    web_app_urls = List(
        Unicode(),
        help="""The url of a web app that runs elsewhere, such as http://wiki.tools.svc:8080; repeat
        it. The network policy then lets the hub's pod out to it. A policy counts the port of the
        pods: if it is another than that of their Service, add it, as in
        http://wiki.tools.svc=8080. Those that --site shows need no option.""",
        config=True,
    )
    site = List(
        Unicode(),
        help="""A values file of yours, repeat it in Helm's order: the output then also contains the
        entries of its lists, as Helm would replace one list by the other, and rules for the web
        apps at a url that it configures.""",
        config=True,
    )
    output_dir = Unicode(
        help="Write every overlay to a file of its own here. Default: one document on stdout.",
        config=True,
    )
    loopback_api = Bool(False, help="See --loopback-api.", config=True)
    external = Bool(False, help="See --external.", config=True)
    namespace = Unicode(
        help="Namespace of the pods of --external. Default: that of the hub.", config=True
    )

    def run(self) -> None:
        site = Values(read_files(self.site), self.parent_path)
        deployment = self.deployment(site.chart, _web_apps(Site(site, ())))
        if self.output_dir:
            directory = Path(self.output_dir)
            try:
                make_private_directory(directory)
                for name in overlays.OVERLAYS:
                    write_private(directory / name, overlays.overlay_text(deployment, [name], site))
            except OSError as error:
                raise ValuesError(f"{error.filename}: {error.strerror}") from error
            return
        names = ["service.yaml", f"{self.mode}.yaml", f"{self.delivery}.yaml"]
        if self.external:
            names = ["external.yaml", f"{self.mode}.yaml"]
        if self.jupyterhub == 6:
            names.append("jupyterhub-6.yaml")
        if self.groups:
            names.append("groups.yaml")
        print(overlays.overlay_text(deployment, names, site), end="")

    def deployment(self, chart: str = CHART, web_apps: Iterable[WebAppAddress] = ()) -> Deployment:
        """The settings for the overlays.

        The chart has this name or alias; the web apps are those of the site.
        """
        full_name = None if self.fullname_override == "null" else self.fullname_override
        hub = hub_service(full_name, self.name_override or chart, self.release)
        if not hub:
            raise ValuesError("with --fullname-override=null, name the --release too")
        apps = list(filter(None, self.apps))
        classes = [_import_app(app) for app in apps]
        deployment = Deployment(
            name=self.service_name,
            port=self.port,
            hub=hub,
            release=self.release,
            base_url=normalize_base_url(self.base_url),
            image=self.image,
            groups=self.groups,
            apps=apps,
            service_scopes=sorted({scope for app in classes for scope in app.service_scopes}),
            user_scopes=sorted({scope for app in classes for scope in app.user_scopes}),
            loopback_api=self.loopback_api,
            web_apps=[] if self.external else self._outside(web_apps, hub),
            namespace=self.namespace,
        )
        deployment.validate(self.name_override)
        return deployment

    def _outside(self, web_apps: Iterable[WebAppAddress], hub: str) -> list[WebAppAddress]:
        """The web apps of the options and of the site outside of the hub's pod."""
        found: dict[str, WebAppAddress] = {}
        for text in self.web_app_urls:
            try:
                address = parse_address(text)
            except ValueError:
                example = "http://wiki.tools.svc:8080"
                raise ValuesError(f"--web-app-url={text}: write it as {example}") from None
            found[address.url] = address
        for address in web_apps:
            found.setdefault(address.url, address)
        if found and self.delivery == "extra-files":
            raise ValuesError(
                "the single file does without web apps: use --delivery=image for"
                f" {', '.join(found)}"
            )
        addresses = found.values()
        return [address for address in addresses if not (address.is_in_pod or address.host == hub)]


def _web_apps(site: Site) -> list[WebAppAddress]:
    """Web apps at a URL that a site's values configure."""
    return [app for service in site.all_services for _, app in web_app_addresses(site, service)]


def _import_app(app: str) -> Any:
    """The class of an app, by import string or by the name of its entry point."""
    sys.path.insert(0, "")  # as python -m does, for a module that is not installed
    try:
        return import_app(app)
    except (AppError, ImportError) as error:
        raise ValuesError(f"--app={app}: {error}") from error
    finally:
        sys.path.remove("")
