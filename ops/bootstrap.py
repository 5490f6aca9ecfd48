"""One command from a fresh clone to a running Counterfoil: python3 ops/bootstrap.py run | test | check | bench | …

Standard library only. It makes `.venv`, installs the pinned dependencies with their hashes and then ourselves, and
does what was asked. A second run finds that nothing changed and begins at once. Its own noise goes to
`.counterfoil/bootstrap.log`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if sys.platform != "win32":
    import fcntl
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
SCRATCH = ROOT / ".counterfoil"
LOG = SCRATCH / "bootstrap.log"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
REQUIREMENTS = {"runtime": ROOT / "requirements.txt", "dev": ROOT / "requirements-dev.txt"}
OLDEST_PYTHON = (3, 11)
LOG_LINES_SHOWN = 15

CHECKS = {
    "ruff": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "pyright": ["pyright"],
    "imports": ["lint-imports"],
}

# Most of a test's time is waiting: two at a time left two cores idle for two thirds of it. Whoever is done early takes
# over from the others.
SIDE_BY_SIDE = ("--numprocesses", "4", "--dist", "worksteal")

SANDBOX_REPORT = "COUNTERFOIL_SANDBOX_REPORT"
SANDBOX = tuple(f"COUNTERFOIL_SANDBOX_{name}" for name in ("CLIENT_ID", "CLIENT_SECRET", "REALM_ID", "TOKEN_FILE"))

USAGE = """\
usage: python3 ops/bootstrap.py COMMAND [ARGUMENT ...]

  run        the demo: a sample company synced end to end (needs only what users need)
  test       all checks, then the tests; arguments go to pytest
  test-sandbox  the journeys against Intuit's sandbox too; wants its credentials in the environment
  check      lint, format, types, layers
  bench      the benchmarks
  simulate   companies in bad weather, from seeds; --help says more
  mutate     each promise broken on purpose, in copies, and who catches it; --help says more
  chaos      real processes killed, halted and cut off while people trade; --help says more
  lock       resolve the dependencies anew into the requirements files (--upgrade for newer ones)
  snapshot   write the database schema that the migrations add up to
  catalogue  write the catalogue of events
  setup      only the set-up; `setup dev` with the tools for development"""


def main(arguments: list[str]) -> int:
    """Run one command; the exit code."""
    commands = {
        "run": run,
        "test": test,
        "test-sandbox": test_sandbox,
        "check": check,
        "bench": bench,
        "simulate": simulate,
        "mutate": mutate,
        "chaos": chaos,
        "lock": lock,
        "snapshot": snapshot,
        "catalogue": catalogue,
        "setup": setup,
    }
    if not arguments or arguments[0] not in commands:
        print(USAGE, file=sys.stderr)
        return 2
    refuse_old_python()
    os.chdir(ROOT)
    # Whatever environment we were started from must not leak into ours.
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
        os.environ.pop(name, None)
    return commands[arguments[0]](arguments[1:])


def run(arguments: list[str]) -> int:
    """The demo, in place of this process."""
    ensure("runtime")
    program = str(BIN / "counterfoil")
    sys.stdout.flush()
    os.execv(program, [program, "demo", *arguments])


def test(arguments: list[str]) -> int:
    """All checks and the tests; every step runs, also after one has failed."""
    ensure("dev")
    return steps({**CHECKS, "pytest": ["pytest", *SIDE_BY_SIDE, *arguments]})


def test_sandbox(arguments: list[str]) -> int:
    """The journeys against Intuit's sandbox beside the emulator, and only with credentials."""
    missing = [name for name in SANDBOX if not os.environ.get(name)]
    if missing:
        fail(f"The sandbox wants its credentials in the environment: {', '.join(missing)} not set.")
    ensure("dev")
    # In one process: there is one refresh token. `counterfoil doctor` reads what it leaves.
    os.environ.setdefault(SANDBOX_REPORT, str(ROOT / "sandbox-report.json"))
    return steps({"pytest": ["pytest", "tests/sandbox", *arguments]})


def check(arguments: list[str]) -> int:
    """The checks alone, or those of them that are named."""
    unknown = [name for name in arguments if name not in CHECKS]
    if unknown:
        fail(f"There is no check called {unknown[0]}; there are {', '.join(CHECKS)}.")
    ensure("dev")
    return steps({name: CHECKS[name] for name in arguments or CHECKS})


def bench(arguments: list[str]) -> int:
    """The benchmarks."""
    ensure("dev")
    return subprocess.call([str(PYTHON), "-m", "benchmarks", *arguments])


def simulate(arguments: list[str]) -> int:
    """The simulation; SEEDS=N in the environment says how many seeds."""
    ensure("dev")
    seeds = os.environ.get("SEEDS", "")
    given = ["--seeds", seeds] if seeds else []
    return subprocess.call([str(PYTHON), "-m", "counterfoil.testing.simulation", *given, *arguments])


def chaos(arguments: list[str]) -> int:
    """Chaos on real processes; KILLS=N and SEED=S in the environment say how much of it, and which."""
    ensure("dev")
    given = [f"--{name}={os.environ[name.upper()]}" for name in ("kills", "seed") if os.environ.get(name.upper())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    return subprocess.call([str(PYTHON), "-m", "support.chaos", *given, *arguments], env=environment)


def mutate(arguments: list[str]) -> int:
    """Each promise broken on purpose, in copies, under the tests and the simulation."""
    ensure("dev")
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    return subprocess.call([str(PYTHON), "-m", "mutation", *arguments], env=surroundings)


def snapshot(arguments: list[str]) -> int:
    """The schema that the migrations add up to."""
    ensure("dev")
    return subprocess.call([str(PYTHON), str(ROOT / "ops" / "snapshot.py"), *arguments])


def catalogue(arguments: list[str]) -> int:
    """The catalogue of events, from their models."""
    ensure("dev")
    return subprocess.call([str(PYTHON), str(ROOT / "ops" / "catalogue.py"), *arguments])


def setup(arguments: list[str]) -> int:
    """Nothing but the set-up."""
    ensure("dev" if "dev" in arguments else "runtime")
    return 0


def lock(arguments: list[str]) -> int:
    """Resolve the dependencies of every supported platform anew; pins stay unless `--upgrade` is given."""
    uv = find_uv() or (str(BIN / "uv") if (BIN / "uv").exists() else None)
    if uv is None:
        fail("uv is needed to resolve dependencies: pip install uv")
    common = [uv, "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes"]
    # The files name packages, versions and hashes, never the places where this machine gets them from.
    common += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet"]
    for kind, group in (("dev", "dev"), ("runtime", "build")):
        target = REQUIREMENTS[kind]
        pins = [] if kind == "dev" else ["--constraint", str(REQUIREMENTS["dev"])]
        code = subprocess.call(
            [*common, *pins, "--group", group, "-o", str(target), *arguments], stdout=subprocess.DEVNULL
        )
        if code:
            fail(f"{target.name} could not be resolved.")
        print(f"{target.name}: {count_pins(target)} packages")
    return 0


def steps(commands: dict[str, list[str]]) -> int:
    """Run each command from the environment; say at the end which ones failed."""
    failed = []
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    for name, (program, *arguments) in commands.items():
        print(f"── {name}", flush=True)
        if subprocess.call([str(BIN / program), *arguments], env=environment):
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else f"all passed: {', '.join(commands)}", flush=True)
    return 1 if failed else 0


# -- the environment -------------------------------------------------------------------------------------------------


def ensure(kind: str) -> None:
    """Make the environment what the requirements say, unless a stamp shows that it is."""
    if is_stamped(kind):
        return
    try:
        SCRATCH.mkdir(exist_ok=True)
        with only_one():
            if is_stamped(kind):
                return
            refuse_foreign_venv()
            make_venv()
            install(kind)
    except OSError as error:
        fail(f"The environment could not be made in {ROOT} ({error}): is there space, and may this user write there?")


def stamp_of(kind: str) -> str:
    """What the environment depends on, as one hash."""
    digest = hashlib.sha256(f"{kind} {ROOT}".encode())
    for path in (REQUIREMENTS[kind], ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_stamped(kind: str) -> bool:
    """Whether the environment is up to date; the one for development holds all that users need."""
    kinds = [kind] if kind == "dev" else [kind, "dev"]
    return PYTHON.exists() and any(
        stamp.exists() and stamp.read_text() == stamp_of(name)
        for name, stamp in ((name, VENV / f"{name}.stamp") for name in kinds)
    )


def install(kind: str) -> None:
    """Dependencies by hash, then ourselves as they lie here."""
    requirements = REQUIREMENTS[kind]
    uv = find_uv()
    print(f"Installing {count_pins(requirements)} packages{'' if uv else ' (once; a minute or two)'} …", flush=True)
    started = time.monotonic()
    if uv:
        base = [uv, "pip", "install", "--python", str(PYTHON)]
    else:
        base = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    noisily([*base, "--require-hashes", "-r", str(requirements)], "The dependencies could not be installed.")
    noisily([*base, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], "Counterfoil itself could not be installed.")
    for stamp in VENV.glob("*.stamp"):
        stamp.unlink()
    (VENV / f"{kind}.stamp").write_text(stamp_of(kind))
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)


def make_venv() -> None:
    """An environment of our own, unless there is one that works with a Python that is new enough."""
    uv = find_uv()
    # One that uv made has no pip; it serves only as long as uv is there.
    needed = "import sys" if uv else "import sys, pip"
    if PYTHON.exists() and works([str(PYTHON), "-c", f"{needed}; sys.exit(sys.version_info < {OLDEST_PYTHON})"]):
        return
    if uv:
        noisily([uv, "venv", "--clear", "--python", sys.executable, str(VENV)], "The environment could not be made.")
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        fail(
            "This Python cannot make environments: install its venv module "
            f"(Debian, Ubuntu: apt install python3.{sys.version_info[1]}-venv)."
        )
    noisily([sys.executable, "-m", "venv", "--clear", str(VENV)], "The environment could not be made.")


def refuse_foreign_venv() -> None:
    """Somebody else's environment cannot be brought up to date."""
    if VENV.exists() and not os.access(VENV, os.W_OK):
        fail(f"{VENV} belongs to another user: clone the project anew, or remove that folder as its owner.")


def find_uv() -> str | None:
    """uv, if the user has it: ten times as fast."""
    return shutil.which("uv")


def refuse_old_python() -> None:
    """Say in one line what is missing."""
    if sys.version_info < OLDEST_PYTHON:
        fail(
            f"Counterfoil needs Python 3.11 or newer and this is {sys.version.split()[0]}: install one "
            "(Debian, Ubuntu: apt install python3) and name it: make PYTHON=python3.12 run"
        )


def works(command: list[str]) -> bool:
    """Whether a command can be run and says yes."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def noisily(command: list[str], complaint: str) -> None:
    """Run a command with its output in the log; the end of the log is shown if it fails."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    with LOG.open("w", encoding="utf-8") as log:
        code = subprocess.call(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    if code:
        tail = LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        print("\n".join(tail), file=sys.stderr)
        fail(f"{complaint} The whole story is in {LOG}.")


@contextmanager
def only_one() -> Iterator[None]:
    """A lock on the environment, so that two commands started at once do not install into it together."""
    with (SCRATCH / "bootstrap.lock").open("w") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def count_pins(requirements: Path) -> int:
    """How many packages a requirements file pins."""
    return sum(not line.startswith((" ", "#")) for line in requirements.read_text(encoding="utf-8").splitlines())


def fail(sentence: str) -> NoReturn:
    """Stop with one sentence."""
    print(sentence, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)
