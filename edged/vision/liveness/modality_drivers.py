"""Finds drivers of further liveness modalities by entry point, starts and asks them.

The vendors of the cameras bring the drivers; docs/liveness.md shows a complete one.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

import structlog

from edged.clock import Clock
from edged.errors import EdgedError, Misconfigured
from edged.vision.liveness.modality import Box, LivenessModality, ModalityResult, not_passing

GROUP = "edged.liveness"
"""Group of entry points. Each object takes the clock and returns a `LivenessModality`."""

MAX_SKEW_S = 0.1
"""Longest time between captures of one instant: two pictures of a camera at 25 a second and some delay. To
exchange a face for a picture of one takes several times that."""

_log = structlog.get_logger(__name__)


class AlsoRequired:
    """The modalities that must pass beside the colour camera. Belongs to the vision thread.

    Args:
        modalities: each with a name of its own.
    """

    def __init__(self, modalities: Sequence[LivenessModality] = ()) -> None:
        self._modalities = tuple(modalities)
        self._failing: set[str] = set()

    def missing(self, at_s: float, box: Box) -> tuple[str, ...]:
        """Names of those that do not pass the face at the monotonic instant `at_s`; () when all do."""
        results = {one.name: self._ask(one, at_s, box) for one in self._modalities}
        return not_passing(results, at_s, MAX_SKEW_S)

    def _ask(self, modality: LivenessModality, at_s: float, box: Box) -> ModalityResult | None:
        """A driver that raises gives None, which is no pass. The log gets one line while that lasts."""
        try:
            result = modality.result_at(at_s, box)
        except Exception as error:  # noqa: BLE001 - somebody else's code must not end ours
            if modality.name not in self._failing:
                _log.error("liveness_driver_failed", driver=modality.name, error=repr(error))
            self._failing.add(modality.name)
            return None
        self._failing.discard(modality.name)
        return result


def load(names: Sequence[str], clock: Clock) -> AlsoRequired:
    """Start the drivers of these names.

    Raises:
        Misconfigured: see `find`; or it could not be started (`liveness_driver_failed`), or is not what a
            driver must be (`liveness_driver_unusable`).
        EdgedError: raised by the driver, as it is.
    """
    return AlsoRequired([_start(entry, clock) for entry in find(names)])


def find(names: Sequence[str]) -> list[EntryPoint]:
    """The installed drivers of these names, none of them started.

    Raises:
        Misconfigured: no installed package brings one of the name (code `liveness_driver_missing`) or several
            do (`liveness_driver_ambiguous`).
    """
    return [_find(name) for name in names]


def _find(name: str) -> EntryPoint:
    installed = entry_points(group=GROUP)
    found = [one for one in installed if one.name == name]
    if not found:
        known = ", ".join(sorted({one.name for one in installed})) or "none"
        raise Misconfigured(
            f"vision.liveness.also_required names {name}, but no installed package brings that driver "
            f"(installed: {known}).",
            code="liveness_driver_missing",
            hint="Install its package into the environment of edged, or take the name out.",
        )
    if len(found) > 1:
        raise Misconfigured(
            f"Several packages bring a liveness driver {name}: {', '.join(one.value for one in found)}.",
            code="liveness_driver_ambiguous",
            hint="Remove all but one.",
        )
    return found[0]


def _start(entry: EntryPoint, clock: Clock) -> LivenessModality:
    try:
        modality: LivenessModality = entry.load()(clock)
    except EdgedError:
        raise
    except Exception as error:
        raise Misconfigured(
            f"The liveness driver {entry.name} ({entry.value}) could not be started: "
            f"{type(error).__name__}: {error}.",
            code="liveness_driver_failed",
            hint="See its documentation; without it, take the name out of vision.liveness.also_required.",
        ) from error
    if getattr(modality, "name", None) != entry.name or not callable(getattr(modality, "result_at", None)):
        raise Misconfigured(
            f"The liveness driver {entry.name} ({entry.value}) made a {type(modality).__name__}, which has "
            f"no `result_at` or not the name `{entry.name}`.",
            code="liveness_driver_unusable",
            hint="docs/liveness.md shows what a driver must have.",
        )
    return modality
