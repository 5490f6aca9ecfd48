"""What the account says when it refuses."""


class PortalError(Exception):
    """A request that the account refuses: HTTP status, message, category and details as HubSpot words them."""

    def __init__(
        self,
        status: int,
        message: str,
        category: str = "VALIDATION_ERROR",
        errors: list[dict[str, object]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.errors = errors or []
