"""Expressions in templates: Jinja's grammar, read into closures of our own. Only the parser is Jinja's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from bot.core.template.closures import compile_node, path_of
from bot.core.template.limits import TemplateError
from bot.core.template.scope import Evaluate

# Statements and comments are no part of the language: their delimiters hold a character that no template may hold.
_GRAMMAR: Final = Environment(
    block_start_string="\x00%",
    block_end_string="%\x00",
    comment_start_string="\x00#",
    comment_end_string="#\x00",
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701  Nothing is rendered by Jinja; its parser is all that is used.
)


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression, ready to run."""

    source: str
    run: Evaluate
    """The fast form: a name that is missing raises one of LOOKUP."""
    trace: Evaluate
    """The same over a `Traced` scope: everything that goes wrong is a TemplateError in words."""
    path: tuple[str, tuple[str | int, ...]] | None
    """Root and keys, where the whole expression is one look-up."""
    parts: frozenset[str]
    """The names x of all `parts.x` in it."""
    lines_of: str | None
    """The name x, where the whole expression is `parts.x | tojson_lines`."""


def read_expression(source: str) -> Expression:
    """The expression that is all of `source`. TemplateError where it is not one, or does what templates may not."""
    found = read_text("{{" + source + "}}")
    if len(found) != 1 or isinstance(found[0], str):
        raise TemplateError("this is not one expression", "write one expression without `{{` and `}}`")
    return found[0]


def read_text(text: str) -> tuple[str | Expression, ...]:
    """The literal and computed parts of a scalar, in order."""
    try:
        tree = _GRAMMAR.parse(text)
    except TemplateSyntaxError as error:
        raise TemplateError(
            f"the expression cannot be read: {error.message}", "check brackets, quotes and operators"
        ) from None
    except RecursionError:
        raise TemplateError("the expression is nested too deeply", "split it") from None
    parts: list[str | Expression] = []
    for output in tree.body:
        for node in output.iter_child_nodes():
            if isinstance(node, nodes.TemplateData):
                parts.append(node.data)
            elif isinstance(node, nodes.Expr):
                try:
                    parts.append(_expression(text, node))
                except RecursionError:
                    raise TemplateError("the expression is nested too deeply", "split it") from None
    return tuple(parts)


def _expression(source: str, node: nodes.Expr) -> Expression:
    named = {found.attr for found in node.find_all(nodes.Getattr) if _is_parts(found.node)}
    if isinstance(node, nodes.Getattr) and _is_parts(node.node):
        named.add(node.attr)
    return Expression(
        source, compile_node(node, False), compile_node(node, True), path_of(node), frozenset(named), _lines_of(node)
    )


def _lines_of(node: nodes.Expr) -> str | None:
    if not (isinstance(node, nodes.Filter) and node.name == "tojson_lines" and node.node is not None):
        return None
    inner = node.node
    return inner.attr if isinstance(inner, nodes.Getattr) and _is_parts(inner.node) else None


def _is_parts(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "parts"
