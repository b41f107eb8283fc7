"""`sim:` URLs: what can be asked for, and what a typing error is answered with."""

from __future__ import annotations

import pytest

from edged.errors import Misconfigured
from edged.gate.sim.url import SimUrl, is_simulated, parse_url


def test_a_bare_url_is_a_basic_board_with_one_relay():
    assert parse_url("sim:lcus") == SimUrl()


def test_every_option_is_read():
    url = (
        "sim:lcus?firmware=feedback&channels=2&baud=19200&link=/tmp/gate0&stuck=1&silent=1"
        "&garbage=55AA&delay_ms=40&self_powered=1&crlf=1"
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
    )


def test_what_the_url_leaves_out_comes_from_the_defaults():
    assert parse_url("sim:lcus?channels=4", {"firmware": "feedback"}) == SimUrl(
        firmware="feedback", channels=4
    )


def test_only_sim_urls_are_simulated():
    assert is_simulated("sim:lcus")
    assert not is_simulated("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0")


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
    ],
)
def test_a_wrong_url_says_what_would_be_right(url, said):
    with pytest.raises(Misconfigured) as caught:
        parse_url(url)
    assert caught.value.code == "sim_url"
    assert said in str(caught.value)
