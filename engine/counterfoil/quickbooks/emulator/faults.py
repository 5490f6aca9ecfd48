"""What the emulator answers when it refuses: Intuit's codes, texts, and its two fault shapes.

Sources: Intuit's error-code page and wire captures. Where Intuit names a code only as part of a range
(2060 to 2250), the number within the range is this module's choice, in one place.
"""

from counterfoil_schema.exact_json import JsonObject

INACTIVE_TEXT = (
    "Object Not Found : Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)


class QuickBooksFaultError(Exception):
    """A refusal by the accounting service.

    Args:
        code: Intuit's number, as a string.
        message: the short text.
        detail: the long text.
        element: the property at fault, if one is.
        status: the HTTP status when the fault is the whole answer.
        kind: ValidationFault, SystemFault, AuthenticationFault.
    """

    def __init__(
        self,
        code: str,
        message: str,
        detail: str = "",
        *,
        element: str = "",
        status: int = 400,
        kind: str = "ValidationFault",
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail or message
        self.element = element
        self.status = status
        self.kind = kind

    def body(self) -> JsonObject:
        """The value of `Fault` in an answer or in a batch item."""
        error: JsonObject = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element:
            error["element"] = self.element
        return {"Error": [error], "type": self.kind}


def gateway_body(message: str, code: str, detail: str | None, kind: str, *, epoch_ms: int) -> JsonObject:
    """The gateway's other shape: lower-case keys, time in milliseconds, many nulls."""
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {
            "error": [{"message": message, "detail": detail, "code": code, "element": None}],
            "type": kind,
        },
        "report": None,
        "queryResponse": None,
        "batchItemResponse": [],
        "attachableResponse": [],
        "syncErrorResponse": None,
        "requestId": None,
        "time": epoch_ms,
        "status": None,
        "cdcresponse": [],
    }


class GatewayFaultError(Exception):
    """A refusal before the accounting service is reached: token, application, throttle."""

    def __init__(self, status: int, name: str, number: str, kind: str, detail: str | None) -> None:
        super().__init__(f"{status} {name}")
        self.status = status
        self.name = name
        self.number = number
        self.kind = kind
        self.detail = detail

    def body(self, epoch_ms: int) -> JsonObject:
        message = f"message={self.name}; errorCode={self.number}; statusCode={self.status}"
        return gateway_body(message, str(int(self.number)), self.detail, self.kind, epoch_ms=epoch_ms)


def token_refused(detail: str = "Token expired") -> GatewayFaultError:
    return GatewayFaultError(401, "AuthenticationFailed", "003200", "AUTHENTICATION", detail)


def realm_refused() -> GatewayFaultError:
    return GatewayFaultError(403, "ApplicationAuthorizationFailed", "003100", "SERVICE", None)


def throttled() -> GatewayFaultError:
    return GatewayFaultError(
        429, "ThrottleExceeded", "003001", "SERVICE", "The request limit was reached.  Try again later"
    )


def unsupported_operation(what: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("500", "Unsupported Operation", f"Operation {what} is not supported.")


def duplicate_request(detail: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("600", "Duplicate Request Id", detail, element="requestid")


def too_big(detail: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("10100", "Result too big", detail, status=500, kind="SystemFault")


def unsupported_property(name: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:{name} specified is unsupported or invalid",
        element=name,
    )


def required(name: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        element=name,
    )


def bad_id(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "2030", "Invalid ID", f"Id should be a valid number. Supplied value:{value}", element=name
    )


def bad_string(name: str, why: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("2040", "Invalid String", f"{name} {why}", element=name)


def bad_length(name: str, maximum: int, supplied: int) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "2050",
        "String length is either shorter or longer than supported by specification",
        f"String length specified does not match the supported length. Min:0 Max:{maximum} supported. "
        f"Supplied length:{supplied}",
        element=name,
    )


def bad_date(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "2060", "Invalid Date", f"Date must be yyyy-MM-dd. Supplied value:{value}", element=name
    )


def bad_number(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("2090", "Invalid Number", f"Invalid Number : {value}", element=name)


def bad_enum(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("2170", "Invalid Enumeration", f"Invalid Enumeration : {value}", element=name)


def bad_url(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("2200", "Invalid URL", f"Invalid URL : {value}", element=name)


def bad_email(name: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "2210",
        "Invalid Email Address format",
        "Email Address must contain @ and . in the e-mail address.",
        element=name,
    )


def bad_currency(value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("2220", "Invalid Currency", f"Invalid Currency : {value}", element="CurrencyRef")


def bad_boolean(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("2230", "Invalid Boolean", f"Invalid Boolean : {value}", element=name)


def lines_missing() -> QuickBooksFaultError:
    return QuickBooksFaultError("2250", "Line items are missing", "At least one line item is required", element="Line")


def negative_amount(name: str = "Amount") -> QuickBooksFaultError:
    return QuickBooksFaultError("2290", "Invalid Amount", "The amount must be greater than zero.", element=name)


def bad_reference(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "2500", "Invalid Reference Id", f"Invalid Reference Id : {name} element id {value} not found", element=name
    )


def not_found(detail: str = INACTIVE_TEXT) -> QuickBooksFaultError:
    return QuickBooksFaultError("610", "Object Not Found", detail)


def cannot_link(detail: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("620", "Transaction cannot be linked", detail)


def cannot_delete(detail: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("800", "Cannot delete", detail)


def switched_off(feature: str, element: str) -> QuickBooksFaultError:
    detail = f"Feature Not Supported Error : {feature} is turned off for this company."
    return QuickBooksFaultError("5030", "Feature Not Supported Error", detail, element=element)


def settled_card() -> QuickBooksFaultError:
    return QuickBooksFaultError("6450", "Cannot void", "The card payment has been settled and cannot be voided.")


def deposited(detail: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("6540", "Deposited Transaction cannot be changed", detail)


# The numbers of time activities are documented as a range, 6290 to 6390; which is which is this module's choice.
def both_workers() -> QuickBooksFaultError:
    detail = "A time activity names an employee or a vendor, not both."
    return QuickBooksFaultError("6290", "Invalid time activity", detail, element="NameOf")


def bad_hours(name: str, value: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("6310", "Invalid time activity", f"{name} out of range : {value}", element=name)


def ends_before_start() -> QuickBooksFaultError:
    detail = "The start time is later than the end time."
    return QuickBooksFaultError("6350", "Invalid time activity", detail, element="EndTime")


def stale() -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "5010",
        "Stale Object Error",
        "Stale Object Error : You and another user were working on this at the same time. "
        "They finished before you did, so your work was not saved.",
    )


def business(detail: str, *, element: str = "") -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "6000", "A business validation error has occurred while processing your request", detail, element=element
    )


def amount_mismatch(supplied: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "6070",
        "Amount calculation incorrect in the request",
        f"Amount calculation incorrect in the request : Amount is not equal to UnitPrice * Qty. "
        f"Supplied value:{supplied}",
        element="Line.Amount",
    )


def duplicate_number(number: str, entity: str, identifier: str) -> QuickBooksFaultError:
    return QuickBooksFaultError(
        "6140",
        "Duplicate Document Number Error",
        "Duplicate Document Number Error : You must specify a different number. This number has already been "
        f"used. DocNumber={number} is assigned to TxnType={entity} with TxnId={identifier}",
        element="DocNumber",
    )


def duplicate_name(*, party: bool) -> QuickBooksFaultError:
    what = (
        "Another customer, vendor or employee is already using this name. Please use a different name."
        if party
        else "Another record of this kind is already using this name. Please use a different name."
    )
    return QuickBooksFaultError("6240", "Duplicate Name Exists Error", f"The name supplied already exists. : {what}")


def period_closed(code: str) -> QuickBooksFaultError:
    if code == "6200":
        return QuickBooksFaultError("6200", "Account Period Closed", "The account period has closed.")
    return QuickBooksFaultError(
        "6210",
        "Account Period Closed, Cannot Update Through Services API",
        "The account period has closed and the account books cannot be updated through through the QBO Services API. "
        "Please use the QBO website to make these changes.",
    )


def upload_too_large(most: int) -> QuickBooksFaultError:
    return QuickBooksFaultError("6030", "Upload too large", f"An upload may hold no more than {most} bytes.")


def wrong_account(detail: str, element: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("6430", "Invalid account type", detail, element=element)


def syntax(detail: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("4000", "Error parsing query", detail)


def invalid_query(detail: str) -> QuickBooksFaultError:
    return QuickBooksFaultError("4001", "Invalid query", f"QueryValidationError: {detail}")
