"""`python -m support.chaos` is what `make chaos` runs."""

import sys

from support.chaos.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
