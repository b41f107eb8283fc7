"""The contacts, hours and habits of a door in the configuration."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from edged.config import GateConfig
from edged.config.gate_inputs import InputAddress, parse_input


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("board:1", InputAddress("board", 1)),
        ("board:16,nc", InputAddress("board", 16, normally_closed=True)),
        ("line:cts", InputAddress("line", 1)),
        ("line:dcd, nc", InputAddress("line", 3, normally_closed=True)),
        ("gpio:gpiochip0/17", InputAddress("gpio", chip="/dev/gpiochip0", line=17)),
        ("gpio:/dev/gpiochip2/DOOR_1,nc", InputAddress("gpio", 0, "/dev/gpiochip2", "DOOR_1", True)),
    ],
)
def test_an_address_is_read(text, address):
    assert parse_input(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "board:0",
        "board:-1",
        "board:1,no",
        "board:1,nc,nc",
        "line:rts",
        "gpio:17",
        "gpio:/17",
        "usb:1",
    ],
)
def test_an_address_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r"is not like|nc"):
        parse_input(text)


@pytest.mark.parametrize(
    ("gate", "named"),
    [
        ({"protocol": "lcus", "door_contact": "board:1"}, "has 0 inputs"),
        ({"protocol": "modbus", "profile": "coils", "fire": "board:1"}, "has 0 inputs"),
        ({"protocol": "numato", "board_inputs": 2, "fire": "board:3"}, "board_inputs"),
        ({"protocol": "dcon", "board_inputs": 12, "fire": "board:9"}, "has 8 inputs"),
        ({"protocol": "modbus", "channels": 8, "fire": "board:9"}, "see channels"),
        ({"protocol": "modbus", "fire": "board:3", "tamper": "board:3,nc"}, "same input"),
        ({"protocol": "line", "fire": "line:dsr", "tamper": "board:2"}, "same input"),
        ({"guard": "/run/" + "g" * 103}, "107 bytes"),
        ({"protocol": "dummy", "exit_button": "line:cts"}, "no serial port"),
        ({"protocol": "modbus", "guard": "/run/g", "exit_button": "line:cts"}, "no serial port"),
        ({"protocol": "modbus", "passage_out": "board:1"}, "passage_sensor"),
        ({"held_warn_s": 40.0}, "before held_warn_s"),
        ({"interlock": "trap", "free": ["Mon 08:00-09:00"]}, "interlock"),
        ({"free": ["Mon 8-9"]}, "not like"),
        ({"door_contact": "board:x"}, "not like"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_the_reason(gate, named):
    with pytest.raises(ValidationError, match=named):
        GateConfig.model_validate(gate)


def test_gpio_contacts_go_with_every_board():
    assert GateConfig.model_validate({"protocol": "dummy", "fire": "gpio:gpiochip0/4,nc"}).fire
