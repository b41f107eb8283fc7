"""The shape of edged.yaml: every key, its default, its range and what it does. No reading of files here.

Field descriptions are the documentation: `edged check --schema` exports them for editors, and
config/edged.yaml is checked against them by a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from edged.config.access_section import AccessConfig
from edged.config.attendance_section import AttendanceConfig
from edged.config.base import Directory, Section, Text, conflict
from edged.config.camera_section import CameraConfig
from edged.config.delivery_section import DeliveryConfig
from edged.config.gate_section import GateConfig
from edged.config.journal_section import JournalConfig
from edged.config.recognition_section import HybridConfig, RecognitionConfig
from edged.config.vision_section import VisionConfig


def _key(section: str, number: int, key: str) -> str:
    """Dotted path of `key` of the n-th camera or gate, from 0: `gate.port`, `more_gates.0.port`."""
    return f"{section}.{key}" if number == 0 else f"more_{section}s.{number - 1}.{key}"


def _may_share(gate: GateConfig, other: GateConfig, numbers: tuple[int, int]) -> None:
    """Check that two doors can share one port. Raises the conflict that keeps them from it."""

    def refused(message: str, key: str) -> PydanticCustomError:
        return conflict(message, *(_key("gate", number, k) for number in numbers for k in (key, "port")))

    both = f"{gate.id} and {other.id} share the port {gate.port}"
    for key in ("protocol", "baud", "strip_echo"):
        if getattr(gate, key) != getattr(other, key):
            raise refused(f"{both}, but not {key}", key)
    if gate.family.switched_by == "control lines":
        raise refused(
            f"{both}, whose lines cannot be opened for two doors: give each door an adapter of its own",
            "protocol",
        )
    if gate.guard is not None or other.guard is not None:
        raise refused(
            f"{both}, and a port with a gate guard carries one door: give each door a board of its own, "
            "or use a board that ends its pulses itself and no guard",
            "guard",
        )
    if gate.family.addressed and gate.address != other.address:
        return
    for key in ("firmware", "append_crlf", "profile", "channels", "checksum", "board_inputs"):
        if getattr(gate, key) != getattr(other, key):
            raise refused(f"{both} and so one board, but not {key}", key)
    if gate.channel == other.channel:
        board = f", address {gate.address}" if gate.family.addressed else ""
        raise refused(
            f"{gate.id} has the relay of {other.id}: port {gate.port}{board}, channel {gate.channel}",
            "channel",
        )


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError("is not a time zone such as Europe/Berlin or Asia/Shanghai") from error
    return name


ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class LogConfig(Section):
    """What the daemon says on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity shown.")
    format: Literal["text", "json"] = Field("text", description="`json`: one object a line.")


class Config(Section):
    """One box: camera, vision, recognition, access, gate, log."""

    data_dir: Directory = Field(
        Path("/var/lib/edged"),
        description="Library, journal and photographs. EDGED_DATA_DIR overrides it.",
    )
    site: Text = Field("edged", description="Name of this place in records.")
    timezone: ZoneName = Field("UTC", description="IANA name of the site's time zone, e.g. Europe/Berlin.")
    camera: CameraConfig = Field(default_factory=CameraConfig, description="Where pictures come from.")
    vision: VisionConfig = Field(default_factory=VisionConfig, description="Finding and following faces.")
    recognition: RecognitionConfig = Field(default_factory=RecognitionConfig, description="Who is it.")
    access: AccessConfig = Field(default_factory=AccessConfig, description="May they pass now.")
    gate: GateConfig = Field(default_factory=GateConfig, description="The relay that lets people pass.")
    more_cameras: list[CameraConfig] = Field(
        [], max_length=7, description="Further cameras, each written like `camera`, with its `door`."
    )
    more_gates: list[GateConfig] = Field(
        [], max_length=7, description="Further doors, each written like `gate`. A port may carry several."
    )
    attendance: AttendanceConfig = Field(
        default_factory=AttendanceConfig, description="Punches and working time."
    )
    delivery: DeliveryConfig = Field(
        default_factory=DeliveryConfig, description="Sending records to other systems."
    )
    journal: JournalConfig = Field(
        default_factory=JournalConfig, description="Room, age, pictures and backups of the records."
    )
    log: LogConfig = Field(default_factory=LogConfig, description="What the daemon says on standard error.")

    @property
    def cameras(self) -> tuple[CameraConfig, ...]:
        """All cameras, `camera` first."""
        return (self.camera, *self.more_cameras)

    @property
    def gates(self) -> tuple[GateConfig, ...]:
        """All doors, `gate` first."""
        return (self.gate, *self.more_gates)

    def door_of(self, camera: CameraConfig) -> str:
        """Id of the door whose people `camera` sees."""
        return camera.door or self.gate.id

    def hybrid_of(self, gate: GateConfig) -> HybridConfig:
        """How engine and cloud share the work at one door."""
        own = {"policy": gate.hybrid_policy, "when_cloud_down": gate.when_cloud_down}
        return self.recognition.hybrid.model_copy(update={k: v for k, v in own.items() if v is not None})

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Config:
        ids = {"camera": [item.id for item in self.cameras], "gate": [item.id for item in self.gates]}
        for what, names in ids.items():
            first: dict[str, int] = {}
            for number, name in enumerate(names):
                before = first.setdefault(name, number)
                if before != number:
                    message = f"two are called {name}: give each {what} an id of its own"
                    raise conflict(message, _key(what, number, "id"), _key(what, before, "id"))
        return self

    @model_validator(mode="after")
    def _cameras_have_doors(self) -> Config:
        known = [gate.id for gate in self.gates]
        for number, camera in enumerate(self.cameras):
            if self.door_of(camera) not in known:
                raise conflict(
                    f"camera {camera.id} belongs to door {camera.door}, but the doors are {', '.join(known)}",
                    _key("camera", number, "door"),
                    *(_key("gate", n, "id") for n in range(len(known))),
                )
        return self

    @model_validator(mode="after")
    def _shared_ports(self) -> Config:
        """One port may carry several boards, and one board several doors, if settings distinguish them."""
        for number, gate in enumerate(self.gates):
            for before, other in enumerate(self.gates[:number]):
                on_wires = "nothing" not in (gate.family.switched_by, other.family.switched_by)
                if gate.port == other.port and on_wires:
                    _may_share(gate, other, (number, before))
                if gate.guard is not None and gate.guard == other.guard:
                    raise conflict(
                        f"{gate.id} and {other.id} have the same gate guard, which serves one door",
                        _key("gate", number, "guard"),
                        _key("gate", before, "guard"),
                    )
        return self

    @model_validator(mode="after")
    def _enough_shots(self) -> Config:
        self._reachable("recognition", self.recognition.agreeing_shots)
        if self.recognition.engine != "local":
            self._reachable("recognition.cloud", self.recognition.cloud.agreeing_shots)
        return self

    def _reachable(self, section: str, wanted: int) -> None:
        taken = self.vision.max_shots
        if wanted > taken:
            raise conflict(
                f"agreeing_shots ({wanted}) is more than vision.max_shots ({taken}), "
                "so nobody could ever be recognised",
                f"{section}.agreeing_shots",
                "vision.max_shots",
            )

    @model_validator(mode="after")
    def _cloud_waited_for_in_time(self) -> Config:
        hybrid, most = self.recognition.hybrid, self.access.max_age_s
        used = self.recognition.engine == "hybrid" and hybrid.policy == "cloud_first"
        if used and hybrid.cloud_wait_s >= most:
            raise conflict(
                f"cloud_wait_s ({hybrid.cloud_wait_s:g}) is not below access.max_age_s ({most:g}), "
                "so an answer of this box after a late cloud would always be too old",
                "recognition.hybrid.cloud_wait_s",
                "access.max_age_s",
            )
        return self
