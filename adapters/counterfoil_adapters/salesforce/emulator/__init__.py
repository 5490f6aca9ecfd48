"""A Salesforce org to test against: `counterfoil emulator salesforce`, or in process as `SalesforceEmulator`."""

from counterfoil_adapters.salesforce.emulator.command import serve
from counterfoil_adapters.salesforce.emulator.server import SalesforceEmulator, SalesforceOptions

__all__ = ["SalesforceEmulator", "SalesforceOptions", "serve"]
