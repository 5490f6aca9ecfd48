"""What a sender expects before it goes on: asked for with bytes that are no text, aiohttp's own answer fails."""

from aiohttp import hdrs, web


async def expected(request: web.Request) -> web.StreamResponse | None:
    """Let a sender go on that waits for it; refuse any other expectation.

    Raises:
        HTTPExpectationFailed: for any other.
    """
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise web.HTTPExpectationFailed
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # What was written is no part of the answer.
    request.writer.output_size = 0
    return None
