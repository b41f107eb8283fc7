"""The capture loop on sources with an end: pace, lossless play, orientation, events, stopping."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edged.bus import EventBus
from edged.camera.capture import CaptureLoop, orient
from edged.camera.mailbox import Mailbox
from edged.camera.registry import open_source
from edged.camera.source import FrameSource, RawFrame, SourceInfo
from edged.clock import ManualClock, SystemClock
from edged.config import CameraConfig
from edged.errors import RetryLater
from edged.events import CameraConnected, CameraLost, Event, SourceEnded
from edged.frame import Frame

DEADLINE_S = 30.0


class Bench:
    """A capture loop with everything it needs, and what it published."""

    def __init__(self, config: CameraConfig, factory=None, clock=None, **options) -> None:
        self.clock = clock or SystemClock()
        self.bus = EventBus(self.clock)
        self.events: list[Event] = []
        self.changed = threading.Condition()
        self.bus.subscribe((CameraConnected, CameraLost, SourceEnded), self._note, name="test")
        self.mailbox = Mailbox()
        self.loop = CaptureLoop(
            config, factory or (lambda: open_source(config)), self.mailbox, self.bus, self.clock, **options
        )

    def _note(self, event: Event) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def wait(self, rule: Callable[[], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(rule, DEADLINE_S)

    def frames(self) -> list[Frame]:
        taken = []
        while (frame := self.mailbox.take(DEADLINE_S)) is not None:
            taken.append(frame)
        self.bus.drain(DEADLINE_S)
        return taken

    def kinds(self) -> list[type[Event]]:
        return [type(e) for e in self.events]


@pytest.fixture
def bench():
    made: list[Bench] = []

    def make(*args, **options) -> Bench:
        made.append(Bench(*args, **options))
        return made[-1]

    yield make
    for one in made:
        assert one.loop.stop(DEADLINE_S)
        one.bus.close()


def pictures(folder, count: int, shape=(3, 4)) -> CameraConfig:
    for i in range(count):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((*shape, 3), i, np.uint8))
    return CameraConfig(source=str(folder), fps=4)


def test_at_speed_0_every_frame_is_delivered_in_order(bench, tmp_path) -> None:
    played = bench(pictures(tmp_path, 5), speed=0)
    played.loop.start()
    frames = played.frames()
    assert [f.number for f in frames] == list(range(1, 21))
    assert [f.cut for f in frames] == [True, False, False, False] * 5
    assert [int(f.image[0, 0, 0]) for f in frames[::4]] == [0, 1, 2, 3, 4]
    assert played.loop.counters().dropped == 0
    assert played.kinds() == [CameraConnected, SourceEnded]
    ended = played.events[-1]
    assert (ended.frames, ended.complete, ended.camera_id) == (20, True, "cam1")


def test_a_paced_source_releases_a_frame_only_when_it_is_due(bench, tmp_path) -> None:
    clock = ManualClock()
    start_s = clock.monotonic()
    played = bench(pictures(tmp_path, 1), clock=clock, speed=2)
    played.loop.start()
    stamps = [played.mailbox.take(DEADLINE_S).captured_s]
    for _ in range(3):
        assert played.mailbox.take(0) is None, "the next frame is not due yet"
        clock.advance(0.125)
        stamps.append(played.mailbox.take(DEADLINE_S).captured_s)
    assert stamps == pytest.approx([start_s + i * 0.125 for i in range(4)])


def test_pace_is_kept_by_deadlines_so_a_late_frame_does_not_shift_the_rest(bench, tmp_path) -> None:
    clock = ManualClock()
    start_s = clock.monotonic()
    played = bench(pictures(tmp_path, 1), clock=clock)
    played.loop.start()
    played.mailbox.take(DEADLINE_S)
    clock.advance(0.3)  # 0.05 s late
    assert played.mailbox.take(DEADLINE_S).captured_s == pytest.approx(start_s + 0.3)
    clock.advance(0.2)  # at 0.5 s the third is due, were it not for the delay
    assert played.mailbox.take(DEADLINE_S).captured_s == pytest.approx(start_s + 0.5)


def test_wall_time_and_monotonic_time_of_a_frame_are_the_same_moment(bench, tmp_path) -> None:
    clock = ManualClock()
    played = bench(pictures(tmp_path, 1), clock=clock)
    played.loop.start()
    frame = played.mailbox.take(DEADLINE_S)
    assert (frame.captured_s, frame.captured_at) == (clock.monotonic(), clock.now())
    assert played.loop.counters().last_frame_age_s == 0


def test_a_source_can_be_played_in_a_loop_with_a_cut_at_each_start(bench, tmp_path) -> None:
    played = bench(pictures(tmp_path, 1), speed=0, loop=True)
    played.loop.start()
    frames = [played.mailbox.take(DEADLINE_S) for _ in range(9)]
    assert [f.cut for f in frames] == [True, False, False, False, True, False, False, False, True]
    assert played.loop.stop(DEADLINE_S)
    played.bus.drain(DEADLINE_S)
    assert played.kinds() == [CameraConnected], "connected once, never ended"


def test_rotation_and_mirror_are_applied_and_the_turned_size_is_reported(bench, tmp_path) -> None:
    config = pictures(tmp_path, 1).model_copy(update={"rotate": 90, "mirror": True})
    played = bench(config, speed=0)
    played.loop.start()
    assert played.frames()[0].image.shape == (4, 3, 3)
    assert (played.events[0].width, played.events[0].height) == (3, 4)


@pytest.mark.parametrize(
    ("rotate", "mirror", "expected"),
    [
        (0, False, [[1, 2], [3, 4]]),
        (90, False, [[3, 1], [4, 2]]),
        (180, False, [[4, 3], [2, 1]]),
        (270, False, [[2, 4], [1, 3]]),
        (90, True, [[1, 3], [2, 4]]),
    ],
)
def test_orientation_turns_clockwise_and_mirrors_afterwards(rotate, mirror, expected) -> None:
    assert orient(np.array([[1, 2], [3, 4]], np.uint8), rotate, mirror).tolist() == expected


def test_an_unusable_picture_makes_the_end_incomplete_and_is_named(bench, tmp_path) -> None:
    config = pictures(tmp_path, 2)
    (tmp_path / "9.jpg").write_bytes(b"")
    played = bench(config, speed=0)
    played.loop.start()
    assert len(played.frames()) == 8
    assert not played.events[-1].complete
    assert "9.jpg" in played.events[-1].reason


def test_a_file_that_cannot_be_opened_ends_with_the_reason_instead_of_being_retried(bench, tmp_path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"no video")
    played = bench(CameraConfig(source=str(path)))
    played.loop.start()
    assert played.frames() == []
    assert played.kinds() == [SourceEnded]
    assert (played.events[0].frames, played.events[0].complete) == (0, False)
    assert "MKV" in played.events[0].reason, "the hint is part of it"


def test_stop_in_the_middle_of_a_file_is_not_an_end(bench, tmp_path) -> None:
    played = bench(pictures(tmp_path, 1), clock=ManualClock())
    played.loop.start()
    played.mailbox.take(DEADLINE_S)
    assert played.loop.stop(DEADLINE_S)
    played.bus.drain(DEADLINE_S)
    assert SourceEnded not in played.kinds()
    assert played.mailbox.closed


def test_stop_ends_a_lossless_loop_whose_frames_nobody_takes(bench, tmp_path) -> None:
    played = bench(pictures(tmp_path, 1), speed=0)
    played.loop.start()
    assert played.wait(lambda: CameraConnected in played.kinds())
    assert played.loop.stop(DEADLINE_S)


def test_stop_before_start_is_harmless(bench, tmp_path) -> None:
    assert bench(pictures(tmp_path, 1)).loop.stop(0)


def test_the_loop_beats_while_it_waits(bench, tmp_path) -> None:
    beats = threading.Semaphore(0)
    played = bench(pictures(tmp_path, 1), clock=ManualClock(), on_beat=beats.release)
    played.loop.start()
    played.mailbox.take(DEADLINE_S)
    for _ in range(6):  # the clock stands still, so the second frame never becomes due
        assert beats.acquire(timeout=DEADLINE_S)


class Scripted(FrameSource):
    """A lasting source that plays what a test wrote down: a frame, or an error to raise."""

    has_end = False
    live = True

    def __init__(self, steps: list[int | Exception]) -> None:
        self._steps = steps

    def open(self) -> SourceInfo:
        return SourceInfo(4, 3, 0.0)

    def read(self) -> RawFrame:
        while not self._steps:
            self.on_wait()
            threading.Event().wait(0.01)
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return RawFrame(np.full((3, 4, 3), step, np.uint8))

    def close(self) -> None:
        pass


def lost(code: str) -> RetryLater:
    return RetryLater("rtsp://u:s3cret@cam is away.", code=code, hint="Look at rtsp://u:s3cret@cam.")


def test_one_outage_is_reported_once_per_cause_and_its_end_once(bench) -> None:
    steps = [
        1,
        lost("camera_silent"),
        lost("camera_refused"),
        lost("camera_silent"),
        lost("camera_refused"),
        2,
        3,
    ]
    config = CameraConfig(source="rtsp://u:s3cret@cam", retry_min_s=0.05, retry_max_s=0.05)
    played = bench(config, lambda: Scripted(steps))
    played.loop.start()
    assert played.wait(lambda: played.kinds().count(CameraConnected) == 2)
    assert played.kinds() == [CameraConnected, CameraLost, CameraLost, CameraConnected]
    assert [e.code for e in played.events[1:3]] == ["camera_silent", "camera_refused"]
    assert played.loop.counters().reconnects == 1


def test_the_first_frame_after_a_reconnect_is_a_cut(bench) -> None:
    steps: list[int | Exception] = [1]
    played = bench(
        CameraConfig(source="rtsp://cam", retry_min_s=0.05, retry_max_s=0.05), lambda: Scripted(steps)
    )
    played.loop.start()
    assert played.mailbox.take(DEADLINE_S).cut
    steps.append(2)
    assert not played.mailbox.take(DEADLINE_S).cut
    steps += [lost("camera_silent"), 3]
    assert played.mailbox.take(DEADLINE_S).cut


def test_no_event_carries_a_password(bench) -> None:
    steps = [lost("camera_silent"), 1]
    played = bench(CameraConfig(source="rtsp://u:s3cret@cam", retry_min_s=0.05), lambda: Scripted(steps))
    played.loop.start()
    assert played.wait(lambda: len(played.events) == 2)
    assert "s3cret" not in str([e.to_dict() for e in played.events])


def test_an_unexpected_failure_of_a_source_is_an_outage_not_the_end_of_the_thread(bench) -> None:
    steps = [ValueError("from a driver"), 1]
    played = bench(CameraConfig(source="rtsp://cam", retry_min_s=0.05), lambda: Scripted(steps))
    played.loop.start()
    assert played.wait(lambda: CameraConnected in played.kinds())
    assert played.events[0].code == "camera_failed"
