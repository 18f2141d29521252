"""Run the program: `python -m generator` is the same as `easel-generator`."""

import sys

from generator.cli import main

if __name__ == "__main__":
    sys.exit(main())
