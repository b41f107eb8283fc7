"""The section `delivery`: where records are sent, and how."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from edged.config.base import Directory, File, Identifier, Section, Text, Timeout, conflict

_SCHEMES = {
    "http": ("http", "https"),
    "webhook": ("http", "https"),
    "frappe": ("http", "https"),
    "mqtt": ("mqtt", "mqtts"),
}
EventKind = Literal["decisions", "alarms", "punches", "all"]


class MqttConfig(Section):
    """`kind: mqtt` only."""

    topic: Text = Field("edged", description="First part of every topic; the device follows.")
    username: Text | None = Field(None, description="Its password is a secret of the target.")
    version: Literal[5, 3] = Field(5, description="5, or 3 (3.1.1) for old brokers, which hide refusals.")
    keepalive_s: int = Field(30, ge=5, le=3600, description="The broker says `offline` 1.5 times this later.")
    discovery: bool = Field(True, description="Announce the box to Home Assistant.")
    discovery_prefix: Text = Field("homeassistant", description="As set in Home Assistant.")


class FileConfig(Section):
    """`kind: file` only."""

    folder: Directory | None = Field(None, description="Files are made in it, named `NAME-2026-11-21.jsonl`.")
    format: Literal["jsonl", "csv"] = Field("jsonl", description="One JSON object a line, or a table.")
    rotate_mb: float = Field(10.0, ge=0.001, le=1000, description="A larger file is followed by a new one.")
    rotate_daily: bool = Field(True, description="A new file every day of the site.")


class FrappeConfig(Section):
    """`kind: frappe` only."""

    app: Literal["hrms", "erpnext"] = Field("hrms", description="`erpnext`: before version 14.")
    employee_field: Text = Field(
        "attendance_device_id", description="Field of Employee that holds the person id of edged."
    )
    device: Text | None = Field(None, description="Sent as device_id; `site` without it.")


class TargetConfig(Section):
    """One receiver of records."""

    name: Identifier = Field(description="Keeps its place in the journal under this name.")
    kind: Literal["http", "webhook", "mqtt", "file", "frappe"] = Field(description="docs/delivery.md.")
    url: Text | None = Field(
        None, description="`https://…`; mqtt: `mqtts://host:8883` or `mqtt://…`; frappe: of the site."
    )
    events: list[EventKind] = Field(
        ["decisions", "punches"], min_length=1, max_length=4, description="Which records."
    )
    pictures: bool = Field(False, description="Send the picture too, where the journal keeps one.")
    start: Literal["beginning", "now"] = Field(
        "beginning", description="Where a new target begins: with the oldest record, or with the next one."
    )
    batch: int = Field(1, ge=1, le=500, description="http and webhook: records in one request.")
    ca_file: File | None = Field(
        None, description="Authority (PEM) that signed the receiver's certificate; the system's without it."
    )
    timeout_s: Timeout = Field(10.0, description="For the connection, and again for the answer.")
    retry_s: float = Field(1.0, ge=0.05, le=3600, description="First pause after a failure; it doubles.")
    retry_max_s: float = Field(300.0, ge=0.05, le=86_400, description="Longest pause.")
    max_attempts: int = Field(
        10,
        ge=1,
        le=1000,
        description="A record that fails so often while the next one passes is put aside.",
    )
    max_rate: float = Field(
        1000.0, ge=1, le=100_000, description="Most records a second, so that doors have the processor."
    )
    mqtt: MqttConfig = Field(default_factory=MqttConfig, description="`kind: mqtt` only.")
    file: FileConfig = Field(default_factory=FileConfig, description="`kind: file` only.")
    frappe: FrappeConfig = Field(default_factory=FrappeConfig, description="`kind: frappe` only.")

    @model_validator(mode="after")
    def _has_a_place(self) -> TargetConfig:
        if self.kind == "file":
            if self.file.folder is None:
                raise conflict("kind: file needs file.folder, a folder for its files", "file.folder", "kind")
        elif self.url is None:
            raise conflict(f"kind: {self.kind} needs url, the address of the receiver", "url", "kind")
        else:
            self._check_url(self.url)
        return self

    def _check_url(self, url: str) -> None:
        allowed = _SCHEMES[self.kind]
        try:
            parts = urlsplit(url)
            has_host = bool(parts.hostname) and parts.port != 0
        except ValueError:
            parts, has_host = urlsplit(""), False
        if parts.scheme not in allowed or not has_host:
            starts = " or ".join(f"{scheme}://" for scheme in allowed)
            raise conflict(f"kind: {self.kind} needs a url such as {starts}HOST", "url", "kind")
        if parts.username is not None or parts.password is not None:
            raise conflict(
                "url holds a name or password; they are secrets of the target (docs/delivery.md)", "url"
            )

    @model_validator(mode="after")
    def _fitting_events(self) -> TargetConfig:
        if self.kind == "frappe" and self.events != ["punches"]:
            raise conflict("kind: frappe takes punches only; write events: [punches]", "events", "kind")
        if self.retry_max_s < self.retry_s:
            raise conflict(
                f"retry_max_s ({self.retry_max_s:g}) is below retry_s ({self.retry_s:g})",
                "retry_max_s",
                "retry_s",
            )
        return self


class DeliveryConfig(Section):
    """Sending records to other systems."""

    historic_after_s: float = Field(
        60.0,
        gt=0,
        le=86_400,
        description="A record older than this when it is sent is marked historic; nothing may act on it.",
    )
    secrets_file: File | None = Field(
        None, description="YAML with the secrets of the targets, for its owner only (0600)."
    )
    targets: list[TargetConfig] = Field(
        [], max_length=20, description="Receivers; each keeps its own place in the journal."
    )

    @model_validator(mode="after")
    def _each_once(self) -> DeliveryConfig:
        names = [target.name for target in self.targets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise conflict(f"{', '.join(twice)} is listed more than once", "targets")
        return self
