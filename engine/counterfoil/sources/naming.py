"""Names that a source does not have, told with the nearest that it has."""

from collections.abc import Iterable
from difflib import get_close_matches

from counterfoil.sources.port import UnknownNameError

NEAR = 0.5


def unknown_name_error(says: str, name: str, known: Iterable[str], fix: str = "") -> UnknownNameError:
    """An error that says what there is instead.

    Args:
        says: up to the name, for example `HubSpot has no property of deals called`.
        fix: what else can be done.
    """
    folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=NEAR)
    meant = f'Did you mean "{folded[near[0]]}"? ' if near else ""
    return UnknownNameError(f'{says} "{name}".', name=name, remedy=f"{meant}{fix}".strip())
