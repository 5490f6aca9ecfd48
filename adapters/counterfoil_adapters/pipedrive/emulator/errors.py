"""Refusals in Pipedrive's form."""

from counterfoil.emulating import BadRequestError

INFO = "Please check developers.pipedrive.com for more information about Pipedrive API."


def refusal(message: str, status: int = 400, *, code: str | None = None) -> BadRequestError:
    """What Pipedrive answers; `code` is there for some refusals only."""
    return BadRequestError(message, status=status, body=body_of_refusal(message, status, code))


def body_of_refusal(message: str, status: int, code: str | None = None) -> dict[str, object]:
    """The body alone."""
    more = {"code": code} if code is not None else {}
    return {"success": False, "error": message, "errorCode": status, "error_info": INFO, "data": None, **more}
