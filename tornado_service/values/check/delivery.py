"""Mistakes in the delivery of the code to the hub's pod."""

from collections.abc import Iterator

from .. import paths
from ..deployment import PUBLIC_IMAGE
from ..site import Service, Site, ValuesFinding

STOCK = "jupyterhub/k8s-hub"

#: Helm keeps each release in a Secret of at most 1 MiB, which contains the file three times:
#: 200,000 bytes fill it, and a site's own values need space too.
LARGEST_FILE = 180_000


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _image(site)
    yield from _replaced(site)
    for service in site.services:
        file = next((str(word) for word in service.command if str(word).endswith(".pyz")), "")
        if file:
            yield from _file(site, service, file)
        elif service.is_tornado_service and service.command:
            yield from _module(site, service)
    yield from _sizes(site)


def _image(site: Site) -> Iterator[ValuesFinding]:
    name, tag = site.values.get(*paths.IMAGE, "name"), site.values.get(*paths.IMAGE, "tag")
    if tag == "latest":
        yield site.finding(
            (*paths.IMAGE, "tag"),
            "latest is whatever a node has or pulls: an update may not arrive, or arrive with a new"
            " JupyterHub when a pod restarts.",
            "a tag that you give out once.",
        )
    elif name and tag is None:
        yield site.finding(
            (*paths.IMAGE, "tag"),
            f"the chart's own tag is used, which {name} does not have: the pod cannot start.",
            "your image's tag.",
        )


def _replaced(site: Site) -> Iterator[ValuesFinding]:
    """An image or a command that a later file replaces."""
    for replaced in site.values.replaced:
        path, lost = replaced.path, [str(item) for item in replaced.lost]
        if path == (*paths.IMAGE, "name") and lost != [PUBLIC_IMAGE.rpartition(":")[0]]:
            yield site.finding(
                path, f"it replaces {lost[0]} of {replaced.earlier_file}.", "one of them."
            )
        # the module or the file, not an option
        is_other_program = any(word.endswith(("tornado_service", ".pyz")) for word in lost)
        if path[:2] == paths.SERVICES and path[-1] == "command" and is_other_program:
            what = f"it replaces that of {replaced.earlier_file}: {' '.join(lost)}."
            yield site.finding(path, what, "one delivery only.")


def _module(site: Site, service: Service) -> Iterator[ValuesFinding]:
    name = site.values.get(*paths.IMAGE, "name")
    if not name or STOCK in str(name):
        yield site.finding(
            (*paths.IMAGE, "name"),
            f'the chart\'s own hub image does not have it: "No module named tornado_service",'
            f" {service.name} ends and the hub exits.",
            "your image (image.yaml), or use extra-files.yaml.",
        )


def _file(site: Site, service: Service, file: str) -> Iterator[ValuesFinding]:
    files = site.values.submaps(*paths.EXTRA_FILES)
    if file not in [details.get("mountPath") for details in files.values()]:
        yield site.finding(
            paths.EXTRA_FILES,
            f"no entry has the mountPath {file}, which {service.name} runs: it ends and the hub"
            " exits.",
            "extra-files.yaml's.",
        )
    for key, details in files.items():
        if details.get("mountPath") == file and details.get("stringData"):
            yield site.finding(
                (*paths.EXTRA_FILES, key, "stringData"),
                "the file is no text and arrives damaged.",
                f"base64 of it: --set-file hub.extraFiles.{key}.binaryData=...",
            )


def _sizes(site: Site) -> Iterator[ValuesFinding]:
    total = 0
    for details in site.values.submaps(*paths.EXTRA_FILES).values():
        base64, text = details.get("binaryData"), details.get("stringData")
        total += len(base64) * 3 // 4 if isinstance(base64, str) else 0
        total += len(text) if isinstance(text, str) else 0
    if total > LARGEST_FILE:
        yield site.finding(
            paths.EXTRA_FILES,
            f"{total:,} bytes are too many: Helm keeps the release in a Secret of 1 MiB, with each"
            ' file three times, and ends with "data: Too long".',
            f"files of less than {LARGEST_FILE:,} bytes in all, or use an image.",
        )
