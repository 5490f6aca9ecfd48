"""The command line. `main` is the entry point; each command imports what it needs when it runs."""

from counterfoil.cli.app import main

__all__ = ["main"]
