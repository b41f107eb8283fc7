"""Advice: allowed settings that are worth a second look, and the summary without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.config import Loaded
from edged.config.advice import advise, summary
from edged.config.load import parse_config
from edged.config.mask import mask_url

SOUND = "camera: {source: /dev/v4l/by-id/cam}\ngate:\n  port: /dev/serial/by-id/board\n"


def remarks(text: str, exists=lambda _: True) -> list[str]:
    config, marks = parse_config(text.encode(), "f")
    return [f"{r.line}: {r.key}: {r.message}" for r in advise(Loaded(config, Path("f"), marks), exists)]


def test_a_sound_configuration_gets_no_advice():
    assert remarks(SOUND) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "camera: {source: 'demo:'}\ngate: {port: /dev/x}",
            "1: camera.source: the pictures come from the built-in",
        ),
        (SOUND.replace("/dev/serial/by-id/board", "sim:lcus"), "3: gate.port: the gate is simulated"),
        (SOUND + "  protocol: dummy\n", "4: gate.protocol: the gate is simulated"),
        (SOUND.replace("serial/by-id/board", "ttyUSB0"), "3: gate.port: /dev/ttyUSB0 may be another device"),
        (SOUND.replace("/dev/serial/by-id/board", "ttyUSB0"), "3: gate.port: ttyUSB0 is not a full path"),
        (SOUND.replace("/dev/v4l/by-id/cam", "0"), "1: camera.source: 0 may be another camera"),
        (SOUND.replace("v4l/by-id/cam", "video2"), "1: camera.source: /dev/video2 may be another camera"),
        (SOUND + "  mode: hold\n", "4: gate.mode: this board cannot end the on-time itself"),
        (
            SOUND + "  protocol: modbus\n  fire: board:2\n",
            "5: gate.fire: board:2 is a contact that is open while nothing is the matter",
        ),
        (
            SOUND + "  protocol: kmtronic\n  profile: coils\n",
            "5: gate.profile: has no effect with protocol kmtronic",
        ),
        (SOUND + "  free_exit: true\n", "4: gate.free_exit: has no effect without passage_sensor"),
        (SOUND + "  relock_on: open\n", "4: gate.relock_on: has no effect in pulse mode"),
        (SOUND + "  interlock: trap\n", "4: gate.interlock: no other door has this interlock"),
        (
            SOUND + "  protocol: dcon\n  mode: hold\n  hold_s: 20.0\n  accessibility_groups: [slow]\n",
            "7: gate.accessibility_groups: their 40 s are cut off after max_on_s (30)",
        ),
        (SOUND + "recognition: {threshold: 79.5}", "4: recognition.threshold: 79.5 lets strangers in"),
        (
            SOUND + "more_gates: [{id: d2, port: /dev/serial/by-id/2, protocol: modbus, tamper: board:2}]\n"
            "more_cameras: [{id: c2, door: d2, source: /dev/v4l/by-id/c2}]",
            "4: more_gates[0].tamper: board:2 is a contact that is open",
        ),
        (
            SOUND + "recognition: {engine: cloud, cloud: {threshold: 79}}",
            "4: recognition.cloud.threshold: 79 lets strangers in",
        ),
        (SOUND + "access: {cool_down_s: 0}", "4: access.cool_down_s: without a pause"),
    ],
)
def test_a_doubtful_setting_gets_one_remark_at_its_place(text, expected):
    (remark,) = remarks(text)
    assert remark.startswith(expected)


def test_a_queue_in_hold_mode_is_said_to_have_no_effect():
    assert any("gate.queue: has no effect" in r for r in remarks(SOUND + "  mode: hold\n  queue: 2\n"))


def test_a_port_and_a_camera_that_are_not_there_are_named():
    assert [r.split(": ")[1] for r in remarks(SOUND, exists=lambda _: False)] == [
        "camera.source",
        "gate.port",
    ]


def test_a_default_is_advised_on_without_a_line():
    assert {r.split(":")[0] for r in remarks("")} == {"None"}


def test_the_summary_hides_the_password_of_the_camera():
    config, _ = parse_config(b"camera: {source: 'rtsp://admin:hunter2@10.0.0.9/live'}", "f")
    assert summary(config)["camera"] == "cam1: rtsp://***@10.0.0.9/live"


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://admin:hunter2@cam/1",
        "rtsp://admin:p@hunter2@cam/1",
        "rtsp://cam/user=admin_password=hunter2_channel=1",
        "http://cam/video?user=admin&pwd=hunter2",
        "read rtsp://hunter2@cam/1 and http://u:hunter2@x failed",
    ],
)
def test_no_form_of_credentials_in_an_address_survives_masking(address):
    assert "hunter2" not in mask_url(address)


def test_an_address_without_credentials_is_left_alone():
    assert mask_url("rtsp://10.0.0.9:554/live?profile=a") == "rtsp://10.0.0.9:554/live?profile=a"
