"""The HTTP client that source adapters share: bounded, paced, patient with passing faults, silent about secrets.

SourceError
├── UnansweredError   the request may have taken effect, and no usable answer came
├── BusyError         the source says: later (429, 477, 5xx)
└── RefusedError      the source says: no, and saying it again would not help
"""

import base64
import re
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp
import backoff
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from counterfoil.ports import Clock, Entropy
from counterfoil.sources.port import SourceError
from counterfoil.timely import SentOnce, TimelyPayload
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

TokenSource = Callable[[], Awaitable[SecretStr]]
Params = Mapping[str, str] | Sequence[tuple[str, str]]

Authorize = Callable[[SecretStr], Mapping[str, str]]
"""Headers that show a token."""

OK = frozenset({200, 201, 202, 204})
# 477 is HubSpot's "this account is being moved"; 52x are its edge network's ways of saying 502.
BUSY = frozenset({408, 425, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524})
TRIES = 5
TIMEOUT_SECONDS = 30.0
WAIT_SECONDS_MAX = 60.0
PAUSE_SECONDS = 10.0
BODY_BYTES_MAX = 32 * 1024 * 1024
VENDOR_WORDS_MAX = 300
DEPTH_MAX = 4
SCOPES_MAX = 10
UNAUTHORIZED = 401


class UnansweredError(SourceError):
    """The request was sent, perhaps took effect, and its answer was lost, late or cut off."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=PAUSE_SECONDS)


class BusyError(SourceError):
    """The source answered that it cannot serve the request now; `told` is its own Retry-After, in seconds."""

    def __init__(self, message: str, *, status: int, told: float | None) -> None:
        super().__init__(message, retry_after=told if told is not None else PAUSE_SECONDS)
        self.status = status
        self.told = told


class RefusedError(SourceError):
    """The source answered with a status that nobody expected; `body` is its own explanation."""

    def __init__(self, message: str, *, status: int, body: bytes, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, whole: status, headers by lower-case name, and the raw body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> JsonValue:
        """The body with exact numbers.

        Raises:
            UnansweredError: the body is not JSON.
        """
        try:
            return exact_json.loads(self.body)
        except ValueError as error:
            raise UnansweredError("The answer is not the JSON that it says it is.") from error

    def object(self) -> JsonObject:
        """The body, which must be a JSON object.

        Raises:
            UnansweredError: it is not.
        """
        value = self.json()
        if not isinstance(value, dict):
            raise UnansweredError("The answer is JSON, but not an object.")
        return value


def bearer(token: SecretStr) -> Mapping[str, str]:
    """A token shown as most sources want it."""
    return {"Authorization": f"Bearer {token.get_secret_value()}"}


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user's name and password in the header; some sources take their key for either."""

    user: str
    password: SecretStr

    def headers(self) -> Mapping[str, str]:
        whole = base64.b64encode(f"{self.user}:{self.password.get_secret_value()}".encode()).decode()
        return {"Authorization": f"Basic {whole}"}


class SourceHttp:
    """One connection's way to one source's API.

    Args:
        base_url: scheme, host and port, without a path.
        token: the token to send; asked before each try, so it may refresh itself. None: nothing is shown.
        authorize: how the token is shown; see `bearer`.
        told: how many seconds an answer of a busy source asks to wait (None: it does not say); what its Retry-After
            says, unless the source says it in another way.
        limiter: this connection's pace, in calls.
        name: the source's name as people know it, for messages.
        entropy: spreads the waits, so that many connections do not come back at once; None: no spreading.
        forget_token: told the token that was answered with 401; the request is then tried once more.
        headers: sent with each request, for example an API version.
        timeout_seconds: for one try, connecting and reading included.
        tries: how often a request is sent at most, where trying again is harmless.
        words_header: the header in which the source says what is wrong, where its body does not; in lower case.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        token: TokenSource | None,
        limiter: AsyncLimiter,
        clock: Clock,
        name: str,
        *,
        authorize: Authorize = bearer,
        entropy: Entropy | None = None,
        forget_token: Callable[[SecretStr], None] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tries: int = TRIES,
        body_bytes_max: int = BODY_BYTES_MAX,
        told: Callable[[HttpAnswer], float | None] | None = None,
        words_header: str | None = None,
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._authorize = authorize
        self._limiter = limiter
        self._clock = clock
        self._name = name
        self._entropy = entropy
        self._forget_token = forget_token
        self._headers = dict(headers or {})
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._tries = tries
        self._body_bytes_max = body_bytes_max
        self._told = told if told is not None else self._retry_after
        self._words_header = words_header

    def move(self, base_url: str) -> None:
        """Call another address from now on: some sources say only with their tokens where a tenant is."""
        self._base_url = base_url.rstrip("/")

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        expect: AbstractSet[int] = OK,
        tries: int | None = None,
        deadline: float | None = None,
    ) -> HttpAnswer:
        """Send a request and return its answer, once its status is among `expect`.

        What passes by itself (a busy source, a lost or cut-off answer) is tried again up to `tries` times, after the
        wait that the source names, else after growing ones. A write that must not be repeated blindly says `tries=1`.
        A status in `expect` is returned at once, whatever it is.

        Args:
            path: absolute, for example `/crm/v3/objects/deals`.
            json: sent with exact numbers.
            form: sent form-encoded and without the token, as token endpoints want it.
            deadline: of a request with `json`, on the clock's monotonic scale: a body that has not left by then stays.

        Raises:
            UnansweredError, BusyError, RefusedError: see there.
            SourceError: the source cannot be reached at all; nothing was sent.
        """
        left = tries if tries is not None else self._tries
        waits = _waits()
        renewed = False
        while True:
            left -= 1
            token = None if form is not None or self._token is None else await self._token()
            try:
                return await self._once(method, path, params, json, form, token, expect, deadline)
            except RefusedError as error:
                if error.status != UNAUTHORIZED or token is None or self._forget_token is None or renewed:
                    raise
                renewed = True
                left += 1
                self._forget_token(token)
            except SourceError as error:
                wait = self._wait(error.told if isinstance(error, BusyError) else None, next(waits))
                if left <= 0 or wait > WAIT_SECONDS_MAX:
                    raise
                await self._clock.sleep(wait)

    def _wait(self, told: float | None, own: float) -> float:
        spread = self._entropy.random() if self._entropy is not None else 0.0
        if told is not None:
            return told + spread
        return own * (0.5 + spread / 2) if self._entropy is not None else own

    async def _once(
        self,
        method: str,
        path: str,
        params: Params | None,
        json: object,
        form: Mapping[str, str] | None,
        token: SecretStr | None,
        expect: AbstractSet[int],
        deadline: float | None,
    ) -> HttpAnswer:
        headers = {"Accept": "application/json", **self._headers}
        data: bytes | TimelyPayload | Mapping[str, str] | None = form
        if token is not None:
            headers.update(self._authorize(token))
        if json is not None:
            headers["Content-Type"] = "application/json"
            data = exact_json.dumps(json)
            if deadline is not None:
                data = TimelyPayload(data, "application/json", self._clock, deadline)
        async with self._limiter:
            answer = await self._exchange(method, path, params, headers, data)
        self._judge(method, path, answer, expect)
        return answer

    async def _exchange(
        self,
        method: str,
        path: str,
        params: Params | None,
        headers: Mapping[str, str],
        data: bytes | TimelyPayload | Mapping[str, str] | None,
    ) -> HttpAnswer:
        what = f"{method} {path}"
        try:
            async with self._session.request(
                method,
                self._base_url + path,
                params=params,
                headers=headers,
                data=data,
                timeout=self._timeout,
                allow_redirects=False,  # a redirect would carry the token to a host nobody configured
                middlewares=(SentOnce(),),
            ) as response:
                body = await self._read(response, what)
                return HttpAnswer(response.status, {k.lower(): v for k, v in response.headers.items()}, body)
        except aiohttp.ClientConnectorError as error:
            raise SourceError(
                f"{self._name} cannot be reached at {self._base_url}.",
                remedy="Check the address and the network; reading goes on by itself once it answers.",
                retry_after=PAUSE_SECONDS,
            ) from error
        except (TimeoutError, aiohttp.ClientError) as error:
            if isinstance(data, TimelyPayload) and data.late:
                late = f"{what} was not sent to {self._name}: its time had passed."
                raise SourceError(late, retry_after=0.0) from error
            raise UnansweredError(f"{self._name} did not answer {what} ({type(error).__name__}).") from error

    async def _read(self, response: aiohttp.ClientResponse, what: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_chunked(65536):
            size += len(part)
            if size > self._body_bytes_max:
                raise RefusedError(
                    f"{self._name} answered {what} with more than {self._body_bytes_max} bytes.",
                    status=response.status,
                    body=b"",
                    remedy="Ask for smaller pages in the connection's settings.",
                )
            parts.append(part)
        return b"".join(parts)

    def _retry_after(self, answer: HttpAnswer) -> float | None:
        return retry_after_seconds(answer.headers, self._clock)

    def _judge(self, method: str, path: str, answer: HttpAnswer, expect: AbstractSet[int]) -> None:
        if answer.status in expect:
            if answer.body and "json" in answer.headers.get("content-type", ""):
                answer.json()
            return
        words = (
            f"{self._name} answered {method} {path} with {answer.status}{_vendor_words(answer, self._words_header)}."
        )
        if answer.status in BUSY:
            raise BusyError(words, status=answer.status, told=self._told(answer))
        remedy = _remedy(answer.status, scopes_named(answer))
        raise RefusedError(words, status=answer.status, body=answer.body, remedy=remedy)


def retry_after_seconds(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as an HTTP date; None without a readable one."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - clock.now()).total_seconds())


def _waits() -> Generator[float, None, None]:
    # The schedule is the library's; the waiting is the injected clock's, so that tests need not wait.
    waits = backoff.expo(base=2, factor=0.5, max_value=20.0)
    next(waits)
    yield from waits


def _vendor_words(answer: HttpAnswer, header: str | None = None) -> str:
    """What the source itself says is wrong, cut short; nothing where it says nothing readable."""
    try:
        said = _said(exact_json.loads(answer.body))
    except ValueError:
        said = ""
    said = said or answer.headers.get(header or "", "")
    return f": {said[:VENDOR_WORDS_MAX].rstrip('.')}" if said else ""


def _said(value: JsonValue, deep: int = 0) -> str:
    """The words in an error's body: `{"message": …}`, `{"error": {…}}`, `{"errors": [{…}]}` or `[{…}]`."""
    if deep > DEPTH_MAX:
        return ""
    if isinstance(value, list):
        return _said(value[0], deep + 1) if value else ""
    if not isinstance(value, dict):
        return value if isinstance(value, str) else ""
    for name in ("message", "error_description", "detail", "error", "errors", "title"):
        said = _said(value.get(name), deep + 1)
        if said:
            return said
    return ""


def scopes_named(answer: HttpAnswer) -> list[str]:
    """The scopes that a refusal asks for: in `WWW-Authenticate` (RFC 6750), or under a key of its body named so."""
    challenge = re.search(r'scope="([^"]{1,500})"', answer.headers.get("www-authenticate", ""))
    if challenge is not None:
        return challenge[1].split()
    try:
        return list(dict.fromkeys(_scopes_in(exact_json.loads(answer.body))))[:SCOPES_MAX]
    except ValueError:
        return []


def _scopes_in(value: JsonValue, *, named: bool = False, deep: int = 0) -> Generator[str, None, None]:
    """Texts under keys such as `requiredScopes`."""
    if deep > 2 * DEPTH_MAX:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scopes_in(inner, named=key.casefold().endswith(("scope", "scopes")), deep=deep + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _scopes_in(inner, named=named, deep=deep + 1)
    elif named and isinstance(value, str) and value:
        yield value[:VENDOR_WORDS_MAX]


def _remedy(status: int, scopes: Sequence[str]) -> str:
    match status:
        case 401:
            return "Check the connection's token: it is wrong, expired or withdrawn."
        case 403:
            needs = f": {', '.join(scopes)}" if scopes else ""
            return f"Give the connection's token the scope that this call needs{needs}."
        case _:
            return ""
