"""Which permission stands behind a field: what a person gives an API key's user, or an application's scope.

BambooHR leaves a field out, or shows it as null and names it in `_restrictedFields`, where the caller may not see it.
So what was asked for is compared with what was given, and the difference has a name; it is never taken for empty.
"""

from collections.abc import Iterable, Mapping

SCOPES: Mapping[str, str] = {
    "firstName": "employee:name",
    "lastName": "employee:name",
    "workEmail": "employee:contact",
    "hireDate": "employee:job",
    "status": "employee:job",
    "jobInfo": "employee:job",
    "employmentStatus": "employee:job",
    "compensation": "employee:compensation",
    "timesheet_entries": "time_tracking",
}
"""OAuth scopes by field, table or endpoint (BambooHR: OpenAPI, securitySchemes); any other is a custom field."""

CUSTOM = "employee:custom_fields"


def permission_for(name: str) -> str:
    """In one phrase what lets a caller see a field or table."""
    scope = SCOPES.get(name, CUSTOM)
    return f"the OAuth scope {scope}, or for an API key an access level of its user that shows {name}"


def fix_for(names: Iterable[str]) -> str:
    """What to do in BambooHR so that fields are shown."""
    return f"Give the connection {'; and '.join(permission_for(name) for name in names)}."
