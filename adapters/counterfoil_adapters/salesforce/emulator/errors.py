"""What the org says when it refuses."""

from collections.abc import Sequence

from counterfoil.emulating.server import BadRequestError


class OrgError(BadRequestError):
    """A request that the org refuses: HTTP status, error code, message and fields as Salesforce words them."""

    def __init__(self, code: str, message: str, *, status: int = 400, fields: Sequence[str] = ()) -> None:
        told: dict[str, object] = {"message": message, "errorCode": code}
        # REST answers with a list, whatever went wrong.
        super().__init__(message, status=status, body=[{**told, "fields": list(fields)} if fields else told])
        self.code = code
        self.fields = tuple(fields)

    def inner(self) -> dict[str, object]:
        """As one of the errors of a record in a collection."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}


def not_found(message: str = "The requested resource does not exist") -> OrgError:
    """404 in Salesforce's words."""
    return OrgError("NOT_FOUND", message, status=404)
