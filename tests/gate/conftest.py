"""For the tests of the gate: a bench, boards and drivers on a clock that leaps over waiting.

In real time run the cases of `test_service` and `test_faults`, which play on both clocks, the last ones of
`drivers/test_contract`, and all with further processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from board_contract import driver_on
from gate_bench import GateBench
from leaping_clock import LeapingClock

from edged.clock import Clock, SystemClock
from edged.gate.drivers.base import RelayDriver
from edged.gate.sim import SimBoard, parse_url


@pytest.fixture
def clock() -> Clock:
    """One clock for driver, gate and simulated board."""
    return LeapingClock()


@pytest.fixture
def bench(clock: Clock) -> Iterator[GateBench]:
    with GateBench(clock) as made:
        yield made


@pytest.fixture
def real_bench() -> Iterator[GateBench]:
    """With the machine's clock, for gates that deal with other processes."""
    with GateBench(SystemClock()) as made:
        yield made


@pytest.fixture
def make_board(clock: Clock) -> Iterator[Callable[[str], SimBoard]]:
    """Makes the board of a `sim:` URL."""
    with ExitStack() as stack:

        def make(url: str) -> SimBoard:
            return stack.enter_context(closing(SimBoard(parse_url(url), clock)))

        yield make


@pytest.fixture
def open_driver(clock: Clock) -> Iterator[Callable[..., RelayDriver]]:
    """Makes and opens the driver of a simulated board: `open_driver(board, protocol="lcus")`."""
    with ExitStack() as stack:

        def make(board: SimBoard, **gate: Any) -> RelayDriver:
            driver = stack.enter_context(closing(driver_on(board, clock, **gate)))
            driver.open()
            return driver

        yield make
