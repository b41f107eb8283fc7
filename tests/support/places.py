"""Where the project's files are, for tests that read or run them, and the pictures that may lie beside it."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
SUPPORT = PROJECT / "tests" / "support"
MEDIA = Path(os.environ.get("EDGED_MEDIA", PROJECT.parent / "shared" / "media"))
"""Real faces and videos, not part of the project. Tests that need them skip without."""
