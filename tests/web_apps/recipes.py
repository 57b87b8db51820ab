"""The entries of the page of recipes: what the page says is what the tests start."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from traitlets.config import Config

from tests.support import ROOT

PAGE = ROOT / "docs/how-to/web-app-recipes.md"
GUIDE = ROOT / "docs/how-to/web-apps.md"
HERE = Path(__file__).parent
#: `make test-web-apps` makes one for each folder with requirements.
ENVIRONMENTS = ROOT / ".venv-web-apps"


def blocks(page: Path = PAGE) -> list[str]:
    """The code of a page."""
    code = re.findall(r"^( *)```python\n(.*?)^ *```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, text in code]


def read_recipes() -> dict[str, dict[str, Any]]:
    """The entries by name."""
    entries = [block for block in blocks() if re.match(r'"[a-z]+": \{', block)]
    return ast.literal_eval("{" + "".join(entries) + "}")


def environment_of(name: str) -> Path | None:
    """The Python environment of an app; None if it needs no packages."""
    return ENVIRONMENTS / name if (HERE / name / "requirements.txt").exists() else None


def is_installed(name: str) -> bool:
    environment = environment_of(name)
    return environment is None or (environment / ".stamp").exists()


def settings(name: str, home: Path) -> dict[str, Any]:
    """A recipe with the folder and the environment of the app.

    Args:
        name: the recipe.
        home: a directory in which apps may write.
    """
    entry = read_recipes()[name]
    environment = environment_of(name)
    programs = f"{environment}/bin:/usr/bin:/bin" if environment else "/usr/bin:/bin"
    own = {"PATH": programs, "HOME": str(home / name)}
    (home / name).mkdir(parents=True, exist_ok=True)
    return entry | {
        "working_directory": str(HERE / name),
        "environment": entry.get("environment", {}) | own,
        "title": name.capitalize(),
    }


def guide_settings(home: Path) -> dict[str, Any]:
    """The entry ``sales`` of the guide, with its own file and our directories and groups.

    Args:
        home: as in `settings`.
    """
    app, config = (next(filter(re.compile(start).match, blocks(GUIDE)))
                   for start in ("import streamlit", "c.TornadoService"))  # fmt: skip
    directory = home / "sales"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "sales.py").write_text(app)
    for there, here in [
        ("/opt/sales", str(ENVIRONMENTS / "streamlit")),
        ("/srv/sales", str(directory)),
        ("analysts", "class-a"),
    ]:
        assert there in config
        config = config.replace(there, here)
    c = Config()
    exec(config, {"c": c})
    return c.TornadoService.web_apps["sales"] | {"environment": {"HOME": str(directory)}}
