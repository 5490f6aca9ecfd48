"""An emulated Gusto, stateful and over real sockets, written from Gusto's documentation."""

from counterfoil_adapters.gusto.emulator.command import serve
from counterfoil_adapters.gusto.emulator.server import EmulatorOptions, GustoEmulator

__all__ = ["EmulatorOptions", "GustoEmulator", "serve"]
