"""An emulated BambooHR, stateful and over real sockets, written from BambooHR's documentation."""

from counterfoil_adapters.bamboohr.emulator.server import BambooEmulator, serve

__all__ = ["BambooEmulator", "serve"]
