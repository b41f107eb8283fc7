"""Settings that are allowed and still worth a second look before a door depends on them. Refuses nothing.

Each check is one function in `_CHECKS` that takes the configuration and yields advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edged.config.load import Loaded, is_file_source
from edged.config.mask import mask_url
from edged.config.problems import Problem, in_file_order
from edged.config.schema import Config

Exists = Callable[[str], bool]

# Open-set false accepts grow with the number of people; 80 is one wrong person in 10,000 one to one.
LOWEST_SOUND_THRESHOLD = 80

_NO_TIMER = ("lcus", "kmtronic", "numato", "devantech", "line")
"""Protocols of boards that neither end an on-time nor notice a dead host (gate hardware reference 1.1)."""

_SERIAL_NAMES = ("/dev/ttyUSB", "/dev/ttyACM", "/dev/ttyCH341USB")


@dataclass(frozen=True)
class Advice:
    """One remark: the dotted key, what was seen, what it means or what to do."""

    key: str
    message: str
    hint: str


def advise(loaded: Loaded, exists: Exists) -> tuple[Problem, ...]:
    """What somebody who has fitted many doors would say about this configuration.

    Args:
        loaded: a configuration without problems.
        exists: says whether a path is there now, usually `os.path.exists`.

    Returns:
        Remarks in the order of the file; empty is good. None of them stops edged from running.
    """
    file = "built-in defaults" if loaded.path is None else str(loaded.path)
    remarks = []
    for check in _CHECKS:
        for advice in check(loaded.config, exists):
            mark = loaded.marks.get(tuple(advice.key.split(".")))
            line, column = (mark.line, mark.column) if mark else (None, None)
            remarks.append(
                Problem(
                    file=file,
                    line=line,
                    column=column,
                    key=advice.key,
                    message=advice.message,
                    hint=advice.hint,
                )
            )
    return in_file_order(remarks)


def _simulated(config: Config, exists: Exists) -> Iterator[Advice]:
    if config.gate.port.startswith("sim:") or config.gate.protocol == "dummy":
        yield Advice(
            "gate.port" if config.gate.port.startswith("sim:") else "gate.protocol",
            "the gate is simulated, no relay will move",
            "set gate.port to the board's /dev/serial/by-id/… when it is wired",
        )
    if config.camera.source.startswith("demo:"):
        yield Advice(
            "camera.source",
            "the pictures come from the built-in scene, not from a camera",
            "set it to /dev/v4l/by-id/… or rtsp://…",
        )


def _port(config: Config, exists: Exists) -> Iterator[Advice]:
    port = config.gate.port
    if ":" in port and not port.startswith("/"):
        return
    if not port.startswith("/"):
        yield Advice(
            "gate.port", f"{port} is not a full path", f"write /dev/{port}, or better /dev/serial/by-id/…"
        )
    elif port.startswith(_SERIAL_NAMES):
        yield Advice(
            "gate.port",
            f"{port} may be another device after the next start",
            "write its name under /dev/serial/by-id/ (or by-path/ for two boards of one kind)",
        )
    if port.startswith("/") and not exists(port):
        yield Advice("gate.port", f"{port} is not there now", "plug the board in, or correct the path")


def _camera(config: Config, exists: Exists) -> Iterator[Advice]:
    source = config.camera.source
    if source.isdigit() or source.startswith("/dev/video"):
        yield Advice(
            "camera.source",
            f"{source} may be another camera after the next start",
            "write its name under /dev/v4l/by-id/",
        )
    if is_file_source(source) and not exists(source):
        yield Advice("camera.source", f"{source} is not there now", "plug the camera in, or correct the path")


def _recognition(config: Config, exists: Exists) -> Iterator[Advice]:
    threshold = config.recognition.threshold
    if threshold is not None and threshold < LOWEST_SOUND_THRESHOLD:
        yield Advice(
            "recognition.threshold",
            f"{threshold:g} lets strangers in as somebody else far too often",
            "leave it empty (90, or 92 above 1,000 people); never below 80 on a door",
        )


def _access(config: Config, exists: Exists) -> Iterator[Advice]:
    if config.access.cool_down_s == 0:
        yield Advice(
            "access.cool_down_s",
            "without a pause, one person standing there opens again and again",
            "5 seconds suit most doors",
        )


def _on_time(config: Config, exists: Exists) -> Iterator[Advice]:
    gate = config.gate
    if gate.mode == "hold" and (gate.protocol in _NO_TIMER or gate.profile == "coils"):
        yield Advice(
            "gate.mode",
            "this board cannot end the on-time itself: if the computer dies, the lock stays open",
            "use a board with a hardware pulse, or a timer relay behind it",
        )
    if gate.mode == "hold" and gate.queue:
        yield Advice("gate.queue", "has no effect in hold mode", "remove it: a grant extends the on-time")


_CHECKS: tuple[Callable[[Config, Exists], Iterator[Advice]], ...] = (
    _simulated,
    _port,
    _camera,
    _recognition,
    _access,
    _on_time,
)


def summary(config: Config) -> dict[str, str]:
    """The settings an installer looks for first, in words, without credentials."""
    gate, recognition = config.gate, config.recognition
    on_s = gate.pulse_s if gate.mode == "pulse" else gate.hold_s
    threshold = (
        "chosen by the number of people" if recognition.threshold is None else f"{recognition.threshold:g}"
    )
    return {
        "camera": f"{config.camera.id}: {mask_url(config.camera.source)}",
        "gate": f"{gate.id}: {gate.protocol} at {gate.port}, relay {gate.channel}, {gate.mode} {on_s:g} s",
        "engine": f"{recognition.engine}, threshold {threshold}, {recognition.agreeing_shots} agreeing shots",
        "data": str(config.data_dir),
    }
