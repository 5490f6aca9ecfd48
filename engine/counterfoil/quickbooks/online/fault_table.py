"""The table of Intuit's error codes, as data: code → class, what happened, what to do."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

KindName = Literal["retry", "refetch", "adopt", "reconnect", "pause_realm", "throttled", "regroup", "look_up", "park"]


class FaultRow(NamedTuple):
    """One row: the class by name, plain words, and a remedy."""

    kind: KindName
    plain: str
    fix: str


_RECONNECT_FIX = "Connect QuickBooks again with `counterfoil connect quickbooks`; everything queued is kept."
_DATA_FIX = "Correct the value in the source, or the mapping that produced it, then retry the record."
_REFERENCE_FIX = "Check that the account, customer, item, vendor or employee it names exists and is active."
_BUG_FIX = "This is a fault of the mapping or of this program: report it with the request id."

TRANSIENT_DETAIL: Final = ("at exactly the same time",)
"""Texts under the catch-all 6000 that mean a passing lock rather than a broken rule."""

_TOKEN = FaultRow("reconnect", "QuickBooks does not accept the access token.", _RECONNECT_FIX)
_PERIOD = FaultRow(
    "park",
    "The accounting period of this date is closed.",
    "Ask the bookkeeper to reopen the period, or give the document a date in an open one.",
)
_TIME = FaultRow("park", "The time activity is inconsistent: person, hours, or start and end.", _DATA_FIX)
_ATTACHMENT = FaultRow("park", "The attachment cannot be stored.", "Check its size, name and type, then retry.")
_VALUE = FaultRow("park", "A field holds a value that QuickBooks does not allow.", _DATA_FIX)

FAULT_ROWS: Final[Mapping[str, FaultRow]] = {
    "100": _TOKEN,
    "110": _TOKEN,
    "3200": _TOKEN,
    "120": FaultRow("reconnect", "The connected user may not do this in QuickBooks.", _RECONNECT_FIX),
    "3100": FaultRow(
        "reconnect",
        "This app may not use this QuickBooks company: disconnected, wrong scope, or sandbox keys on a real one.",
        _RECONNECT_FIX,
    ),
    "130": FaultRow("pause_realm", "QuickBooks is moving this company to other servers.", "Wait; work resumes."),
    "140": FaultRow("pause_realm", "The QuickBooks company is locked.", "Open the company in QuickBooks once."),
    "150": FaultRow("pause_realm", "The QuickBooks company is under maintenance.", "Wait; work resumes by itself."),
    "3001": FaultRow("throttled", "Too many calls to this QuickBooks company.", "Wait; sending resumes by itself."),
    "500": FaultRow("park", "QuickBooks does not support this operation for this kind of record.", _BUG_FIX),
    "600": FaultRow("look_up", "The request id was used before.", "The earlier result is looked up."),
    "2130": FaultRow("park", "QuickBooks does not accept the form of the request id.", _BUG_FIX),
    "610": FaultRow(
        "park",
        "A record in the request was deleted, or something that it uses was made inactive.",
        _REFERENCE_FIX,
    ),
    "620": FaultRow("park", "The two transactions cannot be linked.", "Check the open balances on both sides."),
    "800": FaultRow(
        "park",
        "QuickBooks does not let this record be deleted.",
        "Undo what depends on it in QuickBooks (payments, deposits, reconciliation), then retry.",
    ),
    "1040": FaultRow(
        "regroup", "The batch holds more items than this company takes.", "Nothing: they go out in smaller batches."
    ),
    "2010": FaultRow("park", "The request holds a field that QuickBooks does not know.", _BUG_FIX),
    "2020": FaultRow("park", "A required field is missing.", _DATA_FIX),
    "2030": FaultRow("park", "An id in the request is not valid.", _REFERENCE_FIX),
    "2040": FaultRow("park", "A text holds characters that QuickBooks does not allow.", _DATA_FIX),
    "2050": FaultRow("park", "A text is longer or shorter than QuickBooks allows.", "Shorten the value, then retry."),
    "2060": _VALUE,
    "2070": _VALUE,
    "2080": _VALUE,
    "2090": _VALUE,
    "2100": _VALUE,
    "2110": _VALUE,
    "2120": _VALUE,
    "2140": _VALUE,
    "2150": _VALUE,
    "2160": _VALUE,
    "2170": FaultRow("park", "A field holds a word that is not in QuickBooks' list for it.", _DATA_FIX),
    "2180": _VALUE,
    "2190": _VALUE,
    "2200": FaultRow("park", "A web address is not valid.", _DATA_FIX),
    "2210": FaultRow("park", "An e-mail address is not valid.", _DATA_FIX),
    "2220": FaultRow("park", "The currency is not valid for this company.", _DATA_FIX),
    "2230": _VALUE,
    "2240": _VALUE,
    "2250": FaultRow("park", "The document has no lines.", _DATA_FIX),
    "2260": FaultRow("park", "A journal line says neither debit nor credit.", _DATA_FIX),
    "2290": FaultRow("park", "An amount is negative where QuickBooks allows only positive ones.", _DATA_FIX),
    "2300": FaultRow("park", "Debits and credits do not balance.", "Correct the lines so that both sides are equal."),
    "2500": FaultRow("park", "A record that the request refers to does not exist.", _REFERENCE_FIX),
    "4000": FaultRow("park", "QuickBooks could not read the query.", _BUG_FIX),
    "4001": FaultRow("park", "The query uses a field that QuickBooks does not know or does not filter by.", _BUG_FIX),
    "4002": FaultRow(
        "retry",
        "QuickBooks could not run the query.",
        "If it stays, one record is broken: narrow the query until it is found.",
    ),
    "5010": FaultRow("refetch", "Somebody changed the record in between.", "It is read again and merged."),
    "5020": FaultRow(
        "park", "The connected user lacks a permission.", "Give the user the right in QuickBooks, then retry."
    ),
    "5030": FaultRow(
        "park",
        "The feature is switched off, or not part of this QuickBooks edition.",
        "Switch it on in the company's settings, or remove the field from the mapping.",
    ),
    "6000": FaultRow(
        "park", "QuickBooks refused the document by one of its business rules.", "Read the detail and correct the data."
    ),
    "6030": _ATTACHMENT,
    "6040": _ATTACHMENT,
    "6050": _ATTACHMENT,
    "6070": FaultRow("park", "A line's amount is not quantity times unit price.", _DATA_FIX),
    "6100": FaultRow("park", "A line has a tax code that does not fit (in the US: TAX or NON).", _DATA_FIX),
    "6140": FaultRow("adopt", "A document with this number exists already.", "It is looked up and compared."),
    "6180": FaultRow("park", "The record is nested more than five levels deep.", _DATA_FIX),
    "6190": FaultRow(
        "pause_realm",
        "The QuickBooks company is not active: its subscription has lapsed or been cancelled.",
        "Renew the subscription in QuickBooks; work resumes by itself.",
    ),
    "6200": _PERIOD,
    "6210": _PERIOD,
    "6220": FaultRow("park", "The record has a balance and cannot be made inactive.", "Settle the balance first."),
    "6240": FaultRow(
        "adopt", "A customer, vendor or employee of this name exists already.", "It is looked up and compared."
    ),
    "6290": _TIME,
    "6300": _TIME,
    "6310": _TIME,
    "6320": _TIME,
    "6330": _TIME,
    "6340": _TIME,
    "6350": _TIME,
    "6360": _TIME,
    "6370": _TIME,
    "6380": _TIME,
    "6390": _TIME,
    "6430": FaultRow("park", "An account of the wrong type is used.", "Choose another account in the mapping."),
    "6450": FaultRow(
        "park", "A settled card payment cannot be voided.", "Refund it in QuickBooks Payments, then retry."
    ),
    "6540": FaultRow("park", "The transaction is part of a deposit.", "Take it out of the deposit, then retry."),
    "10000": FaultRow("retry", "QuickBooks had an internal error.", "It is tried again; if it stays, ask Intuit."),
    "10100": FaultRow("park", "The result is too big.", "Ask for a shorter period or fewer records."),
    "10200": FaultRow(
        "pause_realm",
        "The company's data in QuickBooks were reset.",
        "Stop here, compare the books with the log, and start a new connection.",
    ),
}

_GATEWAY = FaultRow("retry", "QuickBooks' servers are not reachable at present.", "It is tried again by itself.")

HTTP_ROWS: Final[Mapping[int, FaultRow]] = {
    401: _TOKEN,
    403: FaultRow("reconnect", "QuickBooks refused access to this company.", _RECONNECT_FIX),
    408: _GATEWAY,
    429: FAULT_ROWS["3001"],
    500: FAULT_ROWS["10000"],
    502: _GATEWAY,
    503: _GATEWAY,
    504: _GATEWAY,
}
"""For answers whose body names no known code."""
