"""The Gusto source has the form that the engine asks for. Checked by mypy and pyright; never run."""

from counterfoil.sources import SourceAdapter, SourceFactory
from counterfoil_adapters.gusto.adapter import GustoSource
from counterfoil_adapters.gusto.tokens import Load, Store, TokenPair


async def keep(pair: TokenPair) -> None: ...


async def last() -> TokenPair | None: ...


def forms(source: GustoSource) -> tuple[SourceFactory, SourceAdapter, Store, Load]:
    """Each assignment is a check."""
    return GustoSource, source, keep, last
