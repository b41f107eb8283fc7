"""Several doors and cameras in one file: what cannot be together is refused at its line, all are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import PROJECT

from edged.config import ConfigProblems, Loaded
from edged.config.advice import advise, summary
from edged.config.load import parse_config

TWO = """\
camera: {source: /dev/v4l/by-id/a, door: lane1}
more_cameras:
  - id: cam2
    door: lane2
    source: /dev/v4l/by-id/b
gate:
  id: lane1
  port: /dev/serial/by-id/board
  protocol: modbus
more_gates:
  - id: lane2
    port: /dev/serial/by-id/board
    protocol: modbus
    channel: 2
"""

PAGE = (PROJECT / "docs" / "doors-several.md").read_text("utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        parse_config(text.encode(), "f")
    return [str(problem) for problem in caught.value.problems]


def remarks(text: str) -> list[str]:
    config, marks = parse_config(text.encode(), "f")
    return [str(r) for r in advise(Loaded(config, Path("f"), marks), lambda _: True)]


def test_two_lanes_on_one_board_are_sound():
    assert remarks(TWO) == []


@pytest.mark.parametrize("sample", re.findall(r"```yaml\n(.*?)```", PAGE, re.S))
def test_the_page_about_several_doors_shows_sound_files(sample):
    assert remarks(sample) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "    door: lane2\n",
            "    door: lane3\n",
            "f:4:5: more_cameras[0].door: camera cam2 belongs to door lane3, but the doors are lane1, lane2",
        ),
        (
            "door: lane1}",
            "door: lane0}",
            "f:1:36: camera.door: camera cam1 belongs to door lane0, but the doors are lane1, lane2",
        ),
        (
            "  - id: lane2\n",
            "  - id: lane1\n",
            "f:11:5: more_gates[0].id: two are called lane1: give each gate an id of its own",
        ),
        (
            "  - id: cam2\n",
            "  - id: cam1\n",
            "f:3:5: more_cameras[0].id: two are called cam1: give each camera an id of its own",
        ),
        (
            "    channel: 2\n",
            "    channel: 1\n",
            "f:14:5: more_gates[0].channel: lane2 has the relay of lane1: "
            "port /dev/serial/by-id/board, address 1, channel 1",
        ),
        (
            "    channel: 2\n",
            "",
            "f:12:5: more_gates[0].port: lane2 has the relay of lane1: "
            "port /dev/serial/by-id/board, address 1, channel 1",
        ),
        (
            "    channel: 2\n",
            "    channel: 2\n    baud: 19200\n",
            "f:15:5: more_gates[0].baud: lane2 and lane1 share the port /dev/serial/by-id/board, but not "
            "baud",
        ),
        (
            "    channel: 2\n",
            "    channel: 2\n    profile: coils\n",
            "f:15:5: more_gates[0].profile: lane2 and lane1 share the port /dev/serial/by-id/board and so "
            "one board, but not profile",
        ),
        (
            "    channel: 2\n",
            "    channel: 2\n    guard: /run/g.sock\n",
            "f:15:5: more_gates[0].guard: lane2 and lane1 share the port /dev/serial/by-id/board, and a port "
            "with a gate guard carries one door: give each door a board of its own",
        ),
        (
            "  protocol: modbus\nmore",
            "  protocol: modbus\n  guard: /run/g.sock\nmore",
            "f:13:5: more_gates[0].port: lane2 and lane1 share the port /dev/serial/by-id/board, and a port "
            "with a gate guard carries one door",
        ),
    ],
)
def test_what_cannot_be_together_is_refused_at_its_line(before, after, expected):
    assert before in TWO
    (problem,) = problems(TWO.replace(before, after))
    assert problem.startswith(expected)


def test_the_lines_of_one_port_cannot_serve_two_doors():
    (problem,) = problems(TWO.replace("modbus", "line"))
    assert "whose lines cannot be opened for two doors" in problem


def test_a_default_that_clashes_is_told_at_the_item_that_left_it_out():
    (problem,) = problems("more_cameras:\n  - direction: in\n")
    assert problem.startswith("f:2:5: more_cameras[0].id: two are called cam1")


def test_an_address_tells_boards_apart_only_where_boards_have_addresses():
    two_boards = TWO.replace("    channel: 2\n", "    address: 2\n    profile: coils\n")
    assert remarks(two_boards) == []
    (problem,) = problems(two_boards.replace("modbus", "k8090").replace("    profile: coils\n", ""))
    assert "lane2 has the relay of lane1: port /dev/serial/by-id/board, channel 1" in problem


def test_one_guard_serves_one_door():
    guarded = TWO.replace("modbus\n", "modbus\n  guard: /run/g.sock\n", 1).replace(
        "    port: /dev/serial/by-id/board\n", "    port: /dev/serial/by-id/other\n    guard: /run/g.sock\n"
    )
    (problem,) = problems(guarded)
    assert problem.startswith("f:14:5: more_gates[0].guard: lane2 and lane1 have the same gate guard")


@pytest.mark.parametrize(
    ("section", "item"), [("more_gates", "{id: d%d, protocol: dummy}"), ("more_cameras", "{id: c%d}")]
)
def test_a_box_has_eight_of_each_at_most(section, item):
    def with_more(count: int) -> str:
        return f"{section}:\n" + "".join(f"  - {item % number}\n" for number in range(count))

    parse_config(with_more(7).encode(), "f")
    (problem,) = problems(with_more(8))
    assert section in problem


def test_a_wrong_key_of_a_further_door_is_told_like_that_of_the_first():
    (problem,) = problems(TWO.replace("    channel: 2\n", "    chanel: 2\n    channel: 2\n"))
    assert problem.startswith('f:14:5: more_gates[0].chanel: unknown key; did you mean "channel"?')


# -- advice and summary


def test_every_camera_and_door_is_advised_on_at_its_own_line():
    doubtful = (
        TWO.replace("/dev/v4l/by-id/b", "'demo:'")
        .replace("    port: /dev/serial/by-id/board", "    port: /dev/ttyUSB0")
        .replace("    channel: 2\n", "    channel: 2\n    profile: coils\n    mode: hold\n    queue: 1\n")
    )
    assert [remark.split(": ")[:2] for remark in remarks(doubtful)] == [
        ["f:5:5", "more_cameras[0].source"],
        ["f:12:5", "more_gates[0].port"],
        ["f:16:5", "more_gates[0].mode"],
        ["f:17:5", "more_gates[0].queue"],
    ]


def test_a_door_that_no_camera_sees_is_pointed_out():
    (remark,) = remarks(TWO.replace("    door: lane2\n", "    door: lane1\n"))
    assert remark.startswith("f:11:5: more_gates[0].id: no camera is at the door lane2")


def test_the_summary_shows_all_cameras_and_doors_and_where_each_camera_is():
    config, _ = parse_config(
        TWO.replace("    channel: 2\n", "    address: 2\n")
        .replace("    door: lane2", "    direction: out\n    door: lane2")
        .encode(),
        "f",
    )
    shown = summary(config)
    assert list(shown) == ["camera", "camera 2", "gate", "gate 2", "engine", "data"]
    assert shown["camera 2"] == "cam2: /dev/v4l/by-id/b, at door lane2, going out"
    assert shown["gate 2"] == "lane2: modbus board 2 at /dev/serial/by-id/board, relay 1, pulse 0.5 s"
