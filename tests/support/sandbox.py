"""Whether a realm is one of Intuit's sandbox companies: asked before anything is written."""

from counterfoil.dispatch.limiter import Lane
from counterfoil.quickbooks.online.outcomes import Found
from support.quickbooks_double import Connected


class NotASandboxError(Exception):
    """The sandbox's host does not show this realm's books: nothing was written anywhere."""


async def require_sandbox(quickbooks: Connected) -> None:
    """Read the company's own record at the sandbox's host, which knows sandbox companies only (fault 3100 for others).

    Raises:
        NotASandboxError: it does not show it, or shows another company.
    """
    realm = quickbooks.client.realm.realm_id
    shown = await quickbooks.client.company_info(Lane.LIVE)
    if not isinstance(shown, Found):
        raise NotASandboxError(
            f"Realm {realm} is not shown as a sandbox company, so no journey runs against it: {shown}. "
            "Use Development keys and a company of developer.intuit.com, Sandboxes."
        )
