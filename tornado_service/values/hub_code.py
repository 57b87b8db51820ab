"""Effects of Python code in values on the hub's services and roles, by static analysis."""

import ast
from collections.abc import Iterator
from typing import Literal

ListName = Literal["services", "load_roles"]

#: The lists to which the chart adds before it runs the code.
CONFIG_LISTS: tuple[ListName, ...] = ("services", "load_roles")

SERVICE_SCOPE = "access:services!service="


class ConfigCode:
    """Pieces of code that run one after another, in one namespace, as in the chart."""

    def __init__(self) -> None:
        #: all values that are assigned or added to each variable
        self._values: dict[str, list[ast.AST]] = {}

    def parse(self, code: str) -> ast.Module:
        """Parse the next piece; SyntaxError: this version of Python cannot."""
        try:
            tree = ast.parse(code)
        except ValueError as error:  # a null character
            raise SyntaxError(str(error)) from None
        for node in ast.walk(tree):
            for name, value in _bindings(node):
                self._values.setdefault(name, []).append(value)
        return tree

    def replaced_lists(self, tree: ast.Module) -> list[ListName]:
        """The lists that the piece replaces without keeping their entries."""
        return sorted(name for name in CONFIG_LISTS if self._is_replaced(tree, name))

    def roles(self, tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
        """The roles in literals of the piece: known names, expressions for scopes."""
        nodes = list(ast.walk(tree))
        if not any(self._is_list(n, "load_roles") or _is_string(n, "load_roles") for n in nodes):
            return
        added = [
            item
            for node in nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and self._is_list(node.func.value, "load_roles")
            for item in node.args
        ]
        for node in nodes:
            entries = dict_entries(node)
            match entries.get("name"):
                case ast.Constant(value=str(name)) if "scopes" in entries or node in added:
                    yield name, entries.get("scopes")

    def scopes_of_user(self, tree: ast.Module) -> Iterator[ast.expr]:
        """The expressions that the piece sets as the scopes of an existing role called user."""
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and _compares_with_user(node.test):
                yield from (scopes for _, scopes in _assigned_scopes(node.body))
        for role, scopes in _assigned_scopes(tree.body):
            if is_member(role, "user"):
                yield scopes

    def lacks_self(self, scopes: ast.expr) -> bool:
        """Whether scopes are all known, and ``self`` is not among them."""
        pending: list[ast.AST] = [scopes]
        seen: set[str] = set()
        has_self = False
        while pending:
            match pending.pop():
                case ast.Constant(value=value):
                    has_self = has_self or value == "self"
                case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                    pending += items
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    pending += [left, right]
                case (
                    ast.Starred(value=inner)
                    | ast.ListComp(elt=inner)
                    | ast.SetComp(elt=inner)
                    | ast.GeneratorExp(elt=inner)
                ):
                    pending.append(inner)
                case ast.Call(
                    func=ast.Name(id="list" | "set" | "sorted" | "tuple"), args=items, keywords=[]
                ):
                    pending += items
                case ast.Name(id=name) if len(self._values.get(name, ())) == 1:
                    if name not in seen:
                        seen.add(name)
                        pending += self._values[name]
                case ast.JoinedStr(values=[ast.Constant(), *_]):
                    pass  # a value that begins with text is never "self"
                case _:
                    return False
        return not has_self

    def _is_replaced(self, tree: ast.Module, name: ListName) -> bool:
        pending: list[ast.AST] = [tree]
        while pending:
            node = pending.pop()
            if self._replaces(node, name):
                return True
            if isinstance(node, (ast.If, ast.IfExp)) and _mentions(node.test, name):
                continue  # it runs only if the list is unset
            children = ast.iter_child_nodes(node)
            if isinstance(node, ast.Try) and any(_mentions(inner, name) for inner in node.body):
                children = (child for child in children if not isinstance(child, ast.ExceptHandler))
            pending += children
        return False

    def _replaces(self, node: ast.AST, name: ListName) -> bool:
        match node:
            case ast.Delete(targets=targets):
                return any(self._is_whole_list(target, name) for target in targets)
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[owner, key, *values]):
                if not self._is_hub(owner) or not _is_string(key, name):
                    return False
                return not any(self._depends_on(value, name) for value in values)
            case ast.Call(func=ast.Attribute(value=owner, attr="clear")):
                return self._is_list(owner, name)
            case ast.Call(func=ast.Attribute(value=owner, attr="pop"), args=[key, *_]):
                return self._is_hub(owner) and _is_string(key, name)
            case ast.Call(func=ast.Attribute(value=owner, attr="update" | "merge"), args=items):
                settings = [dict_entries(item) for item in items]
                if self._is_hub(owner):
                    settings.append({keyword.arg or "": keyword.value for keyword in node.keywords})
                else:
                    settings = [dict_entries(section.get("JupyterHub")) for section in settings]
                values = [entries[name] for entries in settings if name in entries]
                return not all(self._depends_on(value, name) for value in values)
        return any(
            self._is_whole_list(target, name) and not self._depends_on(value, name)
            for target, value in assignments(node)
        )

    def resolve(self, node: ast.AST, *, deep: bool = False) -> Iterator[ast.AST]:
        """The node, or all values assigned to a variable; deep: with all values within them."""
        pending, seen = [node], set()
        while pending:
            value = pending.pop()
            for inner in ast.walk(value) if deep else [value]:
                if not isinstance(inner, ast.Name):
                    yield inner
                elif inner.id not in seen:
                    seen.add(inner.id)
                    pending += self._values.get(inner.id, [])

    def _is_hub(self, node: ast.AST) -> bool:
        return any(is_member(value, "JupyterHub") for value in self.resolve(node))

    def _is_list(self, node: ast.AST, name: ListName) -> bool:
        """Whether a node is the list itself."""
        return any(
            isinstance(value, (ast.Attribute, ast.Subscript))
            and is_member(value, name)
            and self._is_hub(value.value)
            for value in self.resolve(node)
        )

    def _is_whole_list(self, target: ast.expr, name: ListName) -> bool:
        """Whether a node is a place that holds the list, or all of its entries."""
        match target:
            case ast.Subscript(value=owner, slice=ast.Slice(lower=None, upper=None, step=None)):
                return self._is_list(owner, name)
        return not isinstance(target, ast.Name) and self._is_list(target, name)

    def _depends_on(self, node: ast.AST, name: ListName) -> bool:
        """Whether an expression depends on the list's entries, by variables and functions too."""
        return any(
            self._is_list(inner, name) or self._is_getter_call(inner, name)
            for inner in self.resolve(node, deep=True)
        )

    def _is_getter_call(self, node: ast.AST, name: ListName) -> bool:
        """Whether a node is ``getattr(c.JupyterHub, name)`` or ``c.JupyterHub.get(name)``."""
        match node:
            case (
                ast.Call(func=ast.Attribute(value=owner), args=items)
                | ast.Call(args=[owner, *_] as items)
            ):
                return any(_is_string(item, name) for item in items) and self._is_hub(owner)
        return False


def grants_scope(code: str, scope: str) -> bool:
    """Whether code contains this scope, or builds one from a service's name."""
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


def is_template(tree: ast.AST) -> bool:
    """Whether the tree contains ``{{ x }}``: in Python a set of a set, which cannot exist."""
    return any(
        isinstance(node, ast.Set) and any(isinstance(item, ast.Set) for item in node.elts)
        for node in ast.walk(tree)
    )


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement binds, with their values."""
    for target, assigned in assignments(node):
        if isinstance(target, ast.Name):
            yield target.id, assigned
    match node:
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name, node
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend")):
            yield from ((name, value) for value in node.args)  # values that are added to a variable


def assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of an assignment with their values; of tuples, each of them."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) or node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        match target, node.value:
            case (
                ast.Tuple(elts=targets) | ast.List(elts=targets),
                ast.Tuple(elts=values) | ast.List(elts=values),
            ) if len(targets) == len(values):
                yield from zip(targets, values, strict=True)
            case ast.Tuple(elts=targets) | ast.List(elts=targets), value:
                yield from ((inner, value) for inner in targets)
            case _:
                yield target, node.value


def dict_entries(node: ast.AST | None) -> dict[str, ast.expr]:
    """The entries of a dict literal, ``{...}`` or ``dict(...)``."""
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            return {keyword.arg: keyword.value for keyword in keywords if keyword.arg}
    return {}


def is_member(node: ast.AST, name: str) -> bool:
    """Whether a node is ``x.name`` or ``x["name"]``."""
    match node:
        case ast.Attribute(attr=member) | ast.Subscript(slice=ast.Constant(value=member)):
            return bool(member == name)
    return False


def _is_string(node: ast.AST, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _mentions(node: ast.AST, name: str) -> bool:
    """Whether the tree contains ``x.name``, ``x["name"]`` or the text."""
    return any(is_member(inner, name) or _is_string(inner, name) for inner in ast.walk(node))


def _compares_with_user(test: ast.expr) -> bool:
    """Whether a condition compares a value, such as a role's name, with "user"."""
    return any(
        isinstance(node, ast.Compare)
        and [*map(type, node.ops)] == [ast.Eq]
        and any(_is_string(side, "user") for side in (node.left, *node.comparators))
        and any(_mentions(side, "name") for side in (node.left, *node.comparators))
        for node in ast.walk(test)
    )


def _assigned_scopes(body: list[ast.stmt]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The x and the y of each ``x["scopes"] = y``."""
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and is_member(target, "scopes"):
                    yield target.value, node.value
