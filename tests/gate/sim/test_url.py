"""`sim:` URLs: what can be asked for, and what a typing error is answered with."""

from __future__ import annotations

import pytest

from edged.config import GateConfig
from edged.errors import Misconfigured
from edged.gate.sim.url import SimUrl, is_simulated, parse_url, simulated_board


def test_a_bare_url_is_a_basic_board_with_one_relay():
    assert parse_url("sim:lcus") == SimUrl()


def test_every_option_is_read():
    url = (
        "sim:lcus?firmware=feedback&channels=2&baud=19200&link=/tmp/gate0&stuck=1&silent=1"
        "&garbage=55AA&delay_ms=40&self_powered=1&crlf=1&address=17&inputs=011&split_ms=100&cut=2&bad_sum=1&echo=1"
        "&deaf=1&unplug_ms=5000&replug_ms=250"
    )
    assert parse_url(url) == SimUrl(
        firmware="feedback",
        channels=2,
        baud=19200,
        link="/tmp/gate0",
        stuck=1,
        silent=True,
        garbage=b"\x55\xaa",
        delay_s=0.04,
        self_powered=True,
        crlf=True,
        address=17,
        inputs=(False, True, True),
        split_s=0.1,
        cut=2,
        bad_sum=True,
        echo=True,
        deaf=True,
        unplug_s=5.0,
        replug_s=0.25,
    )


def test_what_the_url_leaves_out_comes_from_the_defaults():
    assert parse_url("sim:lcus?channels=4", {"firmware": "feedback"}) == SimUrl(
        firmware="feedback", channels=4
    )


def test_only_sim_urls_are_simulated():
    assert is_simulated("sim:lcus")
    assert not is_simulated("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0")


def test_a_board_has_its_usual_relays_inputs_and_firmware():
    board = parse_url("sim:modbus")
    assert (board.firmware, board.channels, board.inputs) == ("waveshare", 8, (False,) * 8)


@pytest.mark.parametrize(
    ("gate", "firmware", "channels"),
    [
        ({"port": "sim:lcus", "firmware": "feedback"}, "feedback", 1),
        ({"port": "sim:modbus", "protocol": "modbus", "profile": "fc06", "channels": 4}, "fc06", 4),
        ({"port": "sim:modbus", "protocol": "modbus"}, "waveshare", 8),
        ({"port": "sim:modbus?firmware=coils", "protocol": "modbus", "profile": "fc06"}, "coils", 8),
        ({"port": "sim:modbus"}, "waveshare", 8),  # lcus spoken to a Modbus board: simulated as it is
    ],
)
def test_the_simulated_board_follows_the_section_and_its_url_has_the_last_word(gate, firmware, channels):
    board = simulated_board(GateConfig(**gate))
    assert (board.firmware, board.channels) == (firmware, channels)


@pytest.mark.parametrize(
    "gate", [{"port": "/dev/ttyUSB0"}, {"port": "sim:lcus", "protocol": "dummy"}], ids=["real", "dummy"]
)
def test_nothing_is_simulated_for_a_real_port_and_without_a_board(gate):
    assert simulated_board(GateConfig(**gate)) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sim:lcsu", "Did you mean 'lcus'?"),
        ("sim:", "Known: lcus"),
        ("sim:lcus?chanels=2", "Did you mean 'channels'?"),
        ("sim:lcus?firmware=new", "must be basic or feedback"),
        ("sim:lcus?channels=65", "from 1 to 64"),
        ("sim:lcus?channels=²", "from 1 to 64"),
        ("sim:lcus?silent=yes", "must be 0 or 1"),
        ("sim:lcus?garbage=xyz", "hexadecimal"),
        ("sim:lcus?link=gate0", "absolute path"),
        ("sim:lcus?delay_ms=", "from 0 to 60000"),
        ("sim:lcus?stuck=2", "the board has 1 channels"),
        ("sim:lcus?inputs=012", "digits 0 or 1"),
        ("sim:lcus?inputs=", "digits 0 or 1"),
        ("sim:modbus?replug_ms=5", "without unplug_ms"),
        ("sim:modbus?firmware=basic", "must be waveshare or coils or fc06"),
        ("sim:modbus?address=256", "from 0 to 255"),
    ],
)
def test_a_wrong_url_says_what_would_be_right(url, said):
    with pytest.raises(Misconfigured) as caught:
        parse_url(url)
    assert caught.value.code == "sim_url"
    assert said in str(caught.value)
