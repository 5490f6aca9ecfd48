"""Bodies that come compressed, as Intuit's own clients for .NET and Java can send them."""

import zlib

GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
NAMES = frozenset({"gzip", "x-gzip", "deflate"})


class UnpackingError(ValueError):
    """A body is not compressed as it says, or holds more than is taken."""


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """The body as it was before it was compressed.

    Args:
        encoding: the Content-Encoding header.
        most: bytes that are taken; no more than that is ever unpacked.

    Raises:
        UnpackingError: it is damaged, too large, or of an encoding that nobody here knows.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in NAMES:
        raise UnpackingError(f"The encoding {name[:20]} is not known.")
    # Some send deflate without its header.
    for form in (GZIP_OR_ZLIB, -zlib.MAX_WBITS) if name == "deflate" else (GZIP_OR_ZLIB,):
        unpacker = zlib.decompressobj(form)
        try:
            content = unpacker.decompress(body, most + 1)
        except zlib.error:
            continue
        if len(content) > most:
            raise UnpackingError(f"The body holds more than {most} bytes.")
        if unpacker.eof:
            return content
    raise UnpackingError(f"The body is not {name}.")
