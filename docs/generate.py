"""Write docs/configuration.md from the settings themselves: python docs/generate.py."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from traitlets import TraitType, Undefined
from traitlets.config import Configurable

from tornado_service.activity import Activity
from tornado_service.app import TornadoService

PAGE = Path(__file__).with_name("configuration.md")

HEAD = """\
# Settings

This page is made from the code: `make docs` writes it anew, and a test fails when it is stale.

A setting goes into a config file, which is Python (`--config=/path/to/tornado_service_config.py`)

```python
c.TornadoService.shutdown_grace = 3
```

or on the command line (`--TornadoService.shutdown_grace=3`). What is misspelled is an error.
`tornado-service --generate-config` writes a file with every setting in it, `--help-all` lists them.
In `jupyterhub_config.py` they are arguments of the service's `command`.

What the hub sets in the environment (`JUPYTERHUB_…`) needs no setting. Besides it are read:

| variable | for |
| --- | --- |
| `TORNADO_SERVICE_COOKIE_SECRET` | `TornadoService.cookie_secret`, where it must not stand in a file |
| `JUPYTERHUB_API_URL` | overrides how the service reaches the hub; set it in the service's `environment` |
| `JUPYTERHUB_COOKIE_OPTIONS`, `JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED` | JupyterHub's cookie settings, for every cookie of the service; the hub does not pass them on by itself |
| `JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS` | JupyterHub's: addresses of proxies that are not visitors |
"""


def page() -> str:
    """The whole page."""
    classes = [*TornadoService.classes_to_document(), Activity]
    return "\n".join([HEAD, *map(section, classes)])


def section(cls: type) -> str:
    """The settings that a class adds."""
    own = {name: trait for name, trait in cls.class_traits(config=True).items() if adds(cls, trait)}
    lines = [f"## {cls.__name__}", "", inspect.getdoc(cls).partition("\n\n")[0], ""]
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
    return [f"*{kind}*" if computed else f"*{kind}*, default `{default!r}`", "", help_text]


if __name__ == "__main__":
    sys.exit(PAGE.write_text(page()) and 0)
