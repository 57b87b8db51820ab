"""Write the pages of the reference that are made from the code: python docs/generate.py."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

from generate_cli import cli_page
from generate_markdown import markdown
from generate_operations import operations_page
from traitlets import TraitType, Undefined
from traitlets.config import Configurable

from tornado_service.activity import Activity
from tornado_service.app import TornadoService

REFERENCE = Path(__file__).with_name("reference")

SETTINGS = """\
# Settings

For hub admins: every setting of the service and of Activity, with its default. This page is generated from the code by `make docs`.

A setting goes into a config file, which is Python (`--config=/path/to/tornado_service_config.py`)

```python
c.TornadoService.shutdown_grace = 3
```

or on the command line (`--TornadoService.shutdown_grace=3`). A misspelled setting is an error. `tornado-service --generate-config`
writes a file with every setting, `--help-all` lists them. In `jupyterhub_config.py`, settings are arguments of the service's
`command`.

The variables that the hub sets in the environment (`JUPYTERHUB_…`) need no setting. The service also reads:

| variable | for |
| --- | --- |
| `TORNADO_SERVICE_COOKIE_SECRET` | `TornadoService.cookie_secret`, if it must not be in a file |
| `JUPYTERHUB_API_URL` | overrides the URL of the Hub API; set it in the service's `environment` |
| `JUPYTERHUB_COOKIE_OPTIONS`, `JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED` | JupyterHub's cookie settings, for every cookie of the service; the hub does not pass them on |
| `JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS` | JupyterHub's setting: addresses of proxies, which do not identify visitors |
"""


def settings_page() -> str:
    classes = [*TornadoService.classes_to_document(), Activity]
    return "\n".join([SETTINGS, *map(section, classes)])


def section(cls: type) -> str:
    """The settings that a class adds."""
    own = {name: trait for name, trait in cls.class_traits(config=True).items() if adds(cls, trait)}
    summary = (inspect.getdoc(cls) or "").partition("\n\n")[0]
    lines = [f"## {cls.__name__}", "", markdown(summary), ""]
    for name, trait in own.items():
        lines += [f"### `c.{cls.__name__}.{name}`", "", *body(trait), ""]
    return "\n".join(lines)


def adds(cls: type, trait: TraitType) -> bool:
    """Whether a setting is the class's own: no setting of another section."""
    return trait.this_class is cls or not issubclass(trait.this_class, Configurable)


def body(trait: TraitType) -> list[str]:
    """A setting's type, default and text."""
    help_text = inspect.cleandoc(trait.help)
    default = trait.default_value
    computed = default in (Undefined, None, "", b"", 0) or "Default:" in help_text
    kind = type(trait).__name__
    return [
        f"*{kind}*" if computed else f"*{kind}*, default `{default!r}`",
        "",
        markdown(help_text),
    ]


#: The pages, by the names of their files.
PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "cli.md": cli_page,
    "api-operations.md": operations_page,
}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())
