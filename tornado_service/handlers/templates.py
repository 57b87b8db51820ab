"""Jinja templates: the environment of the core, and additions of apps."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
from jinja2.bccache import Bucket

#: Templates and static files are read as this package's resources: it may be in a zip file.
PACKAGE = "tornado_service"


@dataclass(frozen=True)
class AppTemplates:
    """The templates and variables of an app, in addition to those of the core.

    Attributes:
        jinja_env: the app's own templates first, then all others.
        namespace: variables of its templates.
    """

    jinja_env: Environment
    namespace: dict[str, Any]


@dataclass(frozen=True)
class FormState:
    """The rejected input of a form; empty before that. Templates see it as ``form``.

    Attributes:
        values: the entered values, by the input's name.
        errors: messages, by the input's name; ``form`` for the form as a whole.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


class CompiledTemplates(BytecodeCache):
    """The code of templates, compiled once: each app has an environment of its own.

    It is kept by name and text, so that a changed template is compiled anew.
    """

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._codes.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key] = (bucket.checksum, bucket.code)


_compiled_templates = CompiledTemplates()


def make_jinja_env(template_paths: list[str]) -> Environment:
    """Templates: an administrator's first; ours stay available as ``templates/page.html``.

    Args:
        template_paths: an administrator's directories.
    """
    ours = PackageLoader(PACKAGE)
    loader = ChoiceLoader(
        [PrefixLoader({"templates": ours}), FileSystemLoader(template_paths), ours]
    )
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        bytecode_cache=_compiled_templates,
        auto_reload=False,  # checking the files would slow pages down; a restart loads new ones
        trim_blocks=True,
        lstrip_blocks=True,
    )
