"""Upgrades the schema by alembic, without files: the package may be in a zip.

A new step is a new module in ``versions``, with ``revision``, ``down_revision`` and ``upgrade``
(https://alembic.sqlalchemy.org/en/latest/ops.html); a test shows what it still lacks.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script
from alembic.script.revision import RevisionMap
from sqlalchemy import Connection

from ....database.errors import DatabaseUnusable
from . import versions

#: Where alembic notes the version; the hub has an ``alembic_version`` of its own.
VERSION_TABLE = "activity_version"


class NewerDatabase(DatabaseUnusable):
    """The database is of a newer version of ours."""

    def __init__(self) -> None:
        super().__init__(
            "The database is of a newer version of tornado_service: install that again, or name"
            " another database. Nothing in it was changed."
        )


def upgrade(connection: Connection) -> None:
    history = RevisionMap(_scripts)

    def steps(heads: Any, context: MigrationContext) -> list[MigrationStep]:
        scripts = list(history.iterate_revisions("head", heads, implicit_base=True))
        return [
            MigrationStep.upgrade_from_script(history, script)  # type: ignore[arg-type]
            for script in reversed(scripts)
        ]

    options = {"version_table": VERSION_TABLE, "fn": steps}
    context = MigrationContext.configure(connection, opts=options)
    check_version(context.get_current_heads())
    with Operations.context(context):
        context.run_migrations()


def check_version(heads: Collection[str]) -> None:
    """Raise `NewerDatabase` if a database's version is not known."""
    if not {script.revision for script in _scripts()}.issuperset(heads):
        raise NewerDatabase


def _scripts() -> list[Script]:
    names = [module.name for module in iter_modules(versions.__path__)]
    modules = [import_module(f"{versions.__name__}.{name}") for name in names]
    return [Script(module, module.revision, str(module.__file__)) for module in modules]
