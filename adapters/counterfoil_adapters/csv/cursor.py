"""How far a kind's files were read, as text that the engine keeps. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from counterfoil_adapters.csv.files import Fingerprint
from counterfoil_schema.exact_json import dumps, loads


@dataclass(frozen=True, slots=True)
class Cursor:
    """The files as they were, under which mapping they were read, and how many changes they have given so far."""

    mapping: str
    files: Mapping[str, Fingerprint]
    count: int
    done: bool

    def dump(self) -> str:
        """As text."""
        files = {name: [each.size, each.mtime_ns, each.sha256] for name, each in self.files.items()}
        return dumps({"mapping": self.mapping, "files": files, "count": self.count, "done": self.done}).decode()

    @classmethod
    def parse(cls, text: str | None) -> "Cursor | None":
        """From text; None for none, and for one that this release cannot read: then everything is read again."""
        try:
            match loads(text or "null"):
                case {"mapping": str(mapping), "files": dict(files), "count": int(count), "done": bool(done)}:
                    return cls(mapping, {name: _fingerprint(each) for name, each in files.items()}, count, done)
                case _:
                    return None
        except ValueError:
            return None

    def same_content(self, files: Mapping[str, Fingerprint]) -> bool:
        """Whether these files hold, byte for byte, what they held."""
        return {name: each.sha256 for name, each in self.files.items()} == {
            name: each.sha256 for name, each in files.items()
        }


def _fingerprint(value: object) -> Fingerprint:
    match value:
        case [int(size), int(mtime_ns), str(sha256)]:
            return Fingerprint(size, mtime_ns, sha256)
        case _:
            raise ValueError("not a fingerprint")
