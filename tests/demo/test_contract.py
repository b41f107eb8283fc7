"""`edged demo --json` as another program sees it: the lines promised, and what the scene must come to."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime

import cv2
import pytest

from edged.demo import enrolments, visits
from edged.demo.photographs import PHOTO_DIR

SEED = 1
TIMEOUT_S = 180


def run_demo(*arguments, env=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EDGED_")} | (env or {})
    return subprocess.run(
        [sys.executable, "-m", "edged", "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment,
        check=False,
    )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def lines(data_dir):
    done = run_demo("--json", "--seed", str(SEED), "--speed", "2", "--data-dir", str(data_dir))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(lines, event):
    return [line for line in lines if line["event"] == event]


def test_every_line_is_an_object_with_event_and_utc_time(lines):
    for line in lines:
        assert line["event"]
        assert line["at"].endswith("Z")
        datetime.fromisoformat(line["at"])


def test_every_enrolled_visitor_is_let_in_exactly_once_and_nobody_else(lines):
    granted = Counter(d["person_id"] for d in of(lines, "access_decided") if d["outcome"] == "granted")
    assert granted == Counter(list(enrolments()))


def test_every_stranger_is_denied_without_a_name(lines):
    strangers = [v for v in visits(SEED) if v.outcome == "denied"]
    denied = [d for d in of(lines, "access_decided") if "not_recognised" in d["reasons"][:1]]
    assert (
        len(denied) >= len(strangers) >= 2
    )  # on a busy machine one may be lost sight of, and asked about twice
    assert {d["person_id"] for d in denied} == {None}


def test_a_grant_tells_score_reasons_and_the_time_from_frame_to_relay(lines):
    for grant in of(lines, "access_decided"):
        assert {"outcome", "person_id", "score", "reasons", "passage_id", "door_id", "camera_id"} <= set(
            grant
        )
        if grant["outcome"] == "granted":
            assert grant["reasons"] == ["granted"]
            assert grant["score"] >= 90
            assert grant["frame_to_relay_ms"] > 0
        else:
            assert grant["frame_to_relay_ms"] is None


def test_each_kind_of_bad_picture_is_refused_with_measures(lines):
    reasons = {code for refusal in of(lines, "shot_refused") for code in refusal["reasons"]}
    assert {"face_too_small", "too_blurred", "too_dark"} <= reasons
    assert all(refusal["measures"]["face_px"] > 0 for refusal in of(lines, "shot_refused"))


def test_the_door_is_locked_again_after_every_grant(lines):
    assert len(of(lines, "door_unlocked")) == len(of(lines, "door_locked")) == 3


def test_the_last_line_is_the_summary_of_the_others(lines):
    summary = lines[-1]
    decisions = of(lines, "access_decided")
    assert summary["event"] == "demo_summary"
    assert summary["passages"] == len(decisions)
    assert summary["granted"] == 3
    assert sum(summary["denied"].values()) == len(decisions) - 3
    assert summary["recognitions_per_passage"] > 0
    latency = summary["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["max"]
    frames = summary["frames"]
    assert frames["read"] == frames["analysed"] + frames["dropped"]


def test_a_passage_keeps_its_id_from_the_first_sight_to_the_relay(lines):
    for unlocked in of(lines, "door_unlocked"):
        events = [line["event"] for line in lines if line.get("passage_id") == unlocked["passage_id"]]
        assert {"track_started", "shot_chosen", "face_identified", "access_decided", "track_ended"} <= set(
            events
        )


def test_the_records_of_the_demo_explain_its_passages(lines, data_dir):
    passage_id = of(lines, "door_unlocked")[0]["passage_id"]
    done = subprocess.run(
        [sys.executable, "-m", "edged", "why", passage_id, "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for fact in ("granted", "score", "local"):
        assert fact in done.stdout.lower()


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder of pictures: one of somebody to be enrolled, one of a stranger, one without a face."""
    folder = tmp_path_factory.mktemp("photographs")
    for name, target in (("barack_obama_2.jpg", "1.jpg"), ("rishi_sunak.jpg", "2.jpg")):
        (folder / target).write_bytes((PHOTO_DIR / name).read_bytes())
    cv2.imwrite(str(folder / "3.png"), 127 * (cv2.imread(str(PHOTO_DIR / "rishi_sunak.jpg"))[:50, :50] > 300))
    return folder


def test_a_folder_of_pictures_is_a_camera_and_enrol_lets_somebody_in(photographs):
    enrol = f"Barack_Obama={PHOTO_DIR / 'barack_obama_1.jpg'}"
    done = run_demo("--json", "--camera", str(photographs), "--enrol", enrol)
    assert done.returncode == 0, done.stderr
    decisions = of([json.loads(line) for line in done.stdout.splitlines()], "access_decided")
    assert [(d["outcome"], d["person_id"]) for d in decisions] == [
        ("granted", "Barack_Obama"),
        ("denied", None),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--enrol", "Ann"], 78, "NAME=PHOTO"),
        (["--enrol", "Ann=nowhere.jpg"], 66, "nowhere.jpg"),
        (["--camera", "nowhere.mp4"], 66, "nowhere.mp4"),
        (["--camera", "ftp://camera"], 78, "ftp"),
        (["--gate", "sim:xyz"], 78, "xyz"),
    ],
)
def test_wrong_arguments_are_refused_with_what_to_do(arguments, code, says):
    done = run_demo("--json", *arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_library_of_a_real_door_is_not_touched(tmp_path):
    (tmp_path / "library.db").touch()
    done = run_demo("--json", env={"EDGED_DATA_DIR": str(tmp_path)})
    assert done.returncode == 78
    assert "real installation" in done.stderr
