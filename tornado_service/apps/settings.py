"""The settings of apps: finds and shows them, and writes them to a config file."""

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
    """Whether a section may be that of an app's class, which is checked when the app is imported.

    Args:
        section: its name.
        config: the settings, which may name the apps.
        apps: the apps if the settings name none.
    """
    found = config.TornadoService.get("apps", apps)
    if isinstance(found, DeferredConfig):
        found = found.get_value(List())
    specs = [found] if isinstance(found, str) else found
    # neither a missing app nor its settings may end the process
    return any(class_name(spec) in (section, "") for spec in specs)


def add_app_classes(app: StrictApplication, specs: Iterable[str]) -> None:
    """Import the apps, so that ``--help-all`` includes their settings."""
    for spec in specs:
        try:
            app.classes = [*app.classes, import_app(spec)]
        except (Exception, SystemExit) as error:
            # any error: the settings of the other apps are still shown
            app.log.warning("Without the settings of %s: %s", spec, error)


def generate(app: StrictApplication, specs: Iterable[str], file: str) -> None:
    """Write a config file with every setting, commented out.

    Args:
        app: the command, with the settings of the core.
        specs: the apps whose settings are included.
        file: the path; empty for ``DEFAULT_FILE``.

    Raises:
        ConfigError: the file exists already, or is not writable.
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
