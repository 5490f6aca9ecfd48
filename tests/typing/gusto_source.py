"""The Gusto source has the form that the engine asks for. Checked by mypy and pyright; never run."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from counterfoil.sources import SourceAdapter, SourceContext
from counterfoil_adapters.gusto.adapter import GustoSource


def form(source: GustoSource) -> SourceAdapter:
    """An open source is an adapter."""
    return source


factory: Callable[[SourceContext], AbstractAsyncContextManager[SourceAdapter]] = GustoSource
