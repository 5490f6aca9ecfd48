"""Privacy: who is one person here, what is held on them, its export, and their erasure."""

from counterfoil.privacy.erasing import Erasure, NotErasableError, erase
from counterfoil.privacy.exporting import write_export
from counterfoil.privacy.people import NoPersonError, People, Person
from counterfoil.privacy.scanning import Held, Retained, scan

__all__ = [
    "Erasure",
    "Held",
    "NoPersonError",
    "NotErasableError",
    "People",
    "Person",
    "Retained",
    "erase",
    "scan",
    "write_export",
]
