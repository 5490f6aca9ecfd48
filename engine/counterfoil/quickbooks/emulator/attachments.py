"""Attachable: notes and files that hang on documents; uploads in several parts, links that expire.

Source: Intuit's attachable page: parts `file_metadata_NN` and `file_content_NN`, at most 100 MB a request, a
download link that lives for a while.
"""

import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from counterfoil.ports import Clock, Entropy
from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.catalog import BY_PATH
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped
from counterfoil.quickbooks.emulator.fields import rows
from counterfoil.quickbooks.emulator.markup import read
from counterfoil.quickbooks.emulator.values import as_object, as_text, reference_id
from counterfoil_schema.exact_json import JsonObject, JsonValue, loads

LINK_LIFE: Final = timedelta(minutes=15)
PARTS_MAX = 40
_NAME = re.compile(rb'name="?file_(metadata|content)_(\w+)"?', re.IGNORECASE)
_FILE_NAME = re.compile(rb'filename="([^"]*)"', re.IGNORECASE)
_BASE64 = re.compile(rb"^content-transfer-encoding:\s*base64", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(rb"^content-type:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its bytes, its type and name, and what the client says about it."""

    content: bytes
    content_type: str
    name: str
    metadata: JsonObject


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it is kept."""

    content: bytes
    content_type: str


class Files:
    """The contents of attachables, by Id, and the links under which they can be fetched for a while."""

    def __init__(self, clock: Clock, entropy: Entropy, realm_id: str = "") -> None:
        self._clock = clock
        self._entropy = entropy
        self._realm_id = realm_id
        self._given: dict[str, str] = {}
        self._files: dict[str, StoredFile] = {}
        self._links: dict[str, tuple[str, datetime]] = {}
        self.base_url = ""

    def keep(self, identifier: str, file: StoredFile) -> None:
        """Store the content of an attachable."""
        self._files[identifier] = file

    def all(self) -> dict[str, StoredFile]:
        """Every file by the Id of its attachable."""
        return dict(self._files)

    def link(self, identifier: str) -> str:
        """An address under which the content can be had for a quarter of an hour.

        Raises:
            QuickBooksFaultError: 610, the attachable is a mere note.
        """
        if identifier not in self._files:
            raise faults.not_found()
        now = self._clock.now()
        token = self._given.get(identifier, "")
        if self._links.get(token, ("", now))[1] - now < LINK_LIFE / 2:
            self._links = {token: link for token, link in self._links.items() if link[1] > now}
            token = self._given[identifier] = self._entropy.token_bytes(16).hex()
            self._links[token] = (identifier, now + LINK_LIFE)
        return f"{self.base_url}/files/{token}"

    def told(self, identifier: str) -> JsonObject:
        """What an attachable says of its file; nothing if it is a mere note."""
        file = self._files.get(identifier)
        if file is None:
            return {}
        return {
            "FileAccessUri": f"/v3/company/{self._realm_id}/download/{identifier}",
            "TempDownloadUri": self.link(identifier),
            "Size": len(file.content),
        }

    def fetch(self, token: str) -> StoredFile | None:
        """The content behind a link that still lives."""
        identifier, until = self._links.get(token, ("", self._clock.now()))
        return self._files.get(identifier) if until > self._clock.now() else None


def shape_attachable(draft: Draft) -> Shaped:
    """A note, or what is known of a file, and what it hangs on.

    Raises:
        QuickBooksFaultError: 2020 without file name and note, 2500 or 610 for what is not there.
    """
    body = dict(draft.body)
    if "FileName" not in body and "Note" not in body:
        raise faults.required("FileName or Note")
    kept: list[JsonValue] = []
    for link in rows(body, "AttachableRef"):
        reference = as_object(link.get("EntityRef"))
        spec = BY_PATH.get(as_text(reference.get("type")).lower())
        if not reference:
            continue
        if spec is None:
            raise faults.bad_enum("AttachableRef.EntityRef.type", as_text(reference.get("type"))[:40])
        if draft.tables.get(spec.name, reference_id(reference)) is None:
            raise faults.bad_reference("AttachableRef.EntityRef", reference_id(reference)[:40])
        kept.append({**link, "EntityRef": {"value": reference_id(reference), "type": spec.name}})
    if kept:
        body["AttachableRef"] = kept
    else:
        # A reference that names nothing is none.
        body.pop("AttachableRef", None)
    return Shaped(body)


def uploads_in(raw: bytes) -> list[Upload]:
    """The files in a body of several parts, with CRLF or with bare LF; the boundary is what it begins with.

    Raises:
        QuickBooksFaultError: 6040 for a body without a file.
    """
    boundary, _, _ = raw.lstrip(b"\r\n").partition(b"\n")
    boundary = boundary.rstrip(b"\r")
    metadata: dict[bytes, JsonObject] = {}
    found: list[tuple[bytes, StoredFile, str]] = []
    if boundary.startswith(b"--") and len(boundary) > len(b"--"):
        for part in raw.split(boundary, PARTS_MAX)[1:]:
            head, content = _divided(part)
            named = _NAME.search(head)
            if named is None:
                continue
            kind, number = named[1].lower(), named[2]
            if kind == b"metadata":
                metadata[number] = _described(content)
            else:
                typed, name = _TYPE.search(head), _FILE_NAME.search(head)
                if _BASE64.search(head) is not None:
                    content = _decoded(content)
                file = StoredFile(content, _text(typed[1]) if typed else "application/octet-stream")
                found.append((number, file, _text(name[1]) if name else ""))
    if not found:
        raise faults.QuickBooksFaultError("6040", "Attachable error", "The upload holds no file_content part.")
    return [Upload(file.content, file.content_type, name, metadata.get(number, {})) for number, file, name in found]


def _divided(part: bytes) -> tuple[bytes, bytes]:
    part = part.removeprefix(b"\r\n").removeprefix(b"\n")
    crlf, lf = part.find(b"\r\n\r\n"), part.find(b"\n\n")
    if crlf >= 0 and (lf < 0 or crlf < lf):
        head, content = part[:crlf], part[crlf + 4 :]
    elif lf >= 0:
        head, content = part[:lf], part[lf + 2 :]
    else:
        return part, b""
    if content.endswith(b"\r\n"):
        return head, content[:-2]
    return head, content.removesuffix(b"\n")


def _decoded(content: bytes) -> bytes:
    try:
        return b64decode(content, validate=False)
    except ValueError as error:
        raise faults.QuickBooksFaultError("6041", "Attachable error", "file_content is not base64.") from error


def _described(content: bytes) -> JsonObject:
    if content.lstrip().startswith(b"<"):
        described = read(content)
        if described is None:
            raise faults.QuickBooksFaultError("6041", "Attachable error", "file_metadata is not XML.")
        return described
    try:
        value = loads(content)
    except (ValueError, RecursionError) as error:
        raise faults.QuickBooksFaultError("6041", "Attachable error", "file_metadata is not JSON.") from error
    return as_object(value)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
