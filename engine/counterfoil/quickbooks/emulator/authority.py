"""A throw-away certificate authority that vouches for Intuit's names too."""

from datetime import datetime

from counterfoil.emulating import authority
from counterfoil.emulating.authority import Authority

__all__ = ["INTUIT_HOSTS", "Authority", "throw_away_authority"]

# So that a client whose addresses are fixed can be sent here by its resolver alone.
INTUIT_HOSTS = (
    "accounts.platform.intuit.com",
    "appcenter.intuit.com",
    "developer.api.intuit.com",
    "developer.intuit.com",
    "oauth.platform.intuit.com",
    "quickbooks.api.intuit.com",
    "sandbox-accounts.platform.intuit.com",
    "sandbox-quickbooks.api.intuit.com",
)


def throw_away_authority(host: str, now: datetime) -> Authority:
    """An authority of this run, and a certificate of its own for a host, for localhost and for Intuit's names."""
    return authority.throw_away_authority(host, now, INTUIT_HOSTS)
