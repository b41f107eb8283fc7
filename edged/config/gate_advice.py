"""Settings of a door that are allowed and still worth a second look. Refuses nothing; see `advice`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from edged.config.gate_inputs import parse_input
from edged.config.gate_section import GateConfig

_OF_BOARDS = ("append_crlf", "board_inputs", "checksum", "firmware", "profile", "strip_echo")
"""Keys that only some boards read and that deserve a remark elsewhere; `address` and `channels` do not."""

_OF_CONTACTS = {
    "relock_on": ("door_contact",),
    "held_warn_s": ("door_contact",),
    "held_alarm_s": ("door_contact",),
    "free_exit": ("passage_sensor",),
    "passage_window_s": ("door_contact", "passage_sensor"),
    "rex_unlocks": ("exit_button",),
}
"""Keys that need one of these contacts."""

_OF_MODE = {"queue": "pulse", "passage_window_s": "pulse", "relock_on": "hold"}


class Remark(NamedTuple):
    """A key of the section, the observation, its meaning or the remedy."""

    key: str
    message: str
    hint: str


def second_looks(gate: GateConfig) -> Iterator[Remark]:
    """Remarks about one door, the most important first."""
    yield from _on_time(gate)
    yield from _board(gate)
    yield from _wiring(gate)
    yield from _without_effect(gate)


def lonely_interlocks(gates: tuple[GateConfig, ...]) -> Iterator[int]:
    """The numbers, from 0, of doors whose interlock has no other door."""
    names = [gate.interlock for gate in gates]
    for number, name in enumerate(names):
        if name is not None and names.count(name) == 1:
            yield number


def _on_time(gate: GateConfig) -> Iterator[Remark]:
    if gate.mode != "hold":
        return
    if not gate.family.profile(gate.profile).ends_on_time:
        yield Remark(
            "mode",
            "this board cannot end the on-time itself: if the computer dies, the lock stays open",
            "use a board with a hardware pulse, or a timer relay behind it",
        )
    longer_s = gate.hold_s * gate.accessibility_factor
    if gate.accessibility_groups and longer_s > gate.max_on_s:
        yield Remark(
            "accessibility_groups",
            f"their {longer_s:g} s are cut off after max_on_s ({gate.max_on_s:g})",
            "raise max_on_s, or people who need more time do not get it",
        )


def _board(gate: GateConfig) -> Iterator[Remark]:
    simulated = gate.port.partition("?")[0].removeprefix("sim:")
    if gate.port.startswith("sim:") and gate.protocol != simulated and gate.family.switched_by != "nothing":
        yield Remark(
            "protocol",
            f"{gate.protocol} is not what {gate.port} speaks, so they will not understand each other",
            f"write protocol: {simulated}, or port: sim:{gate.protocol}",
        )


def _wiring(gate: GateConfig) -> Iterator[Remark]:
    for key in ("door_contact", "fire", "tamper"):
        text = getattr(gate, key)
        if text is not None and not parse_input(text).normally_closed:
            yield Remark(
                key,
                f"{text} is a contact that is open while nothing is the matter: a cut wire would not show",
                f"wire it normally closed and write {text},nc",
            )
    if gate.passage_sensor and parse_input(gate.passage_sensor).source == "line":
        yield Remark(
            "passage_sensor",
            "short signals are easily missed on the lines of USB adapters",
            "use an input of the relay board or a GPIO line",
        )


def _without_effect(gate: GateConfig) -> Iterator[Remark]:
    changed = {key for key, field in GateConfig.model_fields.items() if _changed(gate, key, field.default)}
    for key in sorted(changed & ({*_OF_BOARDS} | _OF_CONTACTS.keys() | _OF_MODE.keys())):
        if key in _OF_BOARDS and key not in gate.family.settings:
            where = f"with protocol {gate.protocol}"
        elif _OF_MODE.get(key, gate.mode) != gate.mode:
            where = f"in {gate.mode} mode"
        elif not any(getattr(gate, contact) for contact in _OF_CONTACTS.get(key, ("id",))):
            where = f"without {' or '.join(_OF_CONTACTS[key])}"
        else:
            continue
        yield Remark(key, f"has no effect {where}", "remove it, or correct the other")


def _changed(gate: GateConfig, key: str, default: Any) -> bool:
    return bool(getattr(gate, key) != default)
