"""For the tests of the drivers: the leaping clock alone. `test_contract` has cases in real time as well."""

from __future__ import annotations

import pytest
from leaping_clock import LeapingClock


@pytest.fixture
def clock() -> LeapingClock:
    """One clock for driver, gate and simulated board."""
    return LeapingClock()
