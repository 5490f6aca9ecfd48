"""`python -m counterfoil.testing.simulation`."""

import sys

from counterfoil.testing.simulation.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
