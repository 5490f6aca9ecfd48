"""Every fault of Intuit's by its number, for those that a client cannot bring about by itself.

Sources: Intuit's error-code page and wire captures. What stands in brackets there is a range of numbers; see `faults`.
"""

from typing import Final, NamedTuple

from counterfoil.quickbooks.emulator.faults import GatewayFaultError, QuickBooksFaultError

VALIDATION: Final = "ValidationFault"
SYSTEM: Final = "SystemFault"


class Known(NamedTuple):
    """Status, type, short and long text; `gateway` is the other shape, with lower-case keys."""

    status: int
    kind: str
    message: str
    detail: str = ""
    gateway: bool = False


_FAILED: Final = Known(401, "AUTHENTICATION", "AuthenticationFailed", "Token expired", gateway=True)
_REFUSED: Final = Known(403, "SERVICE", "ApplicationAuthorizationFailed", gateway=True)
_TIME: Final = Known(400, VALIDATION, "Invalid time activity", "The time activity is inconsistent.")

KNOWN: Final[dict[str, Known]] = {
    "100": Known(401, "AUTHENTICATION", "General Authentication Error", gateway=True),
    "110": _FAILED,
    "120": Known(401, "AUTHENTICATION", "AuthorizationFailure", "-11014", gateway=True),
    "130": Known(403, "SERVICE", "Wrong Cluster", "The company has moved to another cluster.", gateway=True),
    "140": Known(403, "SERVICE", "Company Locked Out", "The company is locked.", gateway=True),
    "150": Known(403, "SERVICE", "Company Under Maintenance", "Try again later.", gateway=True),
    "500": Known(400, VALIDATION, "Unsupported Operation", "Operation is not supported."),
    "600": Known(400, VALIDATION, "Duplicate Request Id", "The request id was used before."),
    "610": Known(400, VALIDATION, "Object Not Found", "Object Not Found"),
    "620": Known(400, VALIDATION, "Transaction cannot be linked"),
    "800": Known(400, VALIDATION, "Cannot delete", "The record is used and cannot be deleted."),
    "1040": Known(400, VALIDATION, "Batch too large"),
    "2010": Known(400, VALIDATION, "Request has invalid or unsupported property"),
    "2020": Known(400, VALIDATION, "Required param missing, need to supply the required value for the API"),
    "2030": Known(400, VALIDATION, "Invalid ID"),
    "2040": Known(400, VALIDATION, "Invalid String"),
    "2050": Known(400, VALIDATION, "String length is either shorter or longer than supported by specification"),
    "2060": Known(400, VALIDATION, "Invalid Date"),
    "2090": Known(400, VALIDATION, "Invalid Number"),
    "2130": Known(400, VALIDATION, "Invalid Request Id"),
    "2170": Known(400, VALIDATION, "Invalid Enumeration"),
    "2200": Known(400, VALIDATION, "Invalid URL"),
    "2210": Known(400, VALIDATION, "Invalid Email Address format"),
    "2220": Known(400, VALIDATION, "Invalid Currency"),
    "2230": Known(400, VALIDATION, "Invalid Boolean"),
    "2250": Known(400, VALIDATION, "Line items are missing"),
    "2260": Known(400, VALIDATION, "PostingType is missing"),
    "2290": Known(400, VALIDATION, "Invalid Amount", "The amount must be greater than zero."),
    "2300": Known(400, VALIDATION, "Please balance your debits and credits."),
    "2500": Known(400, VALIDATION, "Invalid Reference Id"),
    "3001": Known(
        429, "SERVICE", "ThrottleExceeded", "The request limit was reached.  Try again later", gateway=True
    ),
    "3100": _REFUSED,
    "3200": _FAILED,
    "4000": Known(400, VALIDATION, "Error parsing query"),
    "4001": Known(400, VALIDATION, "Invalid query"),
    "4002": Known(400, VALIDATION, "Error processing query", "QueryProcessingError: a record cannot be shown."),
    "5010": Known(400, VALIDATION, "Stale Object Error"),
    "5020": Known(400, VALIDATION, "Permission Denied Error", "Permission Denied Error : You do not have permission."),
    "5030": Known(400, VALIDATION, "Feature Not Supported Error", "The feature is not part of this subscription."),
    "6000": Known(
        400,
        VALIDATION,
        "A business validation error has occurred while processing your request",
        "Business Validation Error: another user was trying to change the same items at exactly the same time.",
    ),
    "6030": Known(400, VALIDATION, "Upload too large"),
    "6040": Known(400, VALIDATION, "Attachable error"),
    "6050": Known(400, VALIDATION, "Attachable error", "The kind of file is not supported."),
    "6070": Known(400, VALIDATION, "Amount calculation incorrect in the request"),
    "6100": Known(400, VALIDATION, "Invalid Tax Code"),
    "6140": Known(400, VALIDATION, "Duplicate Document Number Error"),
    "6180": Known(400, VALIDATION, "Nesting too deep"),
    "6190": Known(
        400, VALIDATION, "Invalid Company Status", "Subscription period has ended or there was a billing problem"
    ),
    "6200": Known(400, VALIDATION, "Account Period Closed"),
    "6210": Known(400, VALIDATION, "Account Period Closed, Cannot Update Through Services API"),
    "6220": Known(400, VALIDATION, "Cannot deactivate", "The balance is not zero."),
    "6240": Known(400, VALIDATION, "Duplicate Name Exists Error"),
    **dict.fromkeys((str(number) for number in range(6290, 6391, 10)), _TIME),
    "6430": Known(400, VALIDATION, "Invalid account type"),
    "6450": Known(400, VALIDATION, "Cannot void", "The card payment has been settled and cannot be voided."),
    "6540": Known(400, VALIDATION, "Deposited Transaction cannot be changed", "It is part of a deposit."),
    "10000": Known(
        500, SYSTEM, "An application error has occurred while processing your request", "System Failure Error: injected"
    ),
    "10100": Known(500, SYSTEM, "Result too big", "The result is larger than the service can answer."),
    "10200": Known(500, SYSTEM, "Company was reset", "The data of the company have been reset."),
}  # fmt: skip


def known_fault(
    code: str, *, status: int | None, detail: str, element: str
) -> GatewayFaultError | QuickBooksFaultError:
    """The fault of a number, with another status, detail or element where they are given.

    Raises:
        KeyError: the number is none of Intuit's.
    """
    known = KNOWN[code]
    if known.gateway:
        return GatewayFaultError(
            status or known.status, known.message, code.zfill(6), known.kind, detail or known.detail or None
        )
    return QuickBooksFaultError(
        code, known.message, detail or known.detail, element=element, status=status or known.status, kind=known.kind
    )
