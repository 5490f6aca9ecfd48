"""Templates such as `HS-{id}`: names in braces and nothing else, so that a mapping can run no code.

`{id:6}` stands for the last six characters of the id.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

NUMBER_NAMES = ("id", "number", "connection", "kind")
MEMO_NAMES = ("id", "number", "connection", "kind", "memo")
LINK_NAMES = ("document_id",)
TIME_NAMES = ("id", "connection", "kind", "date", "project", "task")
CONTRACTOR_NAMES = ("id", "connection", "kind", "date")
PAY_RUN_NAMES = ("id", "connection", "kind", "check_date", "period_start", "period_end")
PAY_ENTRY_NAMES = (*PAY_RUN_NAMES, "entry", "department")
ACCRUAL_NAMES = (*PAY_RUN_NAMES, "month")

_PART = re.compile(r"\{([^{}:]*)(?::(\d{1,3}))?\}")


def template_of(names: tuple[str, ...]) -> Callable[[str], str]:
    """A check that a template uses no other names than these.

    The check raises ValueError with the nearest known name.
    """

    def check(template: str) -> str:
        for match in _PART.finditer(template):
            name = match.group(1)
            if name not in names:
                near = get_close_matches(name, names, n=1)
                hint = f"did you mean {{{near[0]}}}?" if near else "it knows " + ", ".join(f"{{{n}}}" for n in names)
                raise ValueError(f"the template has no {{{name}}}; {hint}")
        rest = _PART.sub("", template)
        if "{" in rest or "}" in rest:
            raise ValueError("the template has a brace without its partner")
        return template

    return check


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its names replaced; surrounding blanks are dropped."""

    def put(match: re.Match[str]) -> str:
        value = values.get(match.group(1), "")
        return value[-int(match.group(2)) :] if match.group(2) else value

    return _PART.sub(put, template).strip()
