"""`python -m counterfoil.demo`: the same as `counterfoil demo`."""

import sys

from counterfoil.cli.tasks.demo import demonstrate

if __name__ == "__main__":
    sys.exit(demonstrate(sys.argv[1:]))
