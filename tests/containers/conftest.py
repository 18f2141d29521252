"""What these tests share with those of the running site: a visitor with a browser, and a program that uses the API."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "e2e"))
