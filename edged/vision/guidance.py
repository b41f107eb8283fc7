"""What to tell the person before the camera: at most one hint per track, calm enough to be read.

Codes only: `edged.texts` has the words, and screens and speakers choose what they show. Pure: no clock, no
pictures. The conditions are those of closed terminals (docs/reference/terminals.md 2.6, 9.3).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from edged.events import Measures

HINTS = (
    "welcome",
    "not_recognised",
    "not_allowed",
    "out_of_order",
    "one_person_at_a_time",
    "come_closer",
    "step_back",
    "into_the_picture",
    "too_dark",
    "too_bright",
    "turn_to_light",
    "take_off_sunglasses",
    "take_off_mask",
    "uncover_face",
    "look_up",
    "look_down",
    "look_straight",
    "open_eyes",
    "hold_still",
    "in_person",
    "please_wait",
)
"""Every hint, the most pressing first: a person must heed it before the next one can be judged.
The codes are stable: sound files, screens and integrations are keyed by them."""

OUTCOMES = frozenset({"welcome", "not_recognised", "not_allowed", "out_of_order"})
"""Hints that state a decision. They appear at once, when the door moves."""

_RANK = {hint: rank for rank, hint in enumerate(HINTS)}

_HINT_OF_REASON = {
    "face_too_small": "come_closer",
    "too_near": "step_back",
    "face_incomplete": "into_the_picture",
    "too_dark": "too_dark",
    "too_bright": "too_bright",
    "half_lit": "turn_to_light",
    "eye_occluded": "take_off_sunglasses",
    "nose_occluded": "uncover_face",
    "mouth_occluded": "uncover_face",
    "cheek_occluded": "uncover_face",
    "chin_occluded": "uncover_face",
    "face_occluded": "uncover_face",
    "face_too_uncertain": "look_straight",
    "pose_unknown": "look_straight",
    "yaw_too_large": "look_straight",
    "pitch_too_large": "look_straight",
    "roll_too_large": "look_straight",
    "eyes_closed": "open_eyes",
    "too_blurred": "hold_still",
    "not_live": "in_person",
    "spoof_suspected": "in_person",
    "several_faces": "one_person_at_a_time",
    "not_served": "please_wait",
    "outside_region": "into_the_picture",
    "not_confirmed": "please_wait",
    "locked_out": "please_wait",
    "cool_down": "please_wait",
    "door_busy": "please_wait",
    "waiting": "please_wait",
    "granted": "welcome",
    "denied": "not_recognised",
    "not_recognised": "not_recognised",
    "below_threshold": "not_recognised",
    "ambiguous_match": "not_recognised",
    "library_empty": "not_recognised",
    "person_unknown": "not_recognised",
    "person_inactive": "not_allowed",
    "not_yet_valid": "not_allowed",
    "validity_over": "not_allowed",
    "group_not_allowed": "not_allowed",
    "outside_schedule": "not_allowed",
    "door_locked_down": "out_of_order",
    "gate_offline": "out_of_order",
    "journal_unavailable": "out_of_order",
    "engine_error": "out_of_order",
    "recognition_failed": "please_wait",
    "too_old": "please_wait",
    "cloud_unavailable": "out_of_order",
    "cloud_face_filtered": "please_wait",
    "cloud_222202": "look_straight",
    "cloud_222213": "come_closer",
    "cloud_223113": "uncover_face",
    "cloud_223114": "hold_still",
    "cloud_223115": "turn_to_light",
    "cloud_223116": "into_the_picture",
    "cloud_223121": "take_off_sunglasses",
    "cloud_223122": "take_off_sunglasses",
    "cloud_223123": "uncover_face",
    "cloud_223124": "uncover_face",
    "cloud_223125": "uncover_face",
    "cloud_223126": "uncover_face",
    "cloud_223127": "uncover_face",
    "cloud_223129": "look_straight",
}
"""From reason codes of `edged.reasons`, the cloud's codes about pictures (docs/reference/face-api.md 7.3) and
the states `waiting` and `denied` to hints."""

_MASK = frozenset({"mouth_occluded", "chin_occluded"})
"""Covered together, it is a mask or scarf; the mouth alone is more often a hand."""

_GAP_S = 0.25
"""A cause that is missing from a few frames has not gone: measures near a limit come and go."""


@dataclass(frozen=True)
class HintChange:
    """The hint of one track is another one from now on.

    Attributes:
        code: one of `HINTS`; None when the hint goes.
        previous: the hint until now; None when there was none.
    """

    code: str | None
    previous: str | None


@dataclass
class _Cause:
    first_s: float
    seen_s: float


class Guidance:
    """The current hint of one track.

    A hint appears when its cause has lasted for `after_s` and then stays for `stay_s` at least. It gives way
    earlier only to a decision (`OUTCOMES`) and to the end of the track. While it is still true it gives way
    only to a more pressing one.

    Args:
        after_s: how long something must be wrong before its hint appears, seconds. Shorter than people need
            to correct themselves while walking up would make the screen talk all the time.
        stay_s: shortest time a hint stays, seconds; the time it takes to read one.
    """

    def __init__(self, *, after_s: float = 0.4, stay_s: float = 1.2) -> None:
        if after_s < 0 or stay_s < 0:
            raise ValueError("times must not be negative")
        self._after_s = after_s
        self._stay_s = stay_s
        self._causes: dict[str, _Cause] = {}
        self._current: str | None = None
        self._since_s = float("-inf")

    @property
    def current(self) -> str | None:
        """The hint at this moment; None without one."""
        return self._current

    def take(
        self, reasons: Collection[str], now_s: float, measures: Measures | None = None
    ) -> HintChange | None:
        """Take in the faults of this moment. Call it with every frame, without a fault too.

        Args:
            reasons: codes as in `ShotRefused.reasons`, or a state: `waiting`, `granted`, `denied`,
                `several_faces`. Codes without a hint are ignored.
            now_s: monotonic time, seconds; never less than in the call before.
            measures: their pitch decides between up and down.

        Returns:
            What changes, or None.
        """
        self._note(hints_for(reasons, measures), now_s)
        wanted = self._wanted(now_s)
        if wanted == self._current or not self._may_change(wanted, now_s):
            return None
        return self._change(wanted, now_s)

    def end(self, now_s: float) -> HintChange | None:
        """The track has ended, and its hint with it, at whatever age."""
        self._causes.clear()
        return None if self._current is None else self._change(None, now_s)

    def _note(self, hints: Collection[str], now_s: float) -> None:
        for hint in hints:
            cause = self._causes.setdefault(hint, _Cause(now_s, now_s))
            cause.seen_s = now_s
        self._causes = {hint: cause for hint, cause in self._causes.items() if now_s - cause.seen_s <= _GAP_S}

    def _wanted(self, now_s: float) -> str | None:
        """The most pressing hint whose cause has lasted for `after_s`, or that is shown already."""
        ripe = [
            hint
            for hint, cause in self._causes.items()
            if hint == self._current or hint in OUTCOMES or cause.seen_s - cause.first_s >= self._after_s
        ]
        return min(ripe, key=_RANK.__getitem__, default=None)

    def _may_change(self, wanted: str | None, now_s: float) -> bool:
        if wanted in OUTCOMES and self._current not in OUTCOMES:
            return True
        return self._current is None or now_s - self._since_s >= self._stay_s

    def _change(self, code: str | None, now_s: float) -> HintChange:
        change = HintChange(code, self._current)
        self._current, self._since_s = code, now_s
        return change


def hints_for(reasons: Collection[str], measures: Measures | None = None) -> frozenset[str]:
    """Every hint that these reasons call for, without regard to time; empty without one."""
    hints = {_HINT_OF_REASON[code] for code in reasons if code in _HINT_OF_REASON}
    if _MASK.issubset(reasons):
        hints = (hints - {"uncover_face"}) | {"take_off_mask"}
    if "pitch_too_large" in reasons and measures is not None and measures.pitch_deg is not None:
        hints.add("look_up" if measures.pitch_deg > 0 else "look_down")
    return frozenset(hints)
