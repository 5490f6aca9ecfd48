"""Whatever goes wrong is told to programs too: with --json each command ends in one line of JSON and an exit code."""

import hashlib
import json
import logging
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

from counterfoil.cli.app import main, make_app
from counterfoil.planning.types import PLANNER_VERSION
from support.cli import BOOKS_AWAY_CONFIGURATION, COMMAND, SHOP_MAPPING, command_names, environment_of

COMMANDS = command_names(typer.main.get_command(make_app()))

NEEDED = {
    "approve": ["shop:order:1"],
    "deadletters edit": ["shop:order:1", "--set", "number=7", "--reason", "by hand"],
    "deadletters map": ["shop:product:1", "Item 1"],
    "deadletters resolve": ["shop:order:1", "--keep", "books", "--reason", "by hand"],
    "deadletters retry": ["shop:order:1"],
    "deadletters show": ["shop:order:1"],
    "deadletters skip": ["shop:order:1", "--reason", "by hand"],
    "erase": ["Customer 58"],
    "explain": ["shop:order:1"],
    "export": ["Customer 58", "--out", "person.json"],
    "log anchor": ["anchor.json", "--key", "file:key"],
    "log show": ["1"],
    "mapping init": ["first.toml"],
    "recover": ["--anyway", "--reason", "by hand"],
    "redrive": ["preview.jsonl", "--reason", "by hand", "--yes"],
    "restore": ["--into", "2/2", "--reason", "by hand"],
    "retry": ["shop:order:1"],
    "shadow": ["--export", "plans.jsonl"],
    "skip": ["shop:order:1", "--reason", "by hand"],
}
"""What a command cannot do without, so that it comes as far as its configuration and its database."""

UNCONFIGURED = {
    "adapters check": ["nothing"],
    "adapters new": ["Not A Name"],
    "demo": ["--keep", "counterfoil.toml"],
    "emulator": ["nothing"],
    "init": ["--source", "nothing"],
    "mapping check": ["nothing.toml"],
}
"""Commands without a configuration, and something that each of them refuses."""

NEVER_FAIL = {"adapters list", "mapping schema", "version"}
CONFIGURED = [name for name in COMMANDS if name not in UNCONFIGURED and name not in NEVER_FAIL]


@dataclass(frozen=True)
class Told:
    """How a command ended."""

    code: int
    out: str
    err: str

    def error(self, code: int) -> str:
        """The message of the error, which stands on both streams; the exit code is right, and nothing is traced."""
        assert code == self.code, self
        lines = self.out.splitlines()
        assert len(lines) == 1, self
        said: dict[str, Any] = json.loads(lines[0])
        assert code == said["exit"]
        message = said["error"]["message"]
        assert message
        assert isinstance(said["error"]["remedy"], str)
        assert "Traceback" not in self.err
        return str(message)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to stand in, without any setting of the machine's; logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for name in ("COUNTERFOIL_CONFIG", "COUNTERFOIL_DSN", "COUNTERFOIL_ADMIN_DSN", "COUNTERFOIL_ANCHOR_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def configured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole configuration whose Postgres nobody answers for: port 9 discards nothing nowadays."""
    (folder / "counterfoil.toml").write_text(BOOKS_AWAY_CONFIGURATION, encoding="utf-8")
    (folder / "shop.toml").write_text(SHOP_MAPPING, encoding="utf-8")
    (folder / "key").write_text("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", encoding="utf-8")
    monkeypatch.setenv("COUNTERFOIL_DSN", "postgresql://counterfoil:wrong-word@127.0.0.1:9/books")
    return folder


def write_preview(path: Path) -> None:
    """What `shadow --out` writes, with one record that would be sent."""
    mapping = hashlib.sha256(SHOP_MAPPING.encode()).hexdigest()
    lines: list[dict[str, object]] = [
        {
            "file": "counterfoil previews of mappings",
            "version": 1,
            "company": 1,
            "connection": "shop",
            "position": 7,
            "personal": False,
            "mappings": {"before": "", "after": mapping},
            "planner": PLANNER_VERSION,
        },
        {"record_key": "shop:order:1", "step": {"digest": "00"}},
        {"end": True, "records": 1},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Told:
    monkeypatch.setattr("sys.argv", ["counterfoil", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    shown = capfd.readouterr()
    assert isinstance(left.value.code, int)
    return Told(left.value.code, shown.out, shown.err)


def test_every_command_has_its_place_here() -> None:
    assert set(COMMANDS) >= {*NEEDED, *UNCONFIGURED, *NEVER_FAIL}
    assert {"sync", "serve", "log verify", "connect quickbooks", "keys rotate"} <= set(CONFIGURED)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_line_that_cannot_be_read(
    command: str, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = told(capfd, monkeypatch, *command.split(), "--no-such-option", "--json")

    assert "--no-such-option" in ended.error(2)
    assert "--no-such-option" in ended.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("group", ["", "adapters", "connect", "disconnect", "keys", "log", "mapping"])
def test_a_group_alone_shows_what_it_has(
    group: str, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = told(capfd, monkeypatch, *group.split())

    assert ended.code == 2
    assert "Commands:" in ended.err
    told(capfd, monkeypatch, *group.split(), "--json").error(2)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", CONFIGURED)
def test_no_configuration(
    command: str, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = told(capfd, monkeypatch, *command.split(), *NEEDED.get(command, []), "--json")

    assert ended.error(2) == "There is no configuration file counterfoil.toml."
    assert "counterfoil init" in ended.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", CONFIGURED)
def test_a_postgres_that_does_not_answer(
    command: str, configured: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    match command:
        case "redrive":
            write_preview(configured / "preview.jsonl")
        case "restore":
            second = BOOKS_AWAY_CONFIGURATION.replace("company.1", "company.2").replace(
                'realm_id = "1"', 'realm_id = "2"'
            )
            (configured / "counterfoil.toml").write_text(BOOKS_AWAY_CONFIGURATION + second, encoding="utf-8")
    ended = told(capfd, monkeypatch, *command.split(), *NEEDED.get(command, []), "--json")

    assert "127.0.0.1:9" in ended.error(3)
    assert "wrong-word" not in ended.out + ended.err
    assert not list(configured.glob("**/crash-*"))


@pytest.mark.parametrize("command", sorted(UNCONFIGURED))
def test_what_needs_no_configuration_refuses_likewise(
    command: str, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "counterfoil.toml").write_text("taken", encoding="utf-8")

    ended = told(capfd, monkeypatch, *command.split(), *UNCONFIGURED[command], "--json")

    message = ended.error(2)
    assert message in ended.err
    assert [path.name for path in folder.iterdir()] == ["counterfoil.toml"]


@pytest.mark.parametrize(
    ("dsn", "code", "words"),
    [
        ("garbage", 2, "The Postgres address cannot be read."),
        ("mysql://login:wrong-word@db/books", 2, "The Postgres address cannot be read."),
        ("postgresql://login:wrong-word@db:port/books", 2, "The Postgres address cannot be read."),
        ("postgresql://login:wrong-word@db:99999/books", 2, "The Postgres address cannot be read."),
        ("postgresql://login:wrong-word@db/books?sslmode=perhaps", 2, "The Postgres address cannot be read."),
        ("postgresql://login:wrong-word@[::1/books", 2, "The Postgres address cannot be read."),
        ("postgresql://login:wrong-word@/books?host=/nowhere", 3, "/nowhere:5432"),
        ("postgresql://login:wrong%zzword@127.0.0.1:9/books", 3, "127.0.0.1:9"),
    ],
)
def test_an_address_of_postgres_that_is_none(
    dsn: str,
    code: int,
    words: str,
    configured: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COUNTERFOIL_DSN", dsn)

    ended = told(capfd, monkeypatch, "status", "--json")

    assert words in ended.error(code)
    assert "word" not in (ended.out + ended.err).replace("password", "")
    assert "COUNTERFOIL_DSN" in ended.err or code == 3
    assert not list(configured.glob("**/crash-*"))


def message(kind: bytes, body: bytes) -> bytes:
    """One message of the Postgres protocol."""
    return kind + struct.pack("!i", len(body) + 4) + body


def refusal(code: str, text: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": text}
    return message(b"E", b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0")


@contextmanager
def postgres_that_answers(answer: bytes) -> Iterator[int]:
    """Something that answers every start-up with these messages; its port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                while (request := connection.recv(4_096))[4:8] == struct.pack("!i", 80877103):
                    connection.sendall(b"N")  # no TLS here
                if request:
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


OLD = message(b"R", struct.pack("!i", 0)) + message(b"S", b"server_version\x0014.9\0") + message(b"Z", b"I")


@pytest.mark.parametrize(
    ("answer", "words", "remedy"),
    [
        (refusal("28P01", 'password authentication failed for user "login"'), "refuses the login 'login'", "password"),
        (refusal("28000", "no pg_hba.conf entry"), "refuses the login 'login'", "pg_hba.conf"),
        (refusal("3D000", 'database "books" does not exist'), "has no database 'books'", "CREATE DATABASE"),
        (refusal("53300", "too many clients already"), "no free connection", "max_connections"),
        (OLD, "is version 14; Counterfoil needs 15 or newer", "Upgrade the server"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "127.0.0.1", ""),
    ],
)
def test_a_postgres_that_refuses(
    answer: bytes,
    words: str,
    remedy: str,
    configured: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with postgres_that_answers(answer) as port:
        monkeypatch.setenv("COUNTERFOIL_DSN", f"postgresql://login:wrong-word@127.0.0.1:{port}/books")
        ended = told(capfd, monkeypatch, "migrate", "--json")

    assert words in ended.error(3)
    assert remedy in ended.err
    assert "wrong-word" not in ended.out + ended.err
    assert not list(configured.glob("**/crash-*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["quickbooks", "--port", "99999"], "99999"),
        (["gusto", "--port", "-1"], "-1"),
        (["hubspot", "--limits", "perhaps"], "perhaps"),
        (["quickbooks", "--load", "nothing.json"], "nothing.json"),
    ],
)
def test_an_emulator_that_cannot_serve(
    arguments: list[str], words: str, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = told(capfd, monkeypatch, "emulator", *arguments, "--json")

    assert arguments[0] in ended.error(2)
    assert words in ended.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe[company.1]", "is no UTF-8: byte 0"),
        (b"[company.1\n", "is no TOML file"),
        (b"home = 7\n", "home"),
        (None, "Is a directory"),
    ],
)
def test_a_configuration_that_cannot_be_used(
    content: bytes | None,
    words: str,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = folder / "counterfoil.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)

    ended = told(capfd, monkeypatch, "status", "--json")

    assert words in ended.error(2)
    assert "counterfoil.toml" in ended.err


def test_a_reader_that_leaves_early_ends_it_without_a_word(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "version", "--json"],
        cwd=tmp_path,
        env=environment_of(None),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()

    _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (130, b"")
