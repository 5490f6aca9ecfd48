"""`python -m counterfoil.quickbooks.emulator`."""

import asyncio
import sys

from counterfoil.quickbooks.emulator.command import serve

if __name__ == "__main__":
    sys.exit(asyncio.run(serve(sys.argv[1:])))
