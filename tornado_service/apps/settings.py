"""The settings of apps, beside those of the core: found, shown, written to a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets import List
from traitlets.config import Config
from traitlets.config.loader import DeferredConfig

from ..config.checks import ConfigError
from ..config.private_files import private_opener
from .loader import class_name, import_app

if TYPE_CHECKING:
    from ..config.application import StrictApplication

DEFAULT_FILE = "tornado_service_config.py"


def may_be_app_section(section: str, config: Config, apps: list[str]) -> bool:
    """Whether a section is that of an app's class, which is checked when the app is imported.

    Args:
        section: its name.
        config: the settings, which may name the apps.
        apps: the apps if the settings do not name any.
    """
    found = config.TornadoService.get("apps", apps)
    if isinstance(found, DeferredConfig):
        found = found.get_value(List())
    specs = [found] if isinstance(found, str) else found
    # one that is not installed must not end the process, nor must its settings
    return any(class_name(spec) in (section, "") for spec in specs)


def add_app_classes(app: StrictApplication, specs: Iterable[str]) -> None:
    """Import the apps, so that their settings are shown with the others."""
    for spec in specs:
        try:
            app.classes = [*app.classes, import_app(spec)]
        except (Exception, SystemExit) as error:
            # whatever it is: the settings of all others are still worth to be shown
            app.log.warning("Without the settings of %s: %s", spec, error)


def generate(app: StrictApplication, specs: Iterable[str], file: str) -> None:
    """Write a config file that holds every setting, commented out.

    Args:
        app: the command, with the settings of the core.
        specs: the apps whose settings are in it, too.
        file: where to; empty for ``DEFAULT_FILE``.

    Raises:
        ConfigError: the file exists already, or cannot be written.
    """
    path = Path(file or DEFAULT_FILE)
    add_app_classes(app, specs)
    try:
        with open(path, "x", opener=private_opener) as target:
            target.write(app.generate_config_file())
    except FileExistsError:
        raise ConfigError(
            f"{path} exists already: move it, or name another with --config="
        ) from None
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}") from error
    app.log.info("Wrote %s", path)
