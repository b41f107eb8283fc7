"""For the tests of the simulated boards: the leaping clock alone, as in the tests of the drivers."""

from __future__ import annotations

import pytest
from leaping_clock import LeapingClock


@pytest.fixture
def clock() -> LeapingClock:
    """One clock for the board and the program that asks it."""
    return LeapingClock()
