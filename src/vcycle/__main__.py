"""python -m vcycle, and so torchrun -m vcycle."""

import sys

from vcycle.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
