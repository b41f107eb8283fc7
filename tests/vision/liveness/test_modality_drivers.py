"""Drivers of further cameras are found by entry point, and all must pass at the instant of the shot."""

from __future__ import annotations

from functools import partial
from importlib import resources
from pathlib import Path
from uuid import uuid4

import cv2
import numpy as np
import pytest

from edged.app.daemon import Daemon
from edged.app.preflight import preflight
from edged.clock import ManualClock
from edged.config import Config, LivenessConfig
from edged.errors import EdgedError, Misconfigured
from edged.reasons import describe
from edged.vision.faces import FaceReader
from edged.vision.liveness.modality_drivers import MAX_SKEW_S, AlsoRequired, load
from edged.vision.liveness.model import LivenessModel
from edged.vision.spoofing import PATIENCE_S, PassiveSpoofGuard

BOX = (100.0, 100.0, 150.0, 180.0)

DRIVER = '''
from edged.vision.liveness.modality import ModalityResult


class Camera:
    """Answers what the test tells it."""

    name = "NAME"

    def __init__(self, clock):
        self.clock, self.score, self.late_s, self.asked, self.broken = clock, 0.9, 0.0, [], False

    def result_at(self, at_s, box):
        self.asked.append((at_s, box))
        if self.broken:
            raise OSError("the cable is out")
        return None if self.score is None else ModalityResult(self.score, 0.5, at_s + self.late_s)


made = []


def connect(clock):
    made.append(Camera(clock))
    return made[-1]


def refuse(clock):
    raise RuntimeError("no such camera")


def ask_the_operator(clock):
    from edged.errors import NeedsOperator
    raise NeedsOperator("The lamp is off.", code="nir_lamp_off", hint="Switch it on.")


def something_else(clock):
    return object()
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with one driver where Python looks for packages; returns its module's name."""

    def put(name: str, factory: str = "connect") -> str:
        module = f"camera_{uuid4().hex}"
        (tmp_path / f"{module}.py").write_text(DRIVER.replace("NAME", name), "utf-8")
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[edged.liveness]\n{name} = {module}:{factory}\n", "utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        return module

    return put


def camera_of(module: str):
    """The driver's object that was made."""
    return __import__(module).made[-1]


def test_a_driver_is_found_by_its_entry_point_and_gets_the_clock_and_the_face(install):
    module, clock = install("nir"), ManualClock()
    also = load(["nir"], clock)
    assert also.missing(5.0, BOX) == ()
    assert camera_of(module).clock is clock
    assert camera_of(module).asked == [(5.0, BOX)]


def test_nothing_is_missing_where_nothing_is_required():
    assert load([], ManualClock()).missing(5.0, BOX) == ()


@pytest.mark.parametrize("score", [0.2, float("nan"), None])
def test_one_that_does_not_pass_is_named(install, score):
    nir, depth = install("nir"), install("depth")
    also = load(["nir", "depth"], ManualClock())
    camera_of(nir).score = score
    assert also.missing(5.0, BOX) == ("nir",)
    camera_of(depth).score = score
    assert also.missing(5.0, BOX) == ("nir", "depth")


def test_one_that_saw_another_instant_does_not_pass(install):
    module = install("nir")
    also = load(["nir"], ManualClock())
    camera_of(module).late_s = -MAX_SKEW_S * 1.1
    assert also.missing(5.0, BOX) == ("nir",)


def test_two_that_pass_too_far_from_one_another_are_both_named(install):
    nir, depth = install("nir"), install("depth")
    also = load(["nir", "depth"], ManualClock())
    camera_of(nir).late_s, camera_of(depth).late_s = -MAX_SKEW_S * 0.7, MAX_SKEW_S * 0.7
    assert also.missing(5.0, BOX) == ("nir", "depth")


def test_one_that_fails_while_it_runs_does_not_pass_and_recovers(install):
    module = install("nir")
    also = load(["nir"], ManualClock())
    camera_of(module).broken = True
    assert also.missing(5.0, BOX) == ("nir",)
    camera_of(module).broken = False
    assert also.missing(5.0, BOX) == ()


def test_a_name_that_no_package_brings_is_refused_with_those_that_are_there(install):
    install("depth")
    with pytest.raises(Misconfigured, match=r"nir.*installed: depth") as refused:
        load(["nir"], ManualClock())
    assert refused.value.code == "liveness_driver_missing"
    assert "also_required" in refused.value.message


def test_a_name_that_two_packages_bring_is_refused(install):
    install("nir")
    install("nir")
    with pytest.raises(Misconfigured) as refused:
        load(["nir"], ManualClock())
    assert refused.value.code == "liveness_driver_ambiguous"


@pytest.mark.parametrize(
    ("factory", "code"),
    [
        ("refuse", "liveness_driver_failed"),
        ("not_there", "liveness_driver_failed"),
        ("something_else", "liveness_driver_unusable"),
    ],
)
def test_a_driver_that_cannot_be_used_stops_the_start_with_a_hint(install, factory, code):
    install("nir", factory)
    with pytest.raises(Misconfigured) as refused:
        load(["nir"], ManualClock())
    assert refused.value.code == code
    assert refused.value.hint


def test_an_error_the_driver_words_itself_is_told_as_it_is(install):
    install("nir", "ask_the_operator")
    with pytest.raises(EdgedError) as refused:
        load(["nir"], ManualClock())
    assert refused.value.code == "nir_lamp_off"


def test_a_check_finds_what_is_missing_and_starts_nothing(install):
    module = install("nir")
    config = Config.model_validate({"vision": {"liveness": {"also_required": ["nir", "depth"]}}})
    (refused,) = preflight(config, ManualClock())
    assert refused.code == "liveness_driver_missing"
    assert "depth" in refused.message
    assert not __import__(module).made


def test_the_daemon_does_not_start_without_a_driver_it_needs(tmp_path):
    config = Config.model_validate(
        {
            "data_dir": tmp_path / "data",
            "camera": {"source": "demo:"},
            "vision": {"liveness": {"also_required": ["nir"]}},
        }
    )
    daemon = Daemon(config, ManualClock())
    with pytest.raises(Misconfigured) as refused:
        daemon.start()
    assert refused.value.code == "liveness_driver_missing"


@pytest.mark.parametrize(
    "setting", [{"mode": "off", "also_required": ["nir"]}, {"also_required": ["a", "a"]}]
)
def test_settings_that_contradict_each_other_are_refused(setting):
    with pytest.raises(ValueError, match="also_required"):
        LivenessConfig.model_validate(setting)


@pytest.mark.parametrize("name", ["nir", "depth", "thermal"])
def test_what_a_driver_missed_has_words(name):
    assert "living face" in describe(f"spoof_{name}").meaning


# -- together with the colour camera


class Looked:
    """A photograph looked at often enough for the network to decide; threshold 0 lets everybody pass."""

    def __init__(
        self,
        reader: FaceReader,
        model: LivenessModel,
        also: AlsoRequired,
        *,
        mode: str = "required",
        threshold: float = 0.0,
    ) -> None:
        photo = Path(str(resources.files("edged.demo") / "photos" / "jacinda_ardern_1.jpg"))
        self.image = cv2.resize(cv2.imread(str(photo)), None, fx=0.6, fy=0.6)
        (face,) = reader.detect(self.image, min_face_px=60)
        config = LivenessConfig(mode=mode, threshold=threshold)
        self.guard = PassiveSpoofGuard(config, model, also)
        self.box, self.now_s = face.box, 10.0
        for number in range(8):
            noisy = np.clip(self.image.astype(int) + number, 0, 255).astype(np.uint8)
            self.now_s = 10.0 + number / 25
            self.guard.look(noisy, face, None, self.now_s)

    def verdict(self):
        return self.guard.verdict(self.now_s, self.box)


@pytest.fixture
def looked_at(face_reader, liveness_model):
    return partial(Looked, face_reader, liveness_model)


def test_a_face_passes_when_the_colour_camera_and_all_others_pass(install, looked_at):
    install("nir")
    looked = looked_at(load(["nir"], ManualClock()))
    assert looked.guard.ready(looked.now_s, looked.box)
    assert looked.verdict().passed
    assert not any(code == "spoof_nir" for code in looked.verdict().suspicion)


def test_a_face_that_another_camera_does_not_pass_is_suspected_under_its_name(install, looked_at):
    module = install("nir")
    looked = looked_at(load(["nir"], ManualClock()))
    camera_of(module).score = 0.1
    verdict = looked.verdict()
    assert verdict.decided
    assert not verdict.passed
    assert verdict.suspicion[-1] == "spoof_nir"


def test_another_camera_that_passes_does_not_make_up_for_the_colour_camera(install, looked_at):
    install("nir")
    assert not looked_at(load(["nir"], ManualClock()), threshold=1.0).verdict().passed


def test_shots_wait_a_bounded_time_for_another_camera_to_pass(install, looked_at):
    module = install("nir")
    looked = looked_at(load(["nir"], ManualClock()))
    guard, box, now_s = looked.guard, looked.box, looked.now_s
    camera_of(module).score = None
    assert not guard.ready(now_s, box)
    assert not guard.ready(now_s + 0.9 * PATIENCE_S, box)
    assert guard.ready(now_s + PATIENCE_S, box), "so that the refusal is on record"
    camera_of(module).score = 0.9
    assert guard.ready(now_s + PATIENCE_S, box)
    camera_of(module).score = None
    assert not guard.ready(now_s + PATIENCE_S + 0.1, box), "the patience starts anew"


def test_nobody_waits_for_another_camera_while_liveness_is_only_recorded(install, looked_at):
    module = install("nir")
    looked = looked_at(load(["nir"], ManualClock()), mode="advisory")
    camera_of(module).score = None
    assert looked.guard.ready(looked.now_s, looked.box)
    assert looked.verdict().suspicion[-1] == "spoof_nir"
