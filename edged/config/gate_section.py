"""The section `gate`."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from edged.board_family import BoardFamily
from edged.config import gate_boards as boards
from edged.config.base import File, Identifier, Seconds, Section, Text, conflict
from edged.config.gate_inputs import parse_input
from edged.schedule import parse

LONGEST_SOCKET_PATH = 107
"""Bytes; the kernel's limit for the path of a unix socket."""
CONTACTS = (
    "door_contact",
    "exit_button",
    "passage_sensor",
    "passage_out",
    "fire",
    "tamper",
    "key_in",
    "key_out",
)
"""Keys with the wiring of a contact."""


def _contact(text: str) -> str:
    parse_input(text)
    return text


def _hours(text: str) -> str:
    parse([text])
    return text


Contact = Annotated[Text, AfterValidator(_contact)]
Hours = Annotated[Text, AfterValidator(_hours)]


class GateConfig(Section):
    """The relay that lets people pass. Energised means unlocked."""

    id: Identifier = Field("door1", description="Name of this door in events and records.")
    port: Text = Field(
        "sim:lcus",
        description="`/dev/serial/by-id/…`, or `sim:lcus` for a simulated board that needs no hardware.",
    )
    protocol: Annotated[str, boards.OneOf(boards.protocols)] = Field(
        "lcus", description="How the board is spoken to; never guessed."
    )
    firmware: Annotated[str, boards.OneOf(boards.firmwares, usual="basic")] = Field(
        "basic",
        description="{boards}: which of its two firmwares.",
        json_schema_extra=boards.only("firmware"),
    )
    profile: Annotated[str, boards.OneOf(boards.profiles)] | None = Field(
        None, description="Variant of the protocol. {boards}.", json_schema_extra=boards.their_profiles()
    )
    address: int = Field(
        1,
        ge=1,
        le=255,
        description="{boards}: the board's address on the line.",
        json_schema_extra=boards.only("address"),
    )
    channels: int = Field(
        8,
        ge=1,
        le=64,
        description="Relays on the board, where it does not say so itself ({boards}).",
        json_schema_extra=boards.all_but("channels"),
    )
    channel: int = Field(1, ge=1, le=64, description="Relay on the board, counted from 1.")
    board_inputs: int = Field(
        0,
        ge=0,
        le=16,
        description="{boards}: contacts on the board, from the first one on.",
        json_schema_extra=boards.their_inputs("board_inputs"),
    )
    baud: Literal[9600, 19200, 38400, 57600, 115200] = Field(9600, description="Serial speed.")
    append_crlf: bool = Field(
        False,
        description="{boards}: some boards obey only with CR LF after a frame.",
        json_schema_extra=boards.only("append_crlf"),
    )
    strip_echo: bool = Field(
        False,
        description="{boards}: the RS485 adapter returns every byte it is given to send.",
        json_schema_extra=boards.only("strip_echo"),
    )
    checksum: bool = Field(
        False,
        description="{boards}: the module is set to use check sums.",
        json_schema_extra=boards.only("checksum"),
    )
    guard: File | None = Field(
        None,
        description="Socket of the gate guard that owns the port (docs/gate-guard.md); empty: no guard.",
    )
    mode: Literal["pulse", "hold"] = Field(
        "pulse", description="`pulse`: gates, turnstiles. `hold`: strikes, maglocks."
    )
    pulse_s: float = Field(0.5, ge=0.1, le=10, description="On-time of a pulse.")
    hold_s: float = Field(5.0, ge=0.5, le=60, description="On-time in hold mode.")
    max_on_s: float = Field(30.0, ge=0.5, le=300, description="Never on for longer, whatever happens.")
    min_interval_s: Seconds = Field(0.5, description="Shortest time between two switch-ons.")
    queue: int = Field(
        0, ge=0, le=8, description="Pulse mode: grants that may wait for the lane (turnstile: 1)."
    )
    grant_ttl_s: float = Field(
        2.0, gt=0, le=10, description="A grant not executed within this time is dropped."
    )

    passage_window_s: Seconds = Field(
        5.0, description="Pulse mode with a sensor: how long the lane stays open for one person."
    )
    relock_on: Literal["open", "close"] = Field(
        "close",
        description="Hold mode with a door contact: off when the door opens, or when it closes again.",
    )
    rex_unlocks: bool = Field(
        True, description="The exit button opens; false: the handle does, and the button only says so."
    )
    free_exit: bool = Field(False, description="Turnstiles: people may leave through the lane unasked.")
    held_warn_s: float = Field(15.0, gt=0, le=3600, description="A door open for so long is a warning.")
    held_alarm_s: float = Field(30.0, gt=0, le=3600, description="A door open for so long is an alarm.")
    accessibility_groups: list[Text] = Field(
        [], max_length=20, description="Groups of people who need more time to pass."
    )
    accessibility_factor: float = Field(
        2.0, ge=1, le=5, description="Their on-time, window and held times are longer by this factor."
    )
    door_contact: Contact | None = Field(
        None, description="Door contact, active when open: `board:1,nc`, `line:cts`, `gpio:gpiochip0/17`."
    )
    exit_button: Contact | None = Field(None, description="Exit button, written likewise.")
    passage_sensor: Contact | None = Field(None, description="The lane's signal for one passage.")
    passage_out: Contact | None = Field(None, description="Its signal for a passage in the other direction.")
    fire: Contact | None = Field(
        None, description="The fire panel, in addition to its contact in the lock's supply."
    )
    tamper: Contact | None = Field(None, description="Tamper contact of a housing.")
    key_in: Contact | None = Field(None, description="Attendance key: I come.")
    key_out: Contact | None = Field(None, description="Attendance key: I go.")
    debounce_s: float = Field(0.05, ge=0, le=1, description="A contact counts when it lasted so long.")
    free: list[Hours] = Field(
        [], max_length=50, description="Hours in which everybody may pass: `Mon-Fri 08:00-17:30`."
    )
    locked: list[Hours] = Field(
        [], max_length=50, description="Hours in which no grant opens; exit and fire do. Wins over `free`."
    )
    interlock: Identifier | None = Field(
        None, description="Doors with the same name here open one at a time."
    )
    hybrid_policy: Literal["local_first", "cloud_first"] | None = Field(
        None, description="Policy of this door; empty: as `recognition.hybrid.policy`."
    )
    when_cloud_down: Literal["local", "deny"] | None = Field(
        None,
        description="What this door does without the cloud; empty: as `recognition.hybrid.when_cloud_down`.",
    )

    @property
    def family(self) -> BoardFamily:
        """The declaration of the board's driver about such boards."""
        return boards.family(self.protocol)

    @model_validator(mode="after")
    def _contacts(self) -> GateConfig:
        taken: dict[object, str] = {}
        most = self._inputs()
        for key in CONTACTS:
            text = getattr(self, key)
            if text is None:
                continue
            address = parse_input(text)
            if address.source == "board" and address.number > most:
                counted_by = self.family.inputs_counted_by
                why = f"see {counted_by}" if counted_by else "use another input"
                raise conflict(
                    f"{key} ({text}): a {self.protocol} board has {most} inputs here; {why}", key, "protocol"
                )
            if address.source == "line" and (self.guard is not None or self.family.switched_by == "nothing"):
                raise conflict(f"{key} ({text}): there is no serial port of edged's own here", key, "guard")
            place = address.place
            if self.family.switched_by == "control lines" and address.source == "board":
                # the inputs of such a board are the port's lines
                place = ("line", *place[1:])
            if place in taken:
                raise conflict(f"{key} and {taken[place]} are wired to the same input ({text})", key)
            taken[place] = key
        if self.passage_out and not self.passage_sensor:
            raise conflict("passage_out needs passage_sensor, the other direction", "passage_sensor")
        return self

    def _inputs(self) -> int:
        """Most contacts the configured board may have."""
        family = self.family
        if not family.profile(self.profile).has_inputs:
            return 0
        counted_by = family.inputs_counted_by
        return min(getattr(self, counted_by), family.most_inputs) if counted_by else family.most_inputs

    @model_validator(mode="after")
    def _habits(self) -> GateConfig:
        if self.held_alarm_s < self.held_warn_s:
            raise conflict(
                f"held_alarm_s ({self.held_alarm_s:g}) is before held_warn_s ({self.held_warn_s:g})",
                "held_alarm_s",
                "held_warn_s",
            )
        if self.interlock and self.free:
            raise conflict("a door of an interlock cannot be free: the others could never open", "free")
        return self

    @model_validator(mode="after")
    def _board(self) -> GateConfig:
        if self.channel > self.channels:
            raise conflict(
                f"channel ({self.channel}) is not on a board with {self.channels} relays (channels)",
                "channel",
                "channels",
            )
        profiles = tuple(profile.name for profile in self.family.profiles)
        for key, own in (("firmware", self.family.firmwares), ("profile", profiles)):
            value = getattr(self, key)
            if own and value not in (*own, None) and key in self.model_fields_set:
                what = f"{key} ({value}) is not of a {self.protocol} board: {', '.join(own)}"
                raise conflict(what, key, "protocol")
        return self

    @model_validator(mode="after")
    def _guarded(self) -> GateConfig:
        if self.guard is not None and self.family.switched_by != "bytes":
            raise conflict(f"a gate guard cannot switch off a board with protocol {self.protocol}", "guard")
        if self.guard is not None and len(os.fsencode(self.guard)) > LONGEST_SOCKET_PATH:
            raise conflict(
                f"guard is longer than a socket's path may be, {LONGEST_SOCKET_PATH} bytes", "guard"
            )
        return self

    @model_validator(mode="after")
    def _on_times(self) -> GateConfig:
        key = "pulse_s" if self.mode == "pulse" else "hold_s"
        on_s = getattr(self, key)
        if on_s > self.max_on_s:
            raise conflict(
                f"max_on_s ({self.max_on_s:g}) is shorter than the on-time, {key} ({on_s:g})", "max_on_s", key
            )
        return self
