"""A HubSpot account to test against: `counterfoil emulator hubspot`, or in process as `HubSpotEmulator`."""

from counterfoil_adapters.hubspot.emulator.command import serve
from counterfoil_adapters.hubspot.emulator.server import EmulatorOptions, HubSpotEmulator

__all__ = ["EmulatorOptions", "HubSpotEmulator", "serve"]
