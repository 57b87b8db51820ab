"""Config files: loaded, with errors that name the file and the line."""

from __future__ import annotations

import traceback
from pathlib import Path

from .application import StrictApplication
from .checks import ConfigError
from .secret_settings import may_hold_secret


def load(app: StrictApplication, path: str) -> None:
    """Load a config file into the application.

    Raises:
        ConfigError: it is missing, or wrong.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"The config file {path} does not exist.")
    if file.suffix not in (".py", ".json"):
        raise ConfigError(f"The config file {path} is neither .py nor .json.")
    try:
        app.load_config_file(file.name, path=str(file.parent.absolute()))
    except ConfigError as error:
        raise ConfigError(f"The config file {path} is wrong: {error}") from None
    except Exception as error:
        # the file is a program of the admin's: it may raise anything
        line = _error_line(error, file)
        where = f" in line {line}" if line else ""
        what = f": {app.without_secrets(str(error))}"
        if line and not isinstance(error, SyntaxError) and may_hold_secret(file, line):
            what = ", whose text is not shown, as that line may hold a secret"
        raise ConfigError(
            f"The config file {path} is wrong{where}: {type(error).__name__}{what}"
        ) from error


def _error_line(error: Exception, file: Path) -> int:
    """Where in the file, if it is known, else 0."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    numbers = [frame.lineno for frame in frames if Path(frame.filename).name == file.name]
    return numbers[-1] or 0 if numbers else 0
