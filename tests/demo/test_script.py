"""Rules of the demo's script: what is true in the scene, whatever the seed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import PROJECT

from edged.demo import enrolments, visits
from edged.demo.hall import WIDTH_PX
from edged.demo.render import FPS
from edged.demo.script import ACTS, CLEARS_S, GAP_S, write_script

seeds = st.integers(0, 999_999_999)


@given(seeds)
@settings(max_examples=25)
def test_each_enrolled_person_is_granted_exactly_once(seed):
    granted = Counter(visit.person_id for visit in visits(seed) if visit.outcome == "granted")
    assert granted == dict.fromkeys(enrolments(), 1)


@given(seeds)
@settings(max_examples=25)
def test_only_strangers_are_denied_and_there_are_two(seed):
    denied = [visit for visit in visits(seed) if visit.outcome == "denied"]
    assert len({visit.name for visit in denied}) >= 2
    assert all(visit.person_id is None for visit in denied)


@given(seeds)
@settings(max_examples=25)
def test_the_seed_changes_nothing_about_what_is_true(seed):
    def facts(number):
        return Counter((v.person_id, v.name, v.outcome, v.flaw) for v in visits(number))

    assert facts(seed) == facts(0)


@pytest.mark.parametrize("flaw", ["blurred", "far", "cut_off"])
def test_there_is_a_visit_that_never_gets_good_enough(flaw):
    refused = [visit for visit in visits() if visit.flaw == flaw and visit.outcome == "refused"]
    assert [visit.flaw_ends_s for visit in refused] == [visit.to_s for visit in refused] != []


@pytest.mark.parametrize("flaw", ["blurred", "dark"])
def test_there_is_a_visit_that_starts_badly_and_gets_good(flaw):
    mended = [visit for visit in visits() if visit.flaw == flaw and visit.outcome != "refused"]
    assert mended
    assert all(visit.from_s < visit.flaw_ends_s < visit.to_s - 2 for visit in mended)


def test_an_enrolled_person_and_a_stranger_are_there_together():
    together = [
        (one, other)
        for one in visits()
        for other in visits()
        if one.outcome == "granted" and other.outcome == "denied" and _overlap_s(one, other) > 3
    ]
    assert together


@given(seeds)
@settings(max_examples=25)
def test_between_acts_nobody_is_in_the_picture_for_longer_than_a_second(seed):
    script = write_script(seed)
    ends = sorted({0.0, script.duration_s} | {t for v in visits(seed) for t in (v.from_s, v.to_s)})
    empty = [b - a for a, b in pairwise(ends) if not script.poses((a + b) / 2)]
    assert len(empty) == len(ACTS) + 1
    assert min(empty) == pytest.approx(GAP_S)
    assert GAP_S > 1


@given(seeds)
@settings(max_examples=25)
def test_the_scene_lasts_about_fifty_seconds(seed):
    assert 45 < write_script(seed).duration_s < 60


def test_seeds_differ_in_order_and_sway():
    assert [v.name for v in visits(1)] != [v.name for v in visits(2)]
    assert write_script(1).walks[0].phase != write_script(2).walks[0].phase


@given(seeds)
@settings(max_examples=10)
def test_people_walk_up_from_far_to_near(seed):
    for walk in write_script(seed).walks:
        if walk.role.course != "approach":
            continue
        times = [walk.visit.from_s + walk.walk_s * share for share in (0, 0.25, 0.5, 0.75, 1)]
        sizes = [walk.pose(t).face_px for t in times]
        assert sizes == sorted(sizes)
        assert 35 <= sizes[0] <= 50
        assert sizes[-1] == pytest.approx(walk.role.face_px)


@given(seeds)
@settings(max_examples=10)
def test_a_face_cut_off_is_never_more_than_half_in_the_picture(seed):
    for walk in write_script(seed).walks:
        if walk.visit.flaw == "cut_off":
            assert all(pose.x <= 0 or pose.x >= WIDTH_PX for pose in _poses(walk))


@given(seeds)
@settings(max_examples=10)
def test_a_passer_by_stays_below_eighty_pixels(seed):
    for walk in write_script(seed).walks:
        if walk.visit.flaw == "far":
            assert max(pose.face_px for pose in _poses(walk)) < 80


@given(seeds)
@settings(max_examples=10)
def test_blur_and_darkness_last_until_the_flaw_ends(seed):
    script = write_script(seed)
    for walk in script.walks:
        poses = {pose_s: walk.pose(pose_s) for pose_s in _times(walk)}
        for time_s, pose in poses.items():
            flawed = time_s <= (walk.visit.flaw_ends_s or 0)
            mended = time_s >= (walk.visit.flaw_ends_s or 0) + CLEARS_S
            if walk.visit.flaw == "blurred":
                assert (pose.blur > 0.05) if flawed else (not mended or pose.blur == 0)
            if walk.visit.flaw == "dark":
                assert (script.light(time_s) < 0.25) if flawed else (not mended or script.light(time_s) == 1)


def _overlap_s(one, other):
    return min(one.to_s, other.to_s) - max(one.from_s, other.from_s)


def _times(walk):
    first, last = int(walk.visit.from_s * FPS) + 1, int(walk.visit.to_s * FPS)
    return [number / FPS for number in range(first, last)]


def _poses(walk):
    return [walk.pose(time_s) for time_s in _times(walk)]


def test_the_table_in_the_manual_is_the_ground_truth_of_seed_0():
    manual = (PROJECT / "docs" / "demo.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in manual.splitlines() if line[:2] == "| "]
    table = [(row[1], row[3].split(":")[0]) for row in rows if row[1] != "who"]
    assert table == [(visit.name, visit.outcome) for visit in visits(0)]
