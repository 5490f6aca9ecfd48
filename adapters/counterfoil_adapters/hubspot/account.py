"""What must be true of an account before its records are read: that it is the configured one, and has what is named."""

from collections.abc import Iterable

from counterfoil.sources import RefusedError, SourceError, unknown_name_error
from counterfoil_adapters.hubspot.client import HubSpotClient
from counterfoil_adapters.hubspot.settings import HubSpotSettings

DEALS = "deals"
UNTOLD = frozenset({403, 404})


class AccountCheck:
    """Looks once; what is wrong is looked at again the next time.

    Args:
        read: properties of deals that the settings name.
    """

    def __init__(self, client: HubSpotClient, settings: HubSpotSettings) -> None:
        self._client = client
        self._portal_id = settings.portal_id
        named = (settings.number_property, settings.due_property, settings.rate_property)
        self._read: Iterable[str] = [name for name in named if name]
        self._is_known = False

    async def check(self) -> None:
        """See that token and settings belong together.

        Raises:
            UnknownNameError: deals have no property of a name that the settings have; HubSpot would pass over it.
            SourceError: the token opens another account, or HubSpot cannot be asked now.
        """
        if self._is_known:
            return
        await self._same_account()
        if self._read:
            known = await self._client.properties(DEALS)
            for name in self._read:
                if name not in known:
                    fix = "Correct it in the mapping or the connection's settings, or make it in HubSpot."
                    raise unknown_name_error("HubSpot has no property of deals called", name, known, fix)
        self._is_known = True

    async def _same_account(self) -> None:
        if self._portal_id is None:
            return
        try:
            found = await self._client.portal_id()
        except RefusedError as refused:
            if refused.status in UNTOLD:
                return  # a token may be kept from asking; then webhooks alone are held against portal_id
            raise
        if found != self._portal_id:
            raise SourceError(
                f"The token opens the HubSpot account {found}, not {self._portal_id}. Nothing was read.",
                remedy="Give the token of the configured account, or correct portal_id.",
            )
