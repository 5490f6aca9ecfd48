"""Other processes for tests: scripts that use our code, started, talked to and killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("engine", "adapters", "schema", "tests")


def python_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which a plain interpreter finds our code and everything that we run on."""
    found = [str(ROOT / name) for name in SOURCE_ROOTS] + [path for path in sys.path if path.endswith("site-packages")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found), "PYTHONDONTWRITEBYTECODE": "1", **(extra or {})}


class Script:
    """A running Python script that speaks to its test in lines of JSON and ends when its input closes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> dict[str, str | int | list[str]]:
        """The next line that it prints."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, f"the script ended with {self.process.wait()}: {self.errors()}"
        answer: dict[str, str | int | list[str]] = json.loads(text)
        return answer

    def errors(self) -> str:
        """What it wrote to its standard error; only once it has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def finish(self) -> int:
        """Let it end by itself; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=60)


@contextmanager
def running_script(
    code: str, arguments: Sequence[str], *, python: str = sys.executable, uid: int | None = None, cwd: str = "/"
) -> Iterator[Script]:
    """A script for the length of a block; killed at its end if it still runs."""
    process = subprocess.Popen(
        [python, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=python_environment({"HOME": cwd} if uid is not None else None),
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )
    with process:
        try:
            yield Script(process)
        finally:
            if process.poll() is None:
                process.kill()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def is_running(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
