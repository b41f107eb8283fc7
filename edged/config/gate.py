"""The section `gate`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from edged.config.base import Identifier, Seconds, Section, Text, conflict


class GateConfig(Section):
    """The relay that lets people pass. Energised means unlocked."""

    id: Identifier = Field("door1", description="Name of this door in events and records.")
    port: Text = Field(
        "sim:lcus",
        description="`/dev/serial/by-id/…`, or `sim:lcus` for a simulated board that needs no hardware.",
    )
    protocol: Literal[
        "lcus", "modbus", "kmtronic", "numato", "devantech", "k8090", "dcon", "line", "dummy"
    ] = Field("lcus", description="How the board is spoken to; never guessed.")
    firmware: Literal["basic", "feedback"] = Field(
        "basic", description="lcus only: which of its two firmwares."
    )
    profile: Literal["waveshare", "coils", "fc06"] | None = Field(
        None,
        description="Variant of the protocol. modbus: `waveshare` (meant when left out), `coils`, `fc06`.",
    )
    address: int = Field(1, ge=1, le=255, description="modbus, dcon: the board's address on the line.")
    channels: int = Field(
        8, ge=1, le=64, description="Relays on the board, where it does not say so itself (all but lcus)."
    )
    channel: int = Field(1, ge=1, le=64, description="Relay on the board, counted from 1.")
    board_inputs: int = Field(
        0, ge=0, le=16, description="numato, dcon: contacts on the board, from the first one on."
    )
    baud: Literal[9600, 19200, 38400, 57600, 115200] = Field(9600, description="Serial speed.")
    append_crlf: bool = Field(False, description="lcus only: some boards obey only with CR LF after a frame.")
    strip_echo: bool = Field(
        False, description="modbus, dcon: the RS485 adapter returns every byte it is given to send."
    )
    checksum: bool = Field(False, description="dcon only: the module is set to use check sums.")
    guard: Path | None = Field(
        None,
        strict=False,
        description="Socket of the gate guard that owns the port (docs/gate-guard.md); empty: no guard.",
        json_schema_extra={"format": "file-path"},
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

    @model_validator(mode="after")
    def _board(self) -> GateConfig:
        if self.channel > self.channels:
            raise conflict(
                f"channel ({self.channel}) is not on a board with {self.channels} relays (channels)",
                "channel",
                "channels",
            )
        return self

    @model_validator(mode="after")
    def _guarded(self) -> GateConfig:
        if self.guard is not None and self.protocol in ("line", "dummy"):
            raise conflict(f"a gate guard cannot switch off a board with protocol {self.protocol}", "guard")
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
