"""What Python code in values does to the hub's services and roles, read without running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .syntax import (
    assigned_scopes,
    assignments,
    begins_with_string,
    bindings,
    compares_with_user,
    dict_entries,
    is_copy,
    is_member,
    is_string,
    mentions,
)

ListName = Literal["services", "load_roles"]

#: The lists to which the chart adds before it runs the code.
CONFIG_LISTS: tuple[ListName, ...] = ("services", "load_roles")

SERVICE_SCOPE = "access:services!service="


@dataclass(frozen=True)
class Role:
    """A role that code writes out.

    Attributes:
        name: its name.
        scopes: the expression for its scopes, if it has one.
    """

    name: str
    scopes: ast.expr | None


class ConfigCode:
    """Pieces of code that run one after the other, in one namespace, as the chart runs them."""

    def __init__(self) -> None:
        self._values: dict[str, list[ast.AST]] = {}

    def parse(self, code: str) -> ast.Module:
        """Read the next piece.

        Raises:
            SyntaxError: this version of Python cannot.
        """
        try:
            tree = ast.parse(code)
        except ValueError as error:  # a null character
            raise SyntaxError(str(error)) from None
        for node in ast.walk(tree):
            for name, value in bindings(node):
                self._values.setdefault(name, []).append(value)
        return tree

    def replaced_lists(self, tree: ast.Module) -> list[ListName]:
        """The lists that the piece replaces, where it does not take over what is in them."""
        replaced: set[ListName] = set()
        pending: list[tuple[ast.AST, frozenset[ListName]]] = [(tree, frozenset())]
        while pending:
            node, unset = pending.pop()  # and the lists that are known not to be set where it runs
            replaced |= {
                name for name in CONFIG_LISTS if name not in unset and self._replaces(node, name)
            }
            if isinstance(node, (ast.If, ast.IfExp)):
                unset |= {name for name in CONFIG_LISTS if mentions(node.test, name)}
            for child in ast.iter_child_nodes(node):
                failed: set[ListName] = set()
                if isinstance(node, ast.Try) and isinstance(child, ast.ExceptHandler):
                    failed = {name for name in CONFIG_LISTS for x in node.body if mentions(x, name)}
                pending.append((child, unset | failed))
        return sorted(replaced)

    def roles(self, tree: ast.Module) -> Iterator[Role]:
        """The roles that the piece writes out, with names that are known."""
        nodes = list(ast.walk(tree))
        if not any(self._is_list(n, "load_roles") or is_string(n, "load_roles") for n in nodes):
            return
        for node in nodes:
            entries = dict_entries(node)
            name = entries.get("name")
            if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
                continue
            if "scopes" in entries or self._is_added_role(tree, node):
                yield Role(name.value, entries.get("scopes"))

    def scopes_of_user(self, tree: ast.Module) -> Iterator[ast.expr]:
        """The expressions that the piece sets as the scopes of an existing role called user."""
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and compares_with_user(node.test):
                yield from assigned_scopes(node.body, any_role=True)
        yield from assigned_scopes(tree.body, any_role=False)

    def lacks_self(self, scopes: ast.expr) -> bool:
        """Whether scopes are all known, and ``self`` is not among them."""
        strings = self._literal_strings(scopes)
        return strings is not None and "self" not in strings

    def _replaces(self, node: ast.AST, name: ListName) -> bool:
        if isinstance(node, ast.Delete):
            return any(self._is_whole_list(target, name) for target in node.targets)
        if isinstance(node, ast.Call):
            return self._call_replaces(node, name)
        return any(
            self._is_whole_list(target, name) and not self._depends_on(value, name)
            for target, value in assignments(node)
        )

    def _call_replaces(self, call: ast.Call, name: ListName) -> bool:
        function = call.func
        if isinstance(function, ast.Name) and function.id in ("setattr", "delattr"):
            owner, attribute, *value = call.args or [function, function]
            sets = self._is_hub(owner) and is_string(attribute, name)
            return sets and not any(self._depends_on(argument, name) for argument in value)
        if not isinstance(function, ast.Attribute):
            return False
        if function.attr == "clear":
            return self._is_list(function.value, name)
        if function.attr == "pop" and call.args:
            return self._is_hub(function.value) and is_string(call.args[0], name)
        if function.attr not in ("update", "merge"):
            return False
        if self._is_hub(function.value):
            settings = [dict_entries(argument) for argument in call.args]
            settings.append(
                {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            )
        else:
            sections = [dict_entries(argument) for argument in call.args]
            settings = [dict_entries(section.get("JupyterHub")) for section in sections]
        values = [entries[name] for entries in settings if name in entries]
        return not all(self._depends_on(value, name) for value in values)

    def _resolve(self, node: ast.AST) -> Iterator[ast.AST]:
        """The node, or for a variable all values assigned to it."""
        pending, seen = [node], set()
        while pending:
            value = pending.pop()
            if not isinstance(value, ast.Name):
                yield value
            elif value.id not in seen:
                seen.add(value.id)
                pending += self._values.get(value.id, [])

    def _is_hub(self, node: ast.AST) -> bool:
        return any(is_member(value, "JupyterHub") for value in self._resolve(node))

    def _is_list(self, node: ast.AST, name: ListName) -> bool:
        """Whether it is the list itself."""
        return any(
            isinstance(value, (ast.Attribute, ast.Subscript))
            and is_member(value, name)
            and self._is_hub(value.value)
            for value in self._resolve(node)
        )

    def _is_whole_list(self, target: ast.expr, name: ListName) -> bool:
        """Whether it is a place that holds the list, or all of its entries."""
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice):
            bounds = (target.slice.lower, target.slice.upper, target.slice.step)
            return not any(bounds) and self._is_list(target.value, name)
        return not isinstance(target, ast.Name) and self._is_list(target, name)

    def _depends_on(self, node: ast.AST, name: ListName) -> bool:
        """Whether an expression is made of what is in the list, by variables and functions too."""
        pending, seen = [node], set()
        while pending:
            for inner in ast.walk(pending.pop()):
                if isinstance(inner, ast.Name):
                    if inner.id not in seen:
                        seen.add(inner.id)
                        pending += self._values.get(inner.id, [])
                elif self._is_list(inner, name) or self._is_getter_call(inner, name):
                    return True
        return False

    def _is_getter_call(self, node: ast.AST, name: ListName) -> bool:
        """Whether it is ``getattr(c.JupyterHub, name)`` or ``c.JupyterHub.get(name)``."""
        if not isinstance(node, ast.Call) or not any(is_string(item, name) for item in node.args):
            return False
        owner = node.func.value if isinstance(node.func, ast.Attribute) else node.args[0]
        return self._is_hub(owner)

    def _is_added_role(self, tree: ast.Module, role: ast.AST) -> bool:
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        return any(
            role in call.args
            and isinstance(call.func, ast.Attribute)
            and self._is_list(call.func.value, "load_roles")
            for call in calls
        )

    def _literal_strings(self, expression: ast.expr) -> set[str] | None:
        """The texts in an expression for a list of them; nothing where some are not known."""
        strings: set[str] = set()
        pending: list[ast.AST] = [expression]
        seen: set[str] = set()
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Constant):
                strings.add(str(node.value))
            elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
                pending += node.elts
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                pending += [node.left, node.right]
            elif isinstance(node, ast.Starred):
                pending.append(node.value)
            elif isinstance(node, ast.Call) and is_copy(node):
                pending += node.args
            elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
                pending.append(node.elt)
            elif isinstance(node, ast.Name) and len(self._values.get(node.id, [])) == 1:
                if node.id not in seen:
                    seen.add(node.id)
                    pending += self._values[node.id]
            elif not begins_with_string(node):  # what does, is never "self"
                return None
        return strings


def grants_scope(code: str, scope: str) -> bool:
    """Whether code has this scope in it, or one of a service whose name it puts together."""
    try:
        texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    except (SyntaxError, ValueError, RecursionError):
        return scope in code
    return any(
        text in (scope, "access:services", SERVICE_SCOPE)
        or text.startswith((SERVICE_SCOPE + "{", SERVICE_SCOPE + "%"))
        for text in texts
        if isinstance(text, str)
    )
