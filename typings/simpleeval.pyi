# The part of simpleeval that is used; it ships without types.

import ast
from collections.abc import Callable, Mapping

class SimpleEval:
    def __init__(
        self,
        operators: Mapping[type[ast.AST], Callable[..., object]] | None = ...,
        functions: Mapping[str, Callable[..., object]] | None = ...,
        names: Mapping[str, object] | None = ...,
    ) -> None: ...
    def eval(self, expr: str, previously_parsed: ast.AST | None = ...) -> object: ...
