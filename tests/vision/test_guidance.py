"""Guidance: one hint at a time, said when it is true for a while, and long enough to be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.access.decide import ORDER
from edged.config import QualityLimits
from edged.events import Measures
from edged.reasons import known_codes
from edged.vision.guidance import HINTS, OUTCOMES, Guidance, HintChange, hints_for
from edged.vision.occlusion import PARTS
from edged.vision.quality import refusals

AFTER_S, STAY_S = 0.4, 1.2
FRAME_S = 0.04


class Visitor:
    """Plays causes at 25 frames a second and notes every change with its time."""

    def __init__(self) -> None:
        self.guidance = Guidance(after_s=AFTER_S, stay_s=STAY_S)
        self.frame = 0
        self.changes: list[tuple[float, HintChange]] = []

    @property
    def now_s(self) -> float:
        return 1000 + self.frame * FRAME_S

    def see(self, *reasons: str, seconds: float, measures: Measures | None = None) -> list[str | None]:
        first = len(self.changes)
        for _ in range(round(seconds / FRAME_S)):
            change = self.guidance.take(reasons, self.now_s, measures)
            if change is not None:
                self.changes.append((self.now_s, change))
            self.frame += 1
        return [change.code for _, change in self.changes[first:]]


@pytest.fixture
def visitor():
    return Visitor()


def test_a_hint_appears_only_after_its_cause_has_lasted(visitor):
    assert visitor.see("face_too_small", seconds=0.4) == []
    assert visitor.see("face_too_small", seconds=0.2) == ["come_closer"]


def test_a_short_trouble_is_not_mentioned(visitor):
    visitor.see("too_blurred", seconds=0.3)
    assert visitor.see(seconds=3) == []


def test_a_cause_that_flickers_near_its_limit_is_still_one_cause(visitor):
    for _ in range(10):
        visitor.see("too_dark", seconds=0.04)
        visitor.see(seconds=0.08)
    assert [change.code for _, change in visitor.changes] == ["too_dark"]


def test_a_hint_stays_long_enough_to_be_read(visitor):
    visitor.see("face_too_small", seconds=0.6)
    assert visitor.see(seconds=0.9) == []
    assert visitor.see(seconds=0.4) == [None]


def test_a_hint_that_is_still_true_gives_way_only_to_a_more_pressing_one(visitor):
    visitor.see("too_dark", seconds=3)
    assert visitor.see("too_dark", "too_blurred", seconds=3) == []
    assert visitor.see("too_dark", "too_blurred", "face_too_small", seconds=3) == ["come_closer"]


def test_when_one_thing_is_put_right_the_next_is_said(visitor):
    visitor.see("face_too_small", "yaw_too_large", seconds=3)
    assert visitor.see("yaw_too_large", seconds=3) == ["look_straight"]


@pytest.mark.parametrize(("state", "hint"), [("granted", "welcome"), ("denied", "not_recognised")])
def test_a_decision_is_told_at_once(visitor, state, hint):
    visitor.see("face_too_small", seconds=0.5)
    assert visitor.see(state, seconds=0.04) == [hint]


def test_a_decision_that_is_over_is_not_told_for_ever(visitor):
    visitor.see("granted", seconds=0.2)
    assert visitor.see(seconds=3) == [None]


def test_waiting_is_mentioned_only_when_recognition_is_slow(visitor):
    assert visitor.see("waiting", seconds=0.3) == []
    assert visitor.see("granted", seconds=0.3) == ["welcome"]
    assert Visitor().see("waiting", seconds=1) == ["please_wait"]


def test_the_end_of_the_track_clears_its_hint_at_once(visitor):
    visitor.see("too_dark", seconds=0.5)
    assert visitor.guidance.end(visitor.now_s) == HintChange(None, "too_dark")
    assert visitor.guidance.current is None
    assert visitor.guidance.end(visitor.now_s) is None


def test_codes_without_a_hint_say_nothing(visitor):
    assert visitor.see("relay_stuck", "something_new", seconds=3) == []


def test_a_slow_camera_gets_hints_too():
    guidance = Guidance()
    changes = [guidance.take(("too_dark",), 0.8 * i) for i in range(3)]
    assert [change.code for change in changes if change] == ["too_dark"]


@pytest.mark.parametrize(("pitch_deg", "hint"), [(25, "look_up"), (-25, "look_down"), (None, None)])
def test_the_direction_of_a_tilted_face_is_told_when_it_is_known(pitch_deg, hint):
    hints = hints_for(["pitch_too_large"], Measures(face_px=150, detection=0.9, pitch_deg=pitch_deg))
    assert hints == {"look_straight", *([hint] if hint else [])}


def test_a_mask_is_told_from_a_hand_before_the_mouth():
    assert hints_for(["mouth_occluded"]) == {"uncover_face"}
    assert hints_for(["nose_occluded", "mouth_occluded", "chin_occluded"]) == {"take_off_mask"}
    assert hints_for(["eye_occluded"]) == {"take_off_sunglasses"}


def test_every_reason_of_the_picture_has_a_hint():
    limits = QualityLimits(max_unevenness=0.5)
    parts = dict.fromkeys(PARTS, 0.95)
    bad = {"detection": 0.1, "blur": 0.95, "completeness": 0.2, "unevenness": 0.9, "occlusion": parts}
    turned = {"yaw_deg": 60.0, "pitch_deg": 60.0, "roll_deg": 60.0}
    codes = set(refusals(Measures(face_px=10, illumination=5, **bad, **turned), limits))
    codes |= set(refusals(Measures(face_px=5000, illumination=250, **bad), limits))
    assert len(codes) >= 17
    assert [code for code in codes if not hints_for([code])] == []


def test_every_denial_by_a_rule_is_told():
    used = {code for rule in ORDER for code in rule.codes}
    assert len(used) >= 10
    assert [code for code in used if not hints_for([code])] == []


def test_every_hint_can_be_reached():
    codes = [*known_codes(), "waiting", "denied"]
    reached = set().union(*(hints_for([code]) for code in codes))
    reached |= hints_for(["mouth_occluded", "chin_occluded"])
    for pitch_deg in (25, -25):
        reached |= hints_for(["pitch_too_large"], Measures(face_px=1, detection=1, pitch_deg=pitch_deg))
    assert reached == set(HINTS)


def test_negative_times_are_refused():
    with pytest.raises(ValueError, match="negative"):
        Guidance(after_s=-1)


CAUSES = st.sampled_from(
    ["face_too_small", "too_dark", "yaw_too_large", "too_blurred", "waiting", "granted", "denied", "unknown"]
)
SCRIPTS = st.lists(st.tuples(st.sets(CAUSES, max_size=3), st.floats(0.0, 2.0)), max_size=60)


@given(SCRIPTS)
def test_no_hint_changes_faster_than_it_can_be_read_unless_a_decision_falls(script):
    guidance, now_s, last_s, last = Guidance(after_s=AFTER_S, stay_s=STAY_S), 0.0, None, None
    for causes, pause_s in script:
        now_s += pause_s
        change = guidance.take(causes, now_s)
        if change is None:
            continue
        assert change.previous == last
        assert change.code != last
        if last is not None and not (change.code in OUTCOMES and last not in OUTCOMES):
            assert now_s - last_s >= STAY_S
        last, last_s = change.code, now_s
    assert guidance.current == last


@given(SCRIPTS)
def test_every_hint_has_had_its_cause_for_long_enough(script):
    guidance, now_s, first_seen = Guidance(after_s=AFTER_S, stay_s=STAY_S), 0.0, {}
    for causes, pause_s in script:
        now_s += pause_s
        for hint in hints_for(causes):
            first_seen.setdefault(hint, now_s)
        change = guidance.take(causes, now_s)
        if change is not None and change.code is not None:
            assert change.code in HINTS
            assert change.code in OUTCOMES or now_s - first_seen[change.code] >= AFTER_S


@given(SCRIPTS, st.floats(0.0, 5.0))
def test_whatever_happened_nothing_is_left_when_the_track_ends_or_the_causes_go(script, later_s):
    guidance, now_s = Guidance(after_s=AFTER_S, stay_s=STAY_S), 0.0
    for causes, pause_s in script:
        now_s += pause_s
        guidance.take(causes, now_s)
    shown = guidance.current
    if later_s < 2:
        change = guidance.end(now_s)
        assert change == (HintChange(None, shown) if shown else None)
    else:
        guidance.take((), now_s + later_s)
    assert guidance.current is None


@pytest.mark.parametrize(
    ("code", "hint"),
    [("cloud_223113", "uncover_face"), ("cloud_223114", "hold_still"), ("cloud_222213", "come_closer")],
)
def test_what_the_cloud_says_of_the_picture_is_told_to_the_person(code, hint):
    assert hints_for(("no_usable_shot", code)) == {hint}
