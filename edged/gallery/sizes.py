"""How large a template and a gallery are. Figures only, so that a library opens without numpy."""

from __future__ import annotations

from typing import Final

TEMPLATE_SIZE: Final = 128
DEFAULT_CAPACITY: Final = 50_000
MAX_CAPACITY: Final = 100_000  # what one core searches in about 3 ms
