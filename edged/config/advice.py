"""Advice on valid settings that deserve a second look before a door depends on them. Refuses nothing.

Each check is one function in `_CHECKS` that takes the configuration and yields advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from edged.config.camera_section import CameraConfig
from edged.config.gate_advice import lonely_interlocks, second_looks
from edged.config.gate_section import GateConfig
from edged.config.load import Loaded
from edged.config.mask import mask_url
from edged.config.paths import is_file_source
from edged.config.problems import Problem, in_file_order
from edged.config.schema import Config
from edged.config.yaml_lines import dotted, key_path

Exists = Callable[[str], bool]

# Open-set false accepts grow with the number of people; 80 is one wrong person in 10,000 one to one.
LOWEST_SOUND_THRESHOLD = 80

_SERIAL_NAMES = ("/dev/ttyUSB", "/dev/ttyACM", "/dev/ttyCH341USB")


@dataclass(frozen=True)
class Advice:
    """One remark: the key (`more_gates.0.port`), what the file says, what it means or what to do."""

    key: str
    message: str
    hint: str


def advise(loaded: Loaded, exists: Exists) -> tuple[Problem, ...]:
    """What an experienced installer remarks on this configuration.

    Args:
        loaded: a configuration without problems.
        exists: whether a path is there now, usually `os.path.exists`.

    Returns:
        Remarks in the order of the file; empty is good. None of them stops edged from running.
    """
    file = "built-in defaults" if loaded.path is None else str(loaded.path)
    remarks = []
    for check in _CHECKS:
        for advice in check(loaded.config, exists):
            path = key_path(advice.key)
            mark = loaded.marks.get(path)
            line, column = (mark.line, mark.column) if mark else (None, None)
            remarks.append(
                Problem(
                    file=file,
                    line=line,
                    column=column,
                    key=dotted(path),
                    message=advice.message,
                    hint=advice.hint,
                )
            )
    return in_file_order(remarks)


def _doors(config: Config) -> Iterator[tuple[str, GateConfig]]:
    """Every door with the key of its section."""
    for number, gate in enumerate(config.gates):
        yield ("gate" if number == 0 else f"more_gates.{number - 1}"), gate


def _cameras(config: Config) -> Iterator[tuple[str, CameraConfig]]:
    """Every camera with the key of its section."""
    for number, camera in enumerate(config.cameras):
        yield ("camera" if number == 0 else f"more_cameras.{number - 1}"), camera


def _simulated(config: Config, exists: Exists) -> Iterator[Advice]:
    for key, gate in _doors(config):
        if gate.port.startswith("sim:") or gate.family.switched_by == "nothing":
            yield Advice(
                f"{key}.port" if gate.port.startswith("sim:") else f"{key}.protocol",
                "the gate is simulated, no relay will move",
                "set its port to the board's /dev/serial/by-id/… when it is wired",
            )
    for key, camera in _cameras(config):
        if camera.source.startswith("demo:"):
            yield Advice(
                f"{key}.source",
                "the pictures come from the built-in scene, not from a camera",
                "set it to /dev/v4l/by-id/… or rtsp://…",
            )


def _port(config: Config, exists: Exists) -> Iterator[Advice]:
    for section, gate in _doors(config):
        key, port = f"{section}.port", gate.port
        if ":" in port and not port.startswith("/"):
            continue
        if not port.startswith("/"):
            yield Advice(
                key, f"{port} is not a full path", f"write /dev/{port}, or better /dev/serial/by-id/…"
            )
        elif port.startswith(_SERIAL_NAMES):
            yield Advice(
                key,
                f"{port} may be another device after the next start",
                "write its name under /dev/serial/by-id/ (or by-path/ for two boards of one kind)",
            )
        if port.startswith("/") and not exists(port):
            yield Advice(key, f"{port} is not there now", "plug the board in, or correct the path")


def _camera(config: Config, exists: Exists) -> Iterator[Advice]:
    for section, camera in _cameras(config):
        key, source = f"{section}.source", camera.source
        if source.isdigit() or source.startswith("/dev/video"):
            yield Advice(
                key,
                f"{source} may be another camera after the next start",
                "write its name under /dev/v4l/by-id/",
            )
        if is_file_source(source) and not exists(source):
            yield Advice(key, f"{source} is not there now", "plug the camera in, or correct the path")


def _unseen(config: Config, exists: Exists) -> Iterator[Advice]:
    """Doors without a camera; with one door there are none."""
    watched = {config.door_of(camera) for camera in config.cameras}
    for key, gate in _doors(config):
        if gate.id not in watched:
            yield Advice(
                f"{key}.id",
                f"no camera is at the door {gate.id}, so nobody is let in there by their face",
                f"write `door: {gate.id}` at its camera",
            )


def _recognition(config: Config, exists: Exists) -> Iterator[Advice]:
    threshold = config.recognition.threshold
    if threshold is not None and threshold < LOWEST_SOUND_THRESHOLD:
        yield Advice(
            "recognition.threshold",
            f"{threshold:g} lets strangers in as somebody else far too often",
            "leave it empty (90, or 92 above 1,000 people); never below 80 on a door",
        )
    cloud = config.recognition.cloud.threshold
    if config.recognition.engine != "local" and cloud < LOWEST_SOUND_THRESHOLD:
        yield Advice(
            "recognition.cloud.threshold",
            f"{cloud:g} lets strangers in as somebody else far too often",
            "80 is one false accept in 10,000 comparisons; never below it on a door",
        )


def _access(config: Config, exists: Exists) -> Iterator[Advice]:
    if config.access.cool_down_s == 0:
        yield Advice(
            "access.cool_down_s",
            "without a pause, one person standing there opens again and again",
            "5 seconds suit most doors",
        )


def _gates(config: Config, exists: Exists) -> Iterator[Advice]:
    doors = list(_doors(config))
    for section, gate in doors:
        for remark in second_looks(gate):
            yield Advice(f"{section}.{remark.key}", remark.message, remark.hint)
    for number in lonely_interlocks(config.gates):
        yield Advice(
            f"{doors[number][0]}.interlock",
            "no other door has this interlock, so it keeps nothing shut",
            "write the same name at the other doors of the man-trap",
        )


def _targets(config: Config, exists: Exists) -> Iterator[Advice]:
    for number, target in enumerate(config.delivery.targets):
        parts = urlsplit(target.url or "")
        if parts.scheme in ("http", "mqtt") and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            yield Advice(
                f"delivery.targets.{number}.url",
                f"records and keys for {target.name} can be read on the network",
                f"use {parts.scheme}s:// where the receiver speaks it",
            )


_CHECKS: tuple[Callable[[Config, Exists], Iterator[Advice]], ...] = (
    _simulated,
    _port,
    _camera,
    _unseen,
    _recognition,
    _access,
    _gates,
    _targets,
)


def summary(config: Config) -> dict[str, str]:
    """The settings an installer looks for first, in words, without credentials.

    Further cameras and doors are `camera 2`, `gate 2` and so on, and each camera then names its door.
    """
    recognition = config.recognition
    threshold = (
        "chosen by the number of people" if recognition.threshold is None else f"{recognition.threshold:g}"
    )
    return {
        **{_nth("camera", n): _camera_words(config, camera) for n, camera in enumerate(config.cameras, 1)},
        **{_nth("gate", n): _gate_words(gate) for n, gate in enumerate(config.gates, 1)},
        "engine": f"{recognition.engine}, threshold {threshold}, {recognition.agreeing_shots} agreeing shots",
        "data": str(config.data_dir),
    }


def _nth(what: str, number: int) -> str:
    return what if number == 1 else f"{what} {number}"


def _camera_words(config: Config, camera: CameraConfig) -> str:
    words = [f"{camera.id}: {mask_url(camera.source)}"]
    if len(config.gates) > 1:
        words.append(f"at door {config.door_of(camera)}")
    if camera.direction != "both":
        words.append(f"going {camera.direction}")
    return ", ".join(words)


def _gate_words(gate: GateConfig) -> str:
    on_s = gate.pulse_s if gate.mode == "pulse" else gate.hold_s
    board = f" board {gate.address}" if gate.family.addressed else ""
    guard = "" if gate.guard is None else f", guarded through {gate.guard}"
    return (
        f"{gate.id}: {gate.protocol}{board} at {gate.port}, relay {gate.channel}, "
        f"{gate.mode} {on_s:g} s{guard}"
    )
