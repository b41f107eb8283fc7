"""Contacts on GPIO lines. The kernel's part needs a chip and is skipped without one; the messages are not."""

from __future__ import annotations

import errno
import os
import sys
import types
from pathlib import Path

import pytest

from edged.errors import NeedsOperator, RetryLater
from edged.gate.board.gpio import GpioInputs, open_inputs

CHIP = next(iter(sorted(Path("/dev").glob("gpiochip*"))), None)


class Lines:
    """Stands in for an open request of libgpiod, which only a chip can give."""

    def __init__(self, value_type) -> None:
        self.values = {17: value_type.ACTIVE, "BUTTON": value_type.INACTIVE}
        self.released = False

    def get_values(self, lines):
        if self.released:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return [self.values[line] for line in lines]

    def release(self) -> None:
        self.released = True


@pytest.fixture
def lines():
    gpiod_line = pytest.importorskip("gpiod.line", reason="the extra edged[gpio] is not installed")
    made = Lines(gpiod_line.Value)
    return made, GpioInputs(made, gpiod_line.Value.ACTIVE, "/dev/gpiochip0", ["BUTTON", 17])


def test_contacts_come_in_the_order_they_were_asked_for(lines):
    assert lines[1].read() == (False, True)


def test_a_chip_that_goes_away_is_said(lines):
    request, inputs = lines
    inputs.close()
    assert request.released
    with pytest.raises(RetryLater) as lost:
        inputs.read()
    assert lost.value.code == "gpio_lost"


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(NeedsOperator, match=r"edged\[gpio\]") as missing:
        open_inputs("/dev/gpiochip0", [1])
    assert missing.value.code == "gpio_package_missing"


def test_version_1_of_the_package_is_said_to_be_too_old(monkeypatch):
    monkeypatch.setitem(sys.modules, "gpiod", types.ModuleType("gpiod"))
    with pytest.raises(NeedsOperator, match="too old") as missing:
        open_inputs("/dev/gpiochip0", [1])
    assert missing.value.code == "gpio_package_missing"


@pytest.mark.parametrize("path", ["/dev/gpiochip-none", "/dev/null"])
def test_a_chip_that_is_missing_or_none_is_tried_again_later(path):
    pytest.importorskip("gpiod", reason="the extra edged[gpio] is not installed")
    with pytest.raises(RetryLater) as missing:
        open_inputs(path, [1])
    assert missing.value.code == "gpio_chip_missing"
    assert "gpiodetect" in missing.value.hint


def test_a_chip_of_somebody_else_is_a_matter_of_rights(tmp_path):
    pytest.importorskip("gpiod", reason="the extra edged[gpio] is not installed")
    if os.geteuid() == 0:
        pytest.skip("root may open everything")
    locked = tmp_path / "gpiochip0"
    locked.touch(mode=0)
    with pytest.raises(NeedsOperator) as denied:
        open_inputs(str(locked), [1])
    assert denied.value.code == "gpio_denied"


def test_lines_of_a_real_chip_can_be_read():
    pytest.importorskip("gpiod", reason="the extra edged[gpio] is not installed")
    if CHIP is None:
        pytest.skip("this machine has no /dev/gpiochip*: load gpio-sim or run on a board with GPIO")
    try:
        inputs = open_inputs(str(CHIP), [0])
    except NeedsOperator as error:
        pytest.skip(f"line 0 cannot be had: {error}")
    assert len(inputs.read()) == 1
    inputs.close()
