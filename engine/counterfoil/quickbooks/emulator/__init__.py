"""An emulator of QuickBooks Online: accounting API, OAuth and webhooks, with Intuit's limits and faults at will.

Written from Intuit's documentation and recorded answers, not from any client.
"""

from counterfoil.quickbooks.emulator.command import serve
from counterfoil.quickbooks.emulator.options import EmulatorOptions, Switches
from counterfoil.quickbooks.emulator.server import QuickBooksEmulator

__all__ = ["EmulatorOptions", "QuickBooksEmulator", "Switches", "serve"]
