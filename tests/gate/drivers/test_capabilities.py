"""Which pulses a board can make: exact lengths only, or edged times them itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured
from edged.gate.drivers.base import PlainBoard, PulseRange
from edged.gate.drivers.registry import DRIVERS, family, make_driver

TENTHS = PulseRange(0.1, 3276.7, 0.1)
SECONDS = PulseRange(1.0, 255.0, 1.0)


@given(st.integers(1, 32767))
def test_every_whole_number_of_steps_fits(steps):
    assert TENTHS.fits(steps / 10)


@pytest.mark.parametrize(
    ("pulse", "seconds"),
    [
        (TENTHS, 0.25),
        (TENTHS, 0.05),
        (TENTHS, 0.0),
        (TENTHS, 3276.8),
        (SECONDS, 0.5),
        (SECONDS, 1.1),
        (SECONDS, 256.0),
    ],
)
def test_what_lies_between_or_beyond_does_not(pulse, seconds):
    assert not pulse.fits(seconds)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0])
def test_what_is_no_length_does_not_fit(seconds):
    assert not TENTHS.fits(seconds)


def test_a_plain_board_has_nothing_beyond_its_relays():
    board = PlainBoard()
    assert board.read_inputs() is None
    board.feed_watchdog()
    with pytest.raises(NotImplementedError):
        board.pulse(1, 0.5)


@pytest.mark.parametrize(
    ("protocol", "channel"),
    [("lcus", 9), ("devantech", 9), ("k8090", 9), ("dcon", 9), ("numato", 33), ("line", 3)],
)
def test_a_relay_that_no_such_board_has_is_refused_before_anything_is_sent(protocol, channel):
    config = GateConfig(protocol=protocol, channels=64, channel=channel)
    with pytest.raises(Misconfigured) as refused:
        make_driver(config, "/dev/null", SystemClock())
    assert refused.value.code == "relay_board_size"


class Reading:
    """Settings of a gate that note which of them are read."""

    def __init__(self, config: GateConfig) -> None:
        self._config = config
        self.read: set[str] = set()

    def __getattr__(self, key: str) -> Any:
        self.read.add(key)
        return getattr(self._config, key)


@pytest.mark.parametrize("protocol", DRIVERS)
def test_a_driver_declares_the_settings_that_not_every_board_has_and_it_reads(protocol):
    """Else `edged check` says that the setting has no effect, and the schema does not name the protocol."""
    config = Reading(GateConfig(protocol=protocol))
    make_driver(config, "/dev/null", SystemClock())
    assert config.read - {"protocol", "channel", "baud"} <= {*family(protocol).settings}
    assert {*family(protocol).settings} <= GateConfig.model_fields.keys()
