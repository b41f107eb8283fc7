"""People in the cloud when something breaks on the way: nothing is lost, nobody waits for somebody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from cloud_box import Box, face_token
from cloud_library import ADD, UPDATE, CloudLibrary
from places import SUPPORT

CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from cloud_box import Box
from cloud_library import CloudLibrary
from edged.clock import SystemClock
cloud = CloudLibrary()
cloud.port = int(sys.argv[3])
Box(Path(sys.argv[2]), cloud, SystemClock()).sync.run_once()
print("not killed")
"""


def reopened(box: Box) -> Box:
    box.close()
    return Box(box.data_dir, box.cloud, box.clock)


def test_what_is_queued_survives_a_restart_and_an_unreachable_cloud(box, cloud):
    cloud.stop()
    box.enrol("anna", 1)
    trouble = box.sync.run_once().trouble
    assert trouble.code == "cloud_unreachable"
    box = reopened(box)
    assert box.queued() == ["anna"]
    cloud.start()
    box.clock.advance(600)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(1)]
    box.close()


def test_an_erasure_survives_a_restart(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.stop()
    box.store.remove_person("anna")
    box.clock.advance(10)
    assert box.sync.run_once().trouble is not None
    box = reopened(box)
    assert box.sync.queue.status().erasures == 1
    cloud.start()
    box.clock.advance(600)
    box.settle()
    assert cloud.users == {}
    assert box.sync.queue.status().erasures == 0
    box.close()


def test_while_the_cloud_is_down_it_is_asked_once_and_not_for_everybody(box, cloud):
    for seed in range(5):
        box.enrol(f"p{seed}", seed)
    cloud.faults.extend(["500"] * 20)
    box.sync.run_once()
    assert len(cloud.calls) == 1


def test_somebody_the_cloud_always_fails_for_does_not_keep_the_others_waiting(box, cloud):
    box.enrol("bad", 1)
    box.enrol("good", 2)
    cloud.failing = {"bad"}
    for _ in range(6):
        box.clock.advance(400)
        box.sync.run_once()
    assert cloud.faces("default", "good") == [face_token(2)]
    assert box.queued() == ["bad"]
    cloud.failing = set()
    box.clock.advance(3700)
    box.settle()
    assert box.queued() == []


def test_attempts_for_one_person_become_rarer(box, cloud):
    box.enrol("bad", 1)
    waits = []
    for _ in range(12):
        cloud.faults.append(222300)
        box.clock.advance(3700)
        box.sync.run_once()
        [entry] = box.sync.queue.entries()
        waits.append((entry.next_at - box.clock.now()).total_seconds())
    assert waits[0] <= 5
    assert 1800 <= waits[-1] <= 3600
    assert entry.attempts == 12
    assert entry.error_code == "cloud_222300"


def test_an_entry_set_aside_is_left_alone_until_the_person_changes(box, cloud):
    cloud.unusable = {face_token(1)}
    box.enrol("anna", 1)
    box.settle()
    calls = len(cloud.calls)
    box.clock.advance(86_400)
    box.settle()
    assert len(cloud.calls) == calls
    box.enrol("anna", 2)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(2)]


def test_a_used_up_allowance_stops_everybody_and_sets_nobody_aside(box, cloud):
    box.enrol("anna", 1)
    box.enrol("bert", 2)
    cloud.before = lambda path, body: cloud.faults.append(17) if path == "v3/faceset/group/add" else None
    trouble = box.sync.run_once().trouble
    assert trouble.code == "cloud_17"
    assert cloud.enrolments() == [ADD]
    assert box.sync.queue.status().set_aside == 0
    cloud.before = lambda path, body: None
    box.clock.advance(3600)
    box.settle()
    assert len(cloud.users) == 2


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3)])
def test_an_answer_lost_on_the_way_is_made_good_without_a_second_face(box, cloud, seeds, lost):
    """The cloud has done it and this box does not know. The client repeats a request once by itself."""
    box.enrol("anna", *seeds)

    def lose_the_first_answer(path, body):
        if path == "v3/faceset/group/add":
            cloud.faults.extend(["drop"] * lost)
            cloud.before = lambda path, body: None

    cloud.before = lose_the_first_answer
    assert (box.sync.run_once().trouble is None) == (lost == 1)
    assert cloud.faces("default", "anna")
    box.clock.advance(400)
    box.settle()
    box.settle()
    assert sorted(cloud.faces("default", "anna")) == sorted(map(face_token, seeds))
    assert box.queued() == []
    assert box.diff.compare()[0].is_same


@pytest.mark.slow
@pytest.mark.parametrize("path", [ADD, UPDATE, "v3/faceset/face/delete"])
def test_killed_between_the_clouds_success_and_our_own_note_the_work_is_repeated_to_the_same_end(
    box, cloud, path
):
    box.enrol("anna", 1, 2)
    if path != ADD:
        box.settle()
        box.store.remove_face(box.store.faces("anna")[0].face_id)
    if path == UPDATE:
        box.enrol("anna", 3)
    wanted = {ADD: [1, 2], UPDATE: [2, 3]}.get(path, [2])
    killed = run_until_killed_in(box, cloud, path)
    assert killed == -signal.SIGKILL
    box = Box(box.data_dir, cloud, box.clock)
    box.clock.step_wall(86_400 * 365)  # the child noted the real time
    for _ in range(3):
        box.settle()
    assert sorted(cloud.faces("default", "anna")) == sorted(map(face_token, wanted))
    assert box.queued() == []
    assert box.diff.compare()[0].is_same
    box.close()


@pytest.mark.slow
def test_killed_while_erasing_the_erasure_is_still_confirmed(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.store.remove_person("anna")
    assert run_until_killed_in(box, cloud, "v3/faceset/user/delete") == -signal.SIGKILL
    box = Box(box.data_dir, cloud, box.clock)
    assert box.sync.queue.status().erasures == 1
    box.settle()
    assert cloud.users == {}
    assert box.sync.queue.status().erasures == 0
    box.close()


def run_until_killed_in(box: Box, cloud: CloudLibrary, path: str) -> int:
    """Work the queue in another process and kill it when the cloud has done `path`, before it says so."""
    box.close()
    child: list[subprocess.Popen] = []

    def kill(done: str, body: dict) -> None:
        if done == path:
            cloud.after = lambda path, body: None
            os.kill(child[0].pid, signal.SIGKILL)
            child[0].wait(60)

    cloud.after = kill
    command = [sys.executable, "-c", CHILD, str(SUPPORT), str(box.data_dir), str(cloud.port)]
    child.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    return child[0].wait(60)
