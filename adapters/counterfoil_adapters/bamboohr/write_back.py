"""The person's id in QuickBooks on its way into a field of the employee; and told again from somebody's edit."""

from collections.abc import Mapping

from counterfoil.sources import SourceError, WriteBack, WriteBackResult
from counterfoil.sources.http import RefusedError, UnansweredError
from counterfoil_adapters.bamboohr.api import BambooApi, NotShownError
from counterfoil_adapters.bamboohr.permissions import permission_for
from counterfoil_schema.exact_json import loads_object

UNAUTHORIZED = 401
RECONNECT_SECONDS = 300.0


async def write(api: BambooApi, request: WriteBack) -> WriteBackResult:
    """Set fields of an employee, and see that they stand: BambooHR passes over fields that it does not know."""
    if not request.values:
        return WriteBackResult(outcome="accepted")
    if request.kind != "employee":
        return WriteBackResult(
            outcome="rejected",
            reason=f"BambooHR takes nothing back for {request.kind} {request.source_id}.",
            fix="Leave everything but employee_id out of [write_back] in the connection's mapping.",
        )
    empty = [name for name, value in request.values.items() if not value]
    if empty:
        return WriteBackResult(
            outcome="rejected",
            reason=f"{', '.join(empty)} of employee {request.source_id} would be emptied.",
            fix="Empty it in BambooHR by hand, if that is wanted.",
        )
    try:
        await api.update(request.source_id, request.values, request.deadline)
        shown = await api.employee(request.source_id, [*request.values])
    except UnansweredError as error:
        return WriteBackResult(outcome="uncertain", reason=error.message, retry_after=error.retry_after)
    except RefusedError as refused:
        return _refused(request, refused)
    except NotShownError as hidden:
        return WriteBackResult(outcome="rejected", reason=hidden.message, fix=hidden.remedy)
    except SourceError as error:
        return WriteBackResult(outcome="later", reason=error.message, retry_after=error.retry_after)
    wrong = [name for name, value in request.values.items() if shown.get(name) != value]
    if not wrong:
        return WriteBackResult(outcome="accepted")
    name = wrong[0]
    known = name in await _names(api)
    problem = "it cannot be seen, or holds something else" if known else "there is no such field"
    return WriteBackResult(
        outcome="rejected",
        reason=f"BambooHR took {name} of employee {request.source_id} and does not hold it: {problem}.",
        fix=f"Give the connection {permission_for(name)}, to write as well."
        if known
        else f"Make the field {name} in BambooHR, or name another under [write_back] in the mapping.",
    )


def same_values(values: Mapping[str, str], raw: str) -> bool:
    """Whether an employee's payload already holds these values."""
    try:
        own = loads_object(raw).get("employee")
    except ValueError:
        return False
    return isinstance(own, dict) and all(own.get(name) == value for name, value in values.items())


async def _names(api: BambooApi) -> frozenset[str]:
    try:
        return await api.field_names()
    except SourceError:
        return frozenset()


def _refused(request: WriteBack, refused: RefusedError) -> WriteBackResult:
    if refused.status == UNAUTHORIZED:
        # It says nothing about the record: once the connection is mended, the same write will do.
        return WriteBackResult(
            outcome="later", reason=refused.message, fix=refused.remedy, retry_after=RECONNECT_SECONDS
        )
    names = ", ".join(request.values)
    return WriteBackResult(
        outcome="rejected",
        reason=refused.message,
        fix=f"Let the connection's user edit {names} of employee {request.source_id} in BambooHR.",
    )
