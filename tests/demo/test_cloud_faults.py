"""The whole daemon on two photographs while its cloud fails: decisions, their words, an end in time."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cloud_bench import API_KEY, SECRET_KEY
from cloud_stub import TOKEN_PATH, CloudStub, answer
from command_line import run_edged
from passage_door import SettableClock
from serve_process import ServeProcess
from tiers import slow_but
from tls_certificate import OPENSSL, certificate

from edged.app.daemon import Daemon
from edged.clock import SystemClock
from edged.config import Config
from edged.demo.people import claim_data_dir, enrol_all, parse_enrolment
from edged.demo.served import send_people
from edged.events import AccessDecided, Event, Outcome
from edged.library.store import LibraryStore

DEADLINE_S = 120.0
DAY_S = 86_400.0
ENGINES: dict[str, dict[str, Any]] = {
    "cloud": {"engine": "cloud"},
    "cloud_first": {"engine": "hybrid", "hybrid": {"policy": "cloud_first"}},
}


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory, photographs, enrol) -> Path:
    """A data directory with one of the two people, who has agreed to the cloud, and a camera on both."""
    folder = tmp_path_factory.mktemp("enrolled") / "data"
    claim_data_dir(folder)
    shutil.copytree(photographs, folder / "pictures")
    enrol_all(demo_config(folder), SystemClock(), [parse_enrolment(enrol)], scene=False)
    store = LibraryStore.open(folder, SystemClock())
    for person in store.list_people().people:
        store.record_consent(person.person_id, "cloud", given=True, recorded_by="test")
    store.close()
    return folder


@pytest.fixture
def data_dir(enrolled, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("EDGED_CLOUD_API_KEY", API_KEY)
    monkeypatch.setenv("EDGED_CLOUD_SECRET_KEY", SECRET_KEY)
    return Path(shutil.copytree(enrolled, tmp_path / "data"))


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), f"{thread.name} is left behind"


def demo_config(data_dir: Path, max_age_s: float = 1.0, **recognition: Any) -> Config:
    return Config.model_validate(
        {
            "data_dir": data_dir,
            "camera": {"source": str(data_dir / "pictures"), "fps": 5},
            "gate": {"port": "sim:lcus"},
            "access": {"max_age_s": max_age_s},
            "recognition": recognition,
        }
    )


def patient_config(data_dir: Path, served: ServeProcess, engine: str) -> Config:
    """With long time-outs: a busy machine is no slow cloud."""
    cloud = {**served.server.cloud_section(), "read_timeout_s": 8.0}
    hybrid = {**ENGINES[engine].get("hybrid", {}), "cloud_wait_s": 8.0}
    return demo_config(data_dir, 10.0, engine=ENGINES[engine]["engine"], hybrid=hybrid, cloud=cloud)


class Played:
    """A daemon that plays the pictures, and the decisions it came to."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.decisions: list[AccessDecided] = []
        self._changed = threading.Condition()
        daemon.bus.subscribe(AccessDecided, self._hear, name="test")

    def _hear(self, decision: Event) -> None:
        with self._changed:
            self.decisions.append(decision)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[AccessDecided], bool]) -> AccessDecided:
        """The next decision of this kind; those before it are not looked at again."""
        with self._changed:
            first = len(self.decisions)
            assert self._changed.wait_for(lambda: any(map(wanted, self.decisions[first:])), DEADLINE_S), (
                self.decisions[first:]
            )
            return next(filter(wanted, self.decisions[first:]))

    def assert_each_decided_once(self) -> None:
        assert set(Counter(decision.passage_id for decision in self.decisions).values()) == {1}


@contextmanager
def playing(config: Config, clock: SystemClock) -> Iterator[Played]:
    """The pictures again and again, until the block ends."""
    daemon = Daemon(config, clock, loop=True)
    played = Played(daemon)
    daemon.start()
    try:
        yield played
    finally:
        in_time = daemon.stop()
    assert in_time
    played.assert_each_decided_once()


def granted(decision: AccessDecided) -> bool:
    return decision.outcome is Outcome.GRANTED


def why(decision: AccessDecided, data_dir: Path) -> str:
    """What `edged why` says of it."""
    done = run_edged("why", decision.passage_id, "--data-dir", data_dir)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def refused(folder: Path) -> Iterator[str]:
    with CloudStub() as cloud:
        cloud.vanish()
        yield cloud.url


@contextmanager
def black_hole(folder: Path) -> Iterator[str]:
    with CloudStub() as cloud:
        for path in (None, TOKEN_PATH):
            cloud.replies(lambda sock: cloud.released.wait(DEADLINE_S), path=path)
        yield cloud.url


@contextmanager
def bad_gateway(folder: Path) -> Iterator[str]:
    with CloudStub() as cloud:
        cloud.replies(answer(502, "<!DOCTYPE html><title>Bad gateway</title>"))
        yield cloud.url


@contextmanager
def wrong_certificate(folder: Path) -> Iterator[str]:
    if OPENSSL is None:
        pytest.skip("openssl makes the certificates")
    with CloudStub(certificate(folder, "IP:127.0.0.1")[0]) as cloud:
        yield cloud.url


FAULTS = {
    "refused": (refused, "the cloud could not be reached"),
    "black hole": (black_hole, "the cloud did not answer in time"),
    "bad gateway": (bad_gateway, "failed to handle the request (HTTP 502)"),
    "certificate": (wrong_certificate, "the certificate of the cloud's server was not accepted"),
}
"""What is at the other end, and what `edged why` has to say of a denial."""


@pytest.mark.parametrize("name", slow_but(FAULTS, "refused"))
def test_with_the_cloud_alone_nobody_passes_and_edged_why_says_what_happened(data_dir, tmp_path, name):
    fault, words = FAULTS[name]
    with fault(tmp_path) as url:
        config = demo_config(data_dir, engine="cloud", cloud={"url": url})
        with playing(config, SystemClock()) as played:
            decision = played.wait_for(lambda one: True)
        assert not any(map(granted, played.decisions))
        assert decision.reasons[0] == "cloud_unavailable"
        assert words in why(decision, data_dir)


@pytest.mark.parametrize("name", slow_but(FAULTS, "refused"))
def test_with_the_box_to_fall_back_on_people_pass(data_dir, tmp_path, name):
    fault, _ = FAULTS[name]
    with fault(tmp_path) as url:
        config = demo_config(data_dir, **ENGINES["cloud_first"], cloud={"url": url})
        with playing(config, SystemClock()) as played:
            decision = played.wait_for(granted)
        assert decision.engine == "local"
        assert decision.engine_reason in ("cloud_down", "cloud_late")


@pytest.fixture
def served(data_dir, tmp_path, monkeypatch) -> Iterator[ServeProcess]:
    """A recognition server that knows who is enrolled."""
    for name in ("EDGED_CLOUD_API_KEY", "EDGED_CLOUD_SECRET_KEY"):
        monkeypatch.delenv(name)  # it has keys of its own, in a file
    with ServeProcess(tmp_path / "serve") as process:
        process.start()
        send_people(demo_config(data_dir, cloud=process.server.cloud_section()), SystemClock())
        yield process


def by_cloud(decision: AccessDecided) -> bool:
    return granted(decision) and decision.engine == "cloud"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_recognition_server_is_killed_and_started_again(data_dir, served, engine):
    with playing(patient_config(data_dir, served, engine), SystemClock()) as played:
        played.wait_for(by_cloud)
        served.kill()
        if engine == "cloud":
            meanwhile = played.wait_for(lambda one: "cloud_unavailable" in one.reasons)
            assert set(meanwhile.reasons) & {"cloud_unreachable", "cloud_bad_answer", "cloud_timeout"}
        else:
            meanwhile = played.wait_for(lambda one: granted(one) and one.engine == "local")
            assert meanwhile.engine_reason in ("cloud_down", "cloud_late")
        served.start()
        played.wait_for(by_cloud)


@pytest.mark.slow
@pytest.mark.parametrize("stepped_s", [DAY_S, -DAY_S])
def test_setting_the_clock_by_a_day_keeps_nobody_out(data_dir, served, stepped_s):
    clock = SettableClock()
    with playing(patient_config(data_dir, served, "cloud"), clock) as played:
        before = played.wait_for(by_cloud)
        clock.step_wall(stepped_s)
        after = played.wait_for(by_cloud)
        assert abs((after.at - before.at).total_seconds() - stepped_s) < DEADLINE_S
    assert not [one for one in played.decisions if "cloud_unavailable" in one.reasons]
