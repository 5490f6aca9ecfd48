"""Compressed bodies, both ways."""

import gzip
import zlib

import pytest

from counterfoil.quickbooks.emulator import EmulatorOptions
from counterfoil.quickbooks.emulator.limits import LimitNumbers
from counterfoil.quickbooks.emulator.packing import UnpackingError, unpacked
from counterfoil_schema.exact_json import loads_object
from support.quickbooks_company import running


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


BODY = b'{"DisplayName":"Packed","Notes":"' + b"n" * 1500 + b'"}'


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        ("X-GZIP", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "zlib", "raw"],
)
def test_a_body_is_what_it_was(encoding: str, packed: bytes) -> None:
    assert unpacked(packed, encoding, len(BODY)) == BODY


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", BODY),
        ("gzip", gzip.compress(BODY)[:-9]),
        ("gzip", b""),
        ("deflate", BODY),
        ("br", BODY),
        ("gzip", gzip.compress(BODY + b" ")),
        ("gzip", gzip.compress(b"0" * 50_000_000)),
    ],
    ids=["none", "cut", "empty", "not deflate", "unknown", "one too many", "bomb"],
)
def test_what_is_damaged_or_too_large_is_refused(encoding: str, packed: bytes) -> None:
    with pytest.raises(UnpackingError):
        unpacked(packed, encoding, len(BODY))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_bodies_come_and_go_compressed(encoding: str) -> None:
    async with running(EmulatorOptions(seed=1, limits=LimitNumbers(enabled=False))) as api:
        url = f"{api.emulator.base_url}/v3/company/{api.emulator.realm_id}/customer"
        headers = {
            "Authorization": f"Bearer {api.token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Content-Encoding": encoding,
            "Accept-Encoding": encoding,
        }
        packed = gzip.compress(BODY) if encoding == "gzip" else zlib.compress(BODY)
        async with api.session.post(url, data=packed, headers=headers) as answer:
            assert (answer.status, answer.headers["Content-Encoding"]) == (200, encoding)
            told = loads_object(await answer.read())
            assert isinstance(told["Customer"], dict)
            assert told["Customer"]["Notes"] == "n" * 1500
        async with api.session.post(url, data=b"not so", headers=headers) as answer:
            assert answer.status == 400
        async with api.session.get(f"{url}/1", headers={**headers, "Accept-Encoding": "identity"}) as answer:
            assert (answer.status, "Content-Encoding" in answer.headers) == (200, False)
