"""Questions about pieces of Python's syntax tree."""

import ast
from collections.abc import Iterator


def bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement binds, and to what."""
    for target, assigned in assignments(node):
        if isinstance(target, ast.Name):
            yield target.id, assigned
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name, node
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.attr in ("append", "extend")
    ):  # what is added to a variable
        for value in node.args:
            yield node.func.value.id, value


def assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of an assignment with their values; of tuples, each of them."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) or node.value is None:
        return
    value = node.value
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if not isinstance(target, (ast.Tuple, ast.List)):
            yield target, value
            continue
        values = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        if len(values) != len(target.elts):
            values = [value] * len(target.elts)
        yield from zip(target.elts, values, strict=True)


def dict_entries(node: ast.AST | None) -> dict[str, ast.expr]:
    """The entries of a dict that is written out, as ``{...}`` or ``dict(...)``."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    return {}


def is_member(node: ast.AST, name: str) -> bool:
    """Whether it is ``x.name`` or ``x["name"]``."""
    if isinstance(node, ast.Attribute):
        return node.attr == name
    return isinstance(node, ast.Subscript) and is_string(node.slice, name)


def is_string(node: ast.AST, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def begins_with_string(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) and isinstance([*node.values, None][0], ast.Constant)


def is_copy(call: ast.Call) -> bool:
    kinds = ("list", "set", "sorted", "tuple")
    return isinstance(call.func, ast.Name) and call.func.id in kinds and not call.keywords


def mentions(node: ast.AST, name: str) -> bool:
    """Whether ``x.name``, ``x["name"]`` or the text is somewhere within."""
    return any(is_member(inner, name) or is_string(inner, name) for inner in ast.walk(node))


def compares_with_user(test: ast.expr) -> bool:
    """Whether a condition is that something, such as a role's name, is "user"."""
    return any(
        isinstance(node, ast.Compare)
        and len(node.ops) == 1
        and isinstance(node.ops[0], ast.Eq)
        and any(is_string(side, "user") for side in (node.left, *node.comparators))
        and any(mentions(side, "name") for side in (node.left, *node.comparators))
        for node in ast.walk(test)
    )


def assigned_scopes(body: list[ast.stmt], *, any_role: bool) -> Iterator[ast.expr]:
    """Values of ``x["scopes"] = ...``, of any ``x`` or of ``y["user"]`` alone."""
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if not isinstance(target, ast.Subscript) or not is_member(target, "scopes"):
                continue
            if any_role or is_member(target.value, "user"):
                yield node.value


def is_template(tree: ast.AST) -> bool:
    """Whether ``{{ x }}`` is somewhere: for Python a set of a set, which there is none of."""
    return any(
        isinstance(node, ast.Set) and any(isinstance(item, ast.Set) for item in node.elts)
        for node in ast.walk(tree)
    )
