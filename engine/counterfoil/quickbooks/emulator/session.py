"""What a run knows besides its books: request ids, tokens, its time; so that a client goes on after a restart.

A saved state holds the tokens as they are. They open nothing but this emulator.
"""

from counterfoil.quickbooks.emulator.clock import EmulatorClock
from counterfoil.quickbooks.emulator.oauth import TokenOffice
from counterfoil.quickbooks.emulator.requestids import RequestIds
from counterfoil.quickbooks.emulator.snapshot import SnapshotError, instant_from
from counterfoil.quickbooks.emulator.values import as_list, as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue


def session_of(request_ids: RequestIds, office: TokenOffice, clock: EmulatorClock, verifier_token: str) -> JsonObject:
    """The part of a saved state that is no books."""
    return {
        "now": clock.now().isoformat(),
        "oauth": office.saved(),
        "request_ids": request_ids.saved(),
        "verifier_token": verifier_token,
    }


def moment_of(state: JsonValue) -> str:
    """When a state was saved; empty where it does not say."""
    return as_text(as_object(as_object(state).get("session")).get("now"))


def resume(state: JsonValue, request_ids: RequestIds, office: TokenOffice, clock: EmulatorClock) -> str:
    """Go on where another run ended; a state of books alone is taken up too.

    Returns:
        The verifier token of that run; empty where it is not known.

    Raises:
        SnapshotError: the session is damaged.
    """
    session = as_object(as_object(state).get("session"))
    if not session:
        return ""
    try:
        ahead = (instant_from(session["now"]) - clock.now()).total_seconds()
        office.restore(as_object(session["oauth"]))
        request_ids.restore(as_list(session["request_ids"]))
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise SnapshotError(f"The saved state is damaged: {error}.") from error
    if ahead > 0:
        # Time was moved there; what is dated then must not lie in the future here.
        clock.advance(ahead)
    return as_text(session.get("verifier_token"))
