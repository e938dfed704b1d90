"""What an expression may do: one closure for each kind of node, and nothing for any other.

There is nothing to break out of: no calls, no attributes of Python objects, no code that is generated. `a.b` and
`a["b"]` look a name up in data and nowhere else, so `.items` is the key "items".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from jinja2 import nodes

from bot.core.model.values import Value
from bot.core.template.filters import FILTERS, TESTS
from bot.core.template.limits import TemplateError, capped, text_of, whole
from bot.core.template.scope import LOOKUP, Evaluate, Scope, did_you_mean


def path_of(node: nodes.Expr) -> tuple[str, tuple[str | int, ...]] | None:
    """Root name and constant keys of a chain of look-ups; None for any other expression."""
    keys: list[str | int] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            key: object = node.attr
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            key = node.arg.value
        else:
            return None
        if isinstance(key, str) and key.startswith("_"):
            raise TemplateError(f"`{key}` begins with `_`", "names that begin with `_` cannot be read")
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise TemplateError(f"`{key!r}` is no name and no index", "write a name or a whole number")
        keys.append(key)
        node = node.node
    if node.name.startswith("_"):
        raise TemplateError(f"`{node.name}` begins with `_`", "names that begin with `_` cannot be read")
    return node.name, tuple(reversed(keys))


def compile_node(node: nodes.Expr, traced: bool) -> Evaluate:
    """A closure that computes `node`. The table is the whole language."""
    path = path_of(node)
    if path is not None:
        return _lookup(*path, traced)
    maker = _NODES.get(type(node))
    if maker is None:
        raise TemplateError(_NEVER.get(type(node), f"{type(node).__name__} is no part of this language"), _INSTEAD)
    return maker(node, traced)


_INSTEAD: Final = "use look-ups, comparisons, `and or not`, `a if b else c`, `~` and the filters that README.md lists"
_NEVER: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Call: "templates cannot call anything",
    nodes.Pow: "`**` is not allowed",
    nodes.Div: "`/` makes floats",
    nodes.Slice: "slices are not allowed",
}


def _lookup(root: str, keys: tuple[str | int, ...], traced: bool) -> Evaluate:
    if traced:
        return lambda scope: scope.read(root, keys)  # type: ignore[attr-defined]  # run over Traced only
    # The lengths that occur are written out: a loop here costs a third of a whole render.
    match keys:
        case ():
            return lambda scope: scope[root]
        case (a,):
            return lambda scope: scope[root][a]  # type: ignore[index]  # see LOOKUP
        case (a, b):
            return lambda scope: scope[root][a][b]  # type: ignore[index]
        case _:

            def chain(scope: Scope) -> Value:
                value = scope[root]
                for key in keys:
                    value = value[key]  # type: ignore[index]
                return value

            return chain


def _getitem(node: nodes.Getitem, traced: bool) -> Evaluate:
    if isinstance(node.arg, nodes.Slice):
        raise TemplateError(_NEVER[nodes.Slice], _INSTEAD)
    base, arg = compile_node(node.node, traced), compile_node(node.arg, traced)

    def run(scope: Scope) -> Value:
        where, key = base(scope), arg(scope)
        try:
            return where[key]  # type: ignore[index]
        except LOOKUP:
            raise TemplateError(f"{key!r} is not there", "test with `in` first, or use `default`") from None

    return run


def _getattr(node: nodes.Getattr, traced: bool) -> Evaluate:
    return _getitem(nodes.Getitem(node.node, nodes.Const(node.attr), "load"), traced)


def _const(node: nodes.Const, traced: bool) -> Evaluate:  # noqa: ARG001
    value = node.value
    if isinstance(value, float):
        raise TemplateError("floats are not exact", 'write a decimal as text: "0.1"')
    return lambda scope: value  # noqa: ARG005


def _filter(node: nodes.Filter, traced: bool) -> Evaluate:
    if node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None:
        raise TemplateError(f"the filter `{node.name}` takes plain arguments only", "write the arguments in order")
    source, arguments = node.node, [compile_node(arg, traced) for arg in node.args]
    if node.name == "default":
        return _default(source, arguments, traced)
    function = FILTERS.get(node.name)
    if function is None:
        raise TemplateError(f"there is no filter `{node.name}`", did_you_mean(node.name, FILTERS))
    value = compile_node(source, traced)
    if not arguments:
        return lambda scope: function(value(scope))
    if len(arguments) == 1:
        only = arguments[0]
        return lambda scope: function(value(scope), only(scope))
    return lambda scope: function(value(scope), *[argument(scope) for argument in arguments])


def _default(source: nodes.Expr, arguments: list[Evaluate], traced: bool) -> Evaluate:
    if path_of(source) is None or len(arguments) != 1:
        raise TemplateError(
            "`default` stands behind a plain look-up and takes one argument", "write `a.b | default(c)`"
        )
    value, other = compile_node(source, traced), arguments[0]

    def run(scope: Scope) -> Value:
        try:
            found = value(scope)
        except (*LOOKUP, TemplateError):
            return other(scope)
        return other(scope) if found is None else found

    return run


def _test(node: nodes.Test, traced: bool) -> Evaluate:
    if node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None:
        raise TemplateError(f"the test `{node.name}` takes plain arguments only", "write the arguments in order")
    value = compile_node(node.node, traced)
    if node.name == "defined":
        if path_of(node.node) is None:
            raise TemplateError("`is defined` stands behind a plain look-up", "write `a.b is defined`")
        return _defined(value)
    function = TESTS.get(node.name)
    if function is None:
        raise TemplateError(f"there is no test `{node.name}`", did_you_mean(node.name, TESTS))
    arguments = [compile_node(arg, traced) for arg in node.args]
    return lambda scope: function(value(scope), *[argument(scope) for argument in arguments])


def _defined(value: Evaluate) -> Evaluate:
    def run(scope: Scope) -> bool:
        try:
            value(scope)
        except (*LOOKUP, TemplateError):
            return False
        return True

    return run


_COMPARE: Final[Mapping[str, Callable[[Value, Value], bool]]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: whole(a) < whole(b),
    "lteq": lambda a, b: whole(a) <= whole(b),
    "gt": lambda a, b: whole(a) > whole(b),
    "gteq": lambda a, b: whole(a) >= whole(b),
    "in": lambda a, b: a in b,  # type: ignore[operator]  # a kind without members is one of LOOKUP
    "notin": lambda a, b: a not in b,  # type: ignore[operator]
}


def _compare(node: nodes.Compare, traced: bool) -> Evaluate:
    if len(node.ops) != 1:
        raise TemplateError("comparisons cannot be chained", "join two with `and`")
    left, right = compile_node(node.expr, traced), compile_node(node.ops[0].expr, traced)
    compare = _COMPARE[node.ops[0].op]
    return lambda scope: compare(left(scope), right(scope))


def _and(node: nodes.And, traced: bool) -> Evaluate:
    left, right = compile_node(node.left, traced), compile_node(node.right, traced)
    return lambda scope: left(scope) and right(scope)


def _or(node: nodes.Or, traced: bool) -> Evaluate:
    left, right = compile_node(node.left, traced), compile_node(node.right, traced)
    return lambda scope: left(scope) or right(scope)


def _not(node: nodes.Not, traced: bool) -> Evaluate:
    inner = compile_node(node.node, traced)
    return lambda scope: not inner(scope)


_ARITHMETIC: Final[Mapping[type[nodes.Node], Callable[[int, int], int]]] = {
    nodes.Add: lambda a, b: a + b,
    nodes.Sub: lambda a, b: a - b,
    nodes.Mul: lambda a, b: a * b,
    nodes.FloorDiv: lambda a, b: a // b,
    nodes.Mod: lambda a, b: a % b,
}


def _arithmetic(node: nodes.BinExpr, traced: bool) -> Evaluate:
    left, right, operate = compile_node(node.left, traced), compile_node(node.right, traced), _ARITHMETIC[type(node)]

    def run(scope: Scope) -> int:
        try:
            return whole(operate(whole(left(scope)), whole(right(scope))))
        except ZeroDivisionError:
            raise TemplateError("a division by zero", "test the divisor first") from None

    return run


def _negative(node: nodes.Neg, traced: bool) -> Evaluate:
    inner = compile_node(node.node, traced)
    return lambda scope: -whole(inner(scope))


def _concat(node: nodes.Concat, traced: bool) -> Evaluate:
    parts = [compile_node(part, traced) for part in node.nodes]
    return lambda scope: capped("".join([text_of(part(scope)) for part in parts]))


def _condition(node: nodes.CondExpr, traced: bool) -> Evaluate:
    if node.expr2 is None:
        raise TemplateError("`a if b` lacks its `else`", "write `a if b else c`")
    test, yes, no = (compile_node(part, traced) for part in (node.test, node.expr1, node.expr2))
    return lambda scope: yes(scope) if test(scope) else no(scope)


def _list(node: nodes.List | nodes.Tuple, traced: bool) -> Evaluate:
    items = [compile_node(item, traced) for item in node.items]
    return lambda scope: [item(scope) for item in items]


def _dict(node: nodes.Dict, traced: bool) -> Evaluate:
    pairs: list[tuple[str, Evaluate]] = []
    for pair in node.items:
        if not (isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str)):
            raise TemplateError("a key of `{…}` is not plain text", 'write `{"key": value}`')
        pairs.append((pair.key.value, compile_node(pair.value, traced)))
    return lambda scope: {key: value(scope) for key, value in pairs}


_NODES: Final[Mapping[type[nodes.Node], Callable[..., Evaluate]]] = {
    nodes.Const: _const,
    nodes.Getattr: _getattr,
    nodes.Getitem: _getitem,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Compare: _compare,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.Add: _arithmetic,
    nodes.Sub: _arithmetic,
    nodes.Mul: _arithmetic,
    nodes.FloorDiv: _arithmetic,
    nodes.Mod: _arithmetic,
    nodes.Neg: _negative,
    nodes.Concat: _concat,
    nodes.CondExpr: _condition,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _dict,
}
