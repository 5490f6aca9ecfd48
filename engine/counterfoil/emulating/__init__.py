"""What the emulators of sources have in common; a source's own is left to write."""

from counterfoil.emulating.clock import ShiftedClock
from counterfoil.emulating.command import EmulatorOptions, options_from, serve_until_stopped
from counterfoil.emulating.deliveries import Deliveries, Signing
from counterfoil.emulating.faults import Fault, FaultError, FaultPlan
from counterfoil.emulating.ids import Ids
from counterfoil.emulating.limits import Window
from counterfoil.emulating.server import BadRequestError, VendorEmulator, answer, body_of

__all__ = [
    "BadRequestError",
    "Deliveries",
    "EmulatorOptions",
    "Fault",
    "FaultError",
    "FaultPlan",
    "Ids",
    "ShiftedClock",
    "Signing",
    "VendorEmulator",
    "Window",
    "answer",
    "body_of",
    "options_from",
    "serve_until_stopped",
]
