"""Passages while the cloud fails in every way there is: each is decided once, in time, and a denial says why.

Through recognition service, access service, governor and client, on real sockets. Who is let in follows from
the policy alone: by the box where it may answer, by nobody where it may not.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cloud_bench import API_KEY, SECRET_KEY
from cloud_faces import FaceCloudStub
from cloud_stub import TOKEN_PATH, answer, refusal, token
from cloud_troubles import a_byte_a_second, always, bursts, half_a_body, never_answers, token_revoked
from passage_door import DEADLINE_S, SURE, UNSURE, PassageDoor, SettableClock
from tiers import slow_but
from tls_certificate import EXPIRED, OPENSSL, certificate

from edged.events import AccessDecided, CloudDegraded, Outcome
from edged.reasons import describe

TOKEN = "24.visible-never"
QPS = 10
LATER_S = 26 * 3600.0
"""Longer than any pause that follows a failure, the rest of the cloud's day included."""
DAY_S = 86_400.0
SLACK_S = 10.0
"""Tolerance for a decision beyond the age a picture may have; generous, this is no measure of speed."""
JITTER_S = 0.5
"""Tolerance for the arrival of calls on a busy machine; a burst would arrive within milliseconds.
tests/faceapi/governor/test_arrivals.py holds the exact rule."""

POLICIES: dict[str, dict[str, Any]] = {
    "cloud": {"engine": "cloud"},
    "local_first": {"engine": "hybrid", "hybrid": {"policy": "local_first"}},
    "cloud_first": {"engine": "hybrid", "hybrid": {"policy": "cloud_first"}},
    "cloud_first, deny": {
        "engine": "hybrid",
        "hybrid": {"policy": "cloud_first", "when_cloud_down": "deny"},
    },
}
WITHOUT_FALLBACK = ("cloud", "cloud_first, deny")
TOO_OLD = ("too_old",)
SLOW = ("cloud_timeout", "cloud_late", "cloud_overdue")
SHORT = {"read_timeout_s": 0.5}
"""For faults that keep a caller waiting."""
PATIENT = {"read_timeout_s": 5.0, "max_age_s": 8.0, "cloud_wait_s": 6.0}
"""For all others: a busy machine must not look like a slow cloud."""
PAGE = "<!DOCTYPE html><title>Sign in</title>"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and what a denial has to name.

    Attributes:
        begins: brings it about, in a cloud that worked until then.
        named: codes of which one stands in every denial that rests on it.
        settings: of the site, see `make_site`.
    """

    begins: Callable[[FaceCloudStub], None]
    named: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=lambda: PATIENT)


LASTING = {
    "refused": Fault(FaceCloudStub.vanish, ("cloud_unreachable",)),
    "hangs up": Fault(always(lambda sock: None), ("cloud_unreachable",)),
    "black hole": Fault(never_answers, SLOW, {**SHORT, "max_age_s": 8.0}),
    "black hole, shipped settings": Fault(never_answers, SLOW, {}),
    "a byte a second": Fault(a_byte_a_second, SLOW, {**SHORT, "max_age_s": 8.0}),
    "half a body": Fault(always(half_a_body), ("cloud_bad_answer",)),
    "HTML": Fault(always(answer(200, PAGE)), ("cloud_bad_answer", "cloud_token_url")),
    "500": Fault(always(answer(500, PAGE)), ("cloud_http_500",)),
    "502": Fault(always(answer(502, PAGE)), ("cloud_http_502",)),
    "504": Fault(always(answer(504, PAGE)), ("cloud_http_504",)),
    "429": Fault(always(answer(429, "")), ("cloud_http_429",)),
    "code 18": Fault(always(refusal(18)), ("cloud_18",)),
    "busy": Fault(always(refusal(222901)), ("cloud_222901",)),
    "allowance used up": Fault(always(refusal(17)), ("cloud_17", "cloud_daily_quota")),
    "no permission": Fault(always(refusal(6)), ("cloud_6",)),
}
"""From some moment on no call is answered as it should be."""

PASSING = {
    "token revoked": Fault(token_revoked, ("cloud_110", "cloud_http_503")),
    "bursts of code 18": Fault(bursts(*[refusal(18)] * 4), ("cloud_18",)),
    "bursts of 429": Fault(bursts(*[answer(429, "")] * 4), ("cloud_http_429",)),
    "one 502 in four": Fault(bursts(answer(502, PAGE)), ("cloud_http_502",)),
    "some never answer": Fault(
        lambda cloud: bursts(lambda sock: cloud.released.wait(DEADLINE_S))(cloud),
        SLOW,
        {**SHORT, "max_age_s": 8.0},
    ),
}
"""Some calls are answered, some are not."""


@dataclass
class Site:
    """A door, the cloud it asks, and the time."""

    cloud: FaceCloudStub
    door: PassageDoor
    clock: SettableClock


@pytest.fixture(autouse=True)
def nothing_is_left_and_nothing_secret_is_said(monkeypatch, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("EDGED_CLOUD_API_KEY", API_KEY)
    monkeypatch.setenv("EDGED_CLOUD_SECRET_KEY", SECRET_KEY)
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), f"{thread.name} is left behind"
    records = [*caplog.get_records("setup"), *caplog.get_records("call"), *caplog.get_records("teardown")]
    assert records
    said = "\n".join([*(record.getMessage() for record in records), *capfd.readouterr()])
    for secret in (API_KEY, SECRET_KEY, TOKEN):
        assert secret not in said


@pytest.fixture
def make_site(tmp_path) -> Iterator[Callable[..., Site]]:
    with ExitStack() as stack:

        def make(policy: str, *, cloud: FaceCloudStub | None = None, **settings: Any) -> Site:
            """`settings`: of `recognition.cloud`; `max_age_s` of `access`, `cloud_wait_s` of the hybrid."""
            cloud = stack.enter_context(cloud or FaceCloudStub())
            cloud.replies(token(TOKEN), path=TOKEN_PATH)
            clock = SettableClock()
            access = {name: settings.pop(name) for name in ("max_age_s",) if name in settings}
            waits = {name: settings.pop(name) for name in ("cloud_wait_s",) if name in settings}
            recognition = {
                "cloud": {"url": cloud.url, "gather_s": 0.02, "qps": QPS, **settings},
                "engine": POLICIES[policy]["engine"],
                "hybrid": {**POLICIES[policy].get("hybrid", {}), **waits},
            }
            door = PassageDoor(recognition, tmp_path, clock, access=access)
            stack.callback(door.close)
            stack.callback(cloud.released.set)  # first: who waits in the stub may go
            return Site(cloud, door, clock)

        yield make


def who(decision: AccessDecided) -> str:
    return (decision.passage_id or "").partition("_")[2]


def assert_rightly_decided(policy: str, decision: AccessDecided, named: tuple[str, ...]) -> None:
    """Nobody is let in as somebody else, by an engine that may not, or sent away without a word."""
    if decision.outcome is Outcome.GRANTED:
        assert decision.person_id == f"p_{who(decision)}"
        assert decision.engine == "cloud" or policy not in WITHOUT_FALLBACK
    elif decision.reasons[0] == "cloud_unavailable":
        assert set(decision.reasons) & set(named), decision.reasons
        assert decision.engine == "cloud"
    for code in decision.reasons:
        assert describe(code).meaning != code.replace("_", " "), f"{code} has no words"


def assert_each_decided_once_and_in_time(site: Site) -> None:
    decided = Counter(decision.passage_id for decision in site.door.decisions)
    assert decided == Counter(site.door.passages)
    assert max(site.door.waited_s.values()) <= site.door.max_age_s + SLACK_S


def assert_nothing_beyond_the_rate(cloud: FaceCloudStub) -> None:
    """QPS + 1 calls of a kind never lie within a second, but for `JITTER_S`."""
    for path in {asked.path for asked in cloud.calls}:
        arrived_s = [asked.arrived_s for asked in cloud.calls if asked.path == path]
        for first, last in zip(arrived_s, arrived_s[QPS:], strict=False):
            assert last - first >= 1.0 - JITTER_S


def assert_few_threads() -> None:
    """What a dead network holds up does not pile up."""
    held = Counter(thread.name for thread in threading.enumerate() if thread.name.startswith("cloud-"))
    assert held["cloud-call"] <= 2
    assert held["cloud-token"] <= 1
    assert held["cloud-dns"] <= 1


def assert_nothing_secret(site: Site) -> None:
    said = "\n".join(json.dumps(event.to_dict(), default=str) for event in site.door.events)
    for secret in (API_KEY, SECRET_KEY, TOKEN):
        assert secret not in said


CROWD = [("ann",), ("cleo",), ("bert", "dora", "stranger"), ("stranger",), ("ann",)]
TRIES = 20


def assert_the_fallback_alone_lets_in(policy: str, decision: AccessDecided) -> None:
    """What each policy says while the cloud is away."""
    name = who(decision)
    if policy in WITHOUT_FALLBACK:
        assert decision.reasons[0] == "cloud_unavailable"
        return
    assert decision.engine == "local"
    assert (decision.outcome is Outcome.GRANTED) == (name in SURE)
    stays = policy == "local_first" and name not in UNSURE
    expected = {"local_sure"} if stays else {"cloud_down", "cloud_late"}
    assert decision.engine_reason in expected


def assert_the_cloud_lets_in(site: Site, settings: dict[str, Any]) -> None:
    """At once; with time-outs as short as those shipped a busy machine may be too late for some passages."""
    for _ in range(1 if settings is PATIENT else TRIES):
        (decision,) = site.door.walk("cleo")
        if decision.outcome is Outcome.GRANTED:
            break
        site.clock.skip(LATER_S)
    assert (decision.outcome, decision.engine) == (Outcome.GRANTED, "cloud")


def assert_the_cloud_is_asked_again(site: Site, settings: dict[str, Any]) -> None:
    """When the fault is over, and every pause that it led to."""
    site.cloud.trouble = lambda asked: None
    site.cloud.replies(token(TOKEN + "2"), path=TOKEN_PATH)
    site.clock.skip(LATER_S)
    assert_the_cloud_lets_in(site, settings)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", slow_but(LASTING, "refused", "502", "HTML"))
def test_a_cloud_that_fails_from_now_on(make_site, name, policy):
    fault = LASTING[name]
    site = make_site(policy, **fault.settings)
    assert_the_cloud_lets_in(site, fault.settings)

    fault.begins(site.cloud)
    for people in CROWD:
        for decision in site.door.walk(*people):
            assert_rightly_decided(policy, decision, fault.named)
            if decision.reasons != TOO_OLD or fault.settings:
                assert_the_fallback_alone_lets_in(policy, decision)
    assert_few_threads()
    assert_each_decided_once_and_in_time(site)
    assert_nothing_beyond_the_rate(site.cloud)

    if name == "refused":
        site.cloud.come_back()
    assert_the_cloud_is_asked_again(site, fault.settings)
    assert_nothing_secret(site)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", slow_but(PASSING, "bursts of 429"))
def test_a_cloud_that_fails_now_and_then(make_site, name, policy):
    fault = PASSING[name]
    site = make_site(policy, **fault.settings)
    site.door.walk("cleo")

    fault.begins(site.cloud)
    for people in CROWD:
        for decision in site.door.walk(*people):
            assert_rightly_decided(policy, decision, fault.named)
    assert_few_threads()
    assert_each_decided_once_and_in_time(site)
    assert_nothing_beyond_the_rate(site.cloud)
    assert_the_cloud_is_asked_again(site, fault.settings)
    assert_nothing_secret(site)


@pytest.mark.slow
def test_a_rush_while_calls_fail_is_slowed_down_to_the_rate(make_site):
    site = make_site("cloud", multi=False, **PATIENT)
    site.door.walk("cleo")
    PASSING["one 502 in four"].begins(site.cloud)
    for _ in range(3):
        site.door.walk(*["stranger"] * 4)
    assert_each_decided_once_and_in_time(site)
    assert len(site.door.passages) == 13
    assert len(site.cloud.calls) > 2 * QPS
    assert_nothing_beyond_the_rate(site.cloud)


def nowhere(folder: Path) -> tuple[FaceCloudStub, dict[str, Any]]:
    return FaceCloudStub(), {"url": "http://no-such-host.invalid"}


def unknown_authority(folder: Path) -> tuple[FaceCloudStub, dict[str, Any]]:
    return FaceCloudStub(certificate(folder, "IP:127.0.0.1")[0]), {}


def of_another_name(folder: Path) -> tuple[FaceCloudStub, dict[str, Any]]:
    context, ca_file = certificate(folder, "DNS:other.example")
    return FaceCloudStub(context), {"ca_file": ca_file}


def run_out(folder: Path) -> tuple[FaceCloudStub, dict[str, Any]]:
    context, ca_file = certificate(folder, "IP:127.0.0.1", EXPIRED)
    return FaceCloudStub(context), {"ca_file": ca_file}


def without_tls(folder: Path) -> tuple[FaceCloudStub, dict[str, Any]]:
    cloud = FaceCloudStub()
    return cloud, {"url": cloud.url.replace("http:", "https:")}


NO_WAY = {
    "no address": (nowhere, ("cloud_dns",)),
    "certificate of an unknown authority": (unknown_authority, ("cloud_certificate",)),
    "certificate of another name": (of_another_name, ("cloud_certificate",)),
    "certificate that has run out": (run_out, ("cloud_certificate",)),
    "no TLS there": (without_tls, ("cloud_tls",)),
}
"""The way there is wrong from the start; what leads to such a cloud, and what denials name."""


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", NO_WAY)
def test_a_cloud_to_which_there_is_no_way(make_site, tmp_path, name, policy):
    if "certificate" in name and OPENSSL is None:
        pytest.skip("openssl makes the certificates")
    lead, named = NO_WAY[name]
    cloud, settings = lead(tmp_path)
    site = make_site(policy, cloud=cloud, **PATIENT, **settings)
    for people in CROWD:
        for decision in site.door.walk(*people):
            assert_rightly_decided(policy, decision, named)
            assert_the_fallback_alone_lets_in(policy, decision)
    assert_few_threads()
    assert_each_decided_once_and_in_time(site)
    assert site.cloud.asked == []
    assert_nothing_secret(site)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("stepped_s", [DAY_S, -DAY_S])
def test_setting_the_clock_by_a_day_changes_no_passage(make_site, stepped_s, policy):
    site = make_site(policy, daily_calls=100, **PATIENT)
    for step_s in (stepped_s, -stepped_s):
        site.door.walk("cleo", "ann")
        site.clock.step_wall(step_s)
        decisions = site.door.walk("ann", "cleo", "stranger")
        assert {who(d): d.outcome.value for d in decisions} == {
            "ann": "granted",
            "cleo": "granted",
            "stranger": "denied",
        }
        assert {d.engine for d in decisions if who(d) == "cleo"} == {"cloud"}
    assert_each_decided_once_and_in_time(site)
    assert len(site.door.passages) == 10
    assert_nothing_beyond_the_rate(site.cloud)
    assert len(site.cloud.token_requests) == 1
    assert not [event for event in site.door.events if isinstance(event, CloudDegraded)]
