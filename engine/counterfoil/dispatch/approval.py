"""Whether a company may send yet: its first run in production only previews, until a person approves it."""

from counterfoil.dispatch.view import ViewLoader
from counterfoil.settings import CompanySettings


def needs_approval(settings: CompanySettings) -> bool:
    """Whether somebody must have approved a company before anything of it goes out."""
    return settings.preview_first or settings.quickbooks.environment == "production"


class Approval:
    """The approval of one company, as the log has it now."""

    def __init__(self, *, needed: bool, view: ViewLoader) -> None:
        self._needed = needed
        self._view = view

    async def is_lacking(self) -> bool:
        """Whether nothing may go out, to the books or back to a source."""
        return self._needed and (await self._view.company()).approved is None
