"""The kinds of targets: one file each, and their names here. Their protocol is in ../target.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from edged.clock import Clock
from edged.config.delivery_section import TargetConfig
from edged.delivery.records import wanted_kinds
from edged.delivery.target import Target
from edged.delivery.target_secrets import TargetSecrets


@dataclass(frozen=True)
class Surroundings:
    """Facts of the box that a target may need: its id, the name and zone of the site, the time."""

    device: str
    site: str
    zone: tzinfo
    clock: Clock


def build_target(settings: TargetConfig, secrets: TargetSecrets, box: Surroundings) -> Target:
    """The target of this configuration; connects to nothing yet.

    Raises:
        Misconfigured, NeedsOperator: a secret or certificate it needs is missing or unusable.
    """
    return _BUILDERS[settings.kind](settings, secrets, box)


# Each builder imports its target on use: one kind does not load the libraries of the others.


def _http(settings: TargetConfig, secrets: TargetSecrets, box: Surroundings) -> Target:
    from edged.delivery.targets.http import HttpTarget

    return HttpTarget(settings, secrets, box.clock)


def _webhook(settings: TargetConfig, secrets: TargetSecrets, box: Surroundings) -> Target:
    from edged.delivery.targets.webhook import WebhookTarget

    return WebhookTarget(settings, secrets, box.clock)


def _mqtt(settings: TargetConfig, secrets: TargetSecrets, box: Surroundings) -> Target:
    from edged.delivery.targets.mqtt import MqttTarget

    kinds = wanted_kinds(settings.events)
    return MqttTarget(settings, secrets, box.clock, device=box.device, site=box.site, kinds=kinds)


def _file(settings: TargetConfig, secrets: TargetSecrets, box: Surroundings) -> Target:
    from edged.delivery.targets.file import FileTarget

    return FileTarget(settings, box.clock, zone=box.zone)


def _frappe(settings: TargetConfig, secrets: TargetSecrets, box: Surroundings) -> Target:
    from edged.delivery.targets.frappe import FrappeTarget

    return FrappeTarget(settings, secrets, box.clock, site=box.site, zone=box.zone)


_BUILDERS: dict[str, Callable[[TargetConfig, TargetSecrets, Surroundings], Target]] = {
    "http": _http,
    "webhook": _webhook,
    "mqtt": _mqtt,
    "file": _file,
    "frappe": _frappe,
}
