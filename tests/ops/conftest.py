"""The tests of what operators get use the same processes and clients as the end-to-end tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))
