"""Plain expressions such as `"HS-" + id`, for fields that a mapping derives: arithmetic, text and dates, and no more.

simpleeval walks the tree; before that, everything but a short list of its nodes is refused, so that there is no loop,
no attribute, no import and no power. Numbers are Decimal from the text on; length, depth and results are bounded, so
that the time of an evaluation is, too. The same values always give the same result: there is no clock and no chance.
"""

import ast
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal, DecimalException, localcontext
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from simpleeval import SimpleEval

from counterfoil.planning.expression_functions import FUNCTIONS, OPERATORS, UnfitError, Value

LENGTH_MAX: Final = 500
NODES_MAX: Final = 150
DEPTH_MAX: Final = 30
DIGITS: Final = 50
COMPILED_MAX: Final = 512

_ALLOWED: Final = (
    *(ast.Expression, ast.Expr, ast.Constant, ast.Name, ast.Load, ast.Call, ast.IfExp),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.FloorDiv, ast.UAdd, ast.USub, ast.Not, ast.And, ast.Or),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
)


class ExpressionError(ValueError):
    """An expression that cannot be used, or that comes to nothing for these values; says nothing of the values."""


def checked(text: str) -> str:
    """The expression, if its form is right.

    Raises:
        ExpressionError: with the place inside of the expression and the nearest known name.
    """
    _parsed(text)
    return text


def names_in(text: str) -> frozenset[str]:
    """The names that an expression asks for, without those of functions."""
    tree = _parsed(text)
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called)


def unknown(text: str, known: Collection[str]) -> str | None:
    """A sentence about the first name that is none of these, with the nearest one that is."""
    for name in sorted(names_in(text) - set(known)):
        near = get_close_matches(name, sorted(known), n=1)
        hint = f"did you mean {near[0]}?" if near else "it knows " + ", ".join(sorted(known)) + "."
        return f"there is no {name}; {hint}"
    return None


def evaluate(text: str, values: Mapping[str, Value]) -> Value:
    """What an expression comes to.

    Raises:
        ExpressionError: it comes to nothing: a text is added to a number, something is divided by nothing.
    """
    tree = _parsed(text)
    evaluator = SimpleEval(operators=OPERATORS, functions=FUNCTIONS, names=dict(values))
    try:
        with localcontext() as context:
            context.prec = DIGITS
            found = evaluator.eval(text, previously_parsed=tree)
    except UnfitError as unfit:
        raise ExpressionError(str(unfit)) from None
    except DecimalException:
        raise ExpressionError("its arithmetic has no result") from None
    except (TypeError, ValueError, OverflowError):
        raise ExpressionError("its parts do not go together") from None
    return _value(found)


def _value(found: object) -> Value:
    match found:
        case None | bool() | str() | Decimal() | date():
            return found
        case _:
            raise ExpressionError("it comes to something that is neither text, number, date nor truth")


@lru_cache(maxsize=COMPILED_MAX)
def _parsed(text: str) -> ast.expr:
    if len(text) > LENGTH_MAX:
        raise ExpressionError(f"it has {len(text)} characters, and {LENGTH_MAX} are allowed")
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as wrong:
        raise ExpressionError(f"this is no expression, at its character {wrong.offset or 1}: {wrong.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("this is no expression") from None
    _bounded(tree)
    for node in ast.walk(tree):
        _admit(node)
    return _Numbers(text).visit_expression(tree)


def _bounded(tree: ast.AST) -> None:
    level, depth, nodes = [tree], 0, 0
    while level:
        depth, nodes = depth + 1, nodes + len(level)
        if depth > DEPTH_MAX or nodes > NODES_MAX:
            raise ExpressionError(
                f"it is too long: {NODES_MAX} parts, {DEPTH_MAX} of them inside each other, are allowed"
            )
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def _admit(node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED):
        raise ExpressionError(f"it holds {_called(node)}, which is not for expressions{_at(node)}")
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise ExpressionError(f"only plain functions can be called{_at(node)}")
        name = node.func.id
        if name not in FUNCTIONS:
            near = get_close_matches(name, list(FUNCTIONS), n=1)
            hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(FUNCTIONS) + "."
            raise ExpressionError(f"there is no function {name}{_at(node)}; {hint}")
    if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | bool | None):
        raise ExpressionError(f"it holds a value of a kind that is not for expressions{_at(node)}")


def _at(node: ast.AST) -> str:
    offset = getattr(node, "col_offset", None)
    return f", at its character {offset + 1}" if isinstance(offset, int) else ""


def _called(node: ast.AST) -> str:
    words = {ast.Attribute: "a dot", ast.Subscript: "square brackets", ast.Pow: "a power", ast.Lambda: "a lambda"}
    return words.get(type(node), f"a {type(node).__name__}")


class _Numbers(ast.NodeTransformer):
    """Every number as the Decimal that was written: a float has lost it already."""

    def __init__(self, text: str) -> None:
        self._text = text

    def visit_expression(self, tree: ast.expr) -> ast.expr:
        """The whole tree."""
        visited: object = self.visit(tree)
        if not isinstance(visited, ast.expr):
            raise ExpressionError("this is no expression")
        return visited

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """A number out of its own text."""
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        written = (ast.get_source_segment(self._text, node) or "").replace("_", "")
        try:
            number = Decimal(written)
        except DecimalException:
            raise ExpressionError(f"{written} is no decimal number{_at(node)}") from None
        made = ast.Constant(value=None)
        # The syntax tree knows no Decimal, its walker takes whatever stands there.
        object.__setattr__(made, "value", number)
        return ast.copy_location(made, node)
