"""The target `mqtt` against mosquitto: acknowledgements, availability, announcements to Home Assistant."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from broker import Broker, Listener, needs_mosquitto
from delivery_rig import DEVICE, ZONE, Rig, punch
from places import SUPPORT
from tls_certificate import EXPIRED, VALID, make_certificate, needs_openssl

from edged.delivery.target_secrets import TargetSecrets
from edged.delivery.targets import Surroundings, build_target
from edged.events import GateAlarmRaised

pytestmark = needs_mosquitto

BASE = f"edged/{DEVICE}"


@pytest.fixture
def cleanup():
    parts = []
    yield parts.append
    for part in reversed(parts):
        part()


@pytest.fixture
def start(tmp_path, cleanup):
    def started(*lines, **given):
        broker = Broker(tmp_path / "broker", *lines, **given)
        cleanup(broker.stop)
        return broker

    return started


@pytest.fixture
def make(tmp_path, cleanup):
    def made(broker, password=None, scheme="mqtt", host="127.0.0.1", **given):
        given = {"events": ["decisions", "alarms", "punches"], "timeout_s": 5.0, **given}
        rig = Rig(tmp_path, None, kind="mqtt", url=f"{scheme}://{host}:{broker.port}", **given)
        environ = {"EDGED_DELIVERY_OFFICE_PASSWORD": password} if password else {}
        box = Surroundings(DEVICE, "Head office", ZONE, rig.clock)
        rig.build = lambda: build_target(rig.settings, TargetSecrets("office", None, environ), box)
        cleanup(rig.close)
        return rig

    return made


@pytest.fixture
def listen(cleanup):
    def listening(broker, **given):
        listener = Listener(broker.port, **given)
        cleanup(listener.stop)
        return listener

    return listening


@pytest.mark.parametrize("version", [5, 3])
def test_records_arrive_in_order_on_the_topic_of_their_kind(start, make, listen, version):
    broker = start()
    listener, rig = listen(broker), make(broker, mqtt={"version": version})
    rig.decide(*range(1, 151))
    rig.write(punch(rig.clock, 1), GateAlarmRaised(at=rig.clock.now(), code="relay_stuck", reason="on"))
    rig.run()
    assert rig.place.delivered == 152
    assert listener.wait_for(lambda: len(listener.on(f"{BASE}/alarm")) == 1)
    assert [record["seq"] for record in listener.on(f"{BASE}/decision")] == list(range(1, 151))
    assert listener.on(f"{BASE}/decision")[0]["recordId"] == "box7-1"
    assert listener.on(f"{BASE}/punch")[0]["direction"] == "in"


def test_old_records_go_where_nobody_acts_on_them(start, make, listen):
    broker = start()
    listener, rig = listen(broker), make(broker)
    rig.decide(1)
    rig.clock.advance(3600)
    rig.decide(2)
    rig.run()
    assert listener.wait_for(lambda: listener.on(f"{BASE}/decision") != [])
    assert [record["seq"] for record in listener.on(f"{BASE}/historic/decision")] == [1]
    assert [record["seq"] for record in listener.on(f"{BASE}/decision")] == [2]


def test_records_are_not_kept_by_the_broker_and_pictures_are_not_sent(start, make, listen):
    broker = start()
    rig = make(broker, picture_of=lambda _: b"JPEG")
    rig.decide(1)
    rig.run()
    listener = listen(broker)
    assert listener.wait_for(lambda: listener.on(f"{BASE}/status") != [])
    assert listener.on(f"{BASE}/decision") == []
    assert "image" not in str(listener.heard)


def test_the_box_is_online_before_there_is_any_record_and_offline_when_it_stops(start, make, listen):
    broker = start()
    listener, rig = listen(broker), make(broker)
    rig.run()
    assert listener.wait_for(lambda: listener.on(f"{BASE}/status") == ["online"])
    rig.pump.close()
    assert listener.wait_for(lambda: listener.on(f"{BASE}/status")[-1] == "offline")


def test_a_box_that_dies_is_declared_offline_by_its_will(start, listen, tmp_path):
    broker = start()
    listener = listen(broker)
    script = f"""
import sys
sys.path.insert(0, {str(SUPPORT)!r})
from pathlib import Path
from delivery_rig import DEVICE, ZONE, Rig
from edged.delivery.target_secrets import TargetSecrets
from edged.delivery.targets import Surroundings, build_target
rig = Rig(Path({str(tmp_path)!r}), None, kind="mqtt", url="mqtt://127.0.0.1:{broker.port}")
rig.build = lambda: build_target(
    rig.settings, TargetSecrets("office", None, {{}}), Surroundings(DEVICE, "x", ZONE, rig.clock))
rig.run()
print("up", flush=True)
sys.stdin.read()
"""
    box = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert box.stdout.readline() == "up\n"
    assert listener.wait_for(lambda: listener.on(f"{BASE}/status") == ["online"])
    box.kill()
    box.communicate()
    assert listener.wait_for(lambda: listener.on(f"{BASE}/status")[-1] == "offline")


def test_home_assistant_learns_of_events_and_the_connection_and_of_nothing_that_opens(start, make, listen):
    broker = start()
    rig = make(broker)
    first = listen(broker, topic="homeassistant/#")
    rig.run()
    assert first.wait_for(lambda: len(first.heard) == 4)
    late = listen(broker, topic="homeassistant/#", name="late")  # as Home Assistant after a restart
    assert late.wait_for(lambda: len(late.heard) == 4)
    told = {topic: content for topic, content, retained in late.heard if retained}
    assert set(told) == {
        f"homeassistant/binary_sensor/edged_{DEVICE}/connection/config",
        *(f"homeassistant/event/edged_{DEVICE}/{kind}/config" for kind in ("decision", "alarm", "punch")),
    }
    passage = told[f"homeassistant/event/edged_{DEVICE}/decision/config"]
    assert passage["state_topic"] == f"{BASE}/decision"
    assert passage["event_types"] == ["pass", "deny", "stranger", "not_executed"]
    assert passage["availability_topic"] == f"{BASE}/status"
    assert len({content["unique_id"] for content in told.values()}) == 4
    assert {content["device"]["name"] for content in told.values()} == {"Head office"}
    assert "command_topic" not in str(told)


def test_every_event_is_of_a_type_that_was_announced(start, make, listen):
    broker = start()
    listener, rig = listen(broker), make(broker)
    rig.decide(1)
    rig.decide(2, granted=False)
    rig.write(punch(rig.clock, 1), GateAlarmRaised(at=rig.clock.now(), code="relay_stuck", reason="on"))
    rig.run()
    assert listener.wait_for(lambda: len(listener.on(f"{BASE}/alarm")) == 1)
    for kind in ("decision", "punch", "alarm"):
        (announced,) = listener.on(f"homeassistant/event/edged_{DEVICE}/{kind}/config")
        assert {r["event_type"] for r in listener.on(f"{BASE}/{kind}")} <= set(announced["event_types"])


def test_without_discovery_nothing_is_announced(start, make, listen):
    broker = start()
    rig = make(broker, mqtt={"discovery": False})
    rig.run()
    listener = listen(broker)
    assert listener.wait_for(lambda: listener.on(f"{BASE}/status") != [])
    assert [topic for topic, _, _ in listener.heard] == [f"{BASE}/status"]


def test_a_broker_that_is_away_loses_nothing(start, make, listen):
    broker = start(persistent=True)
    listener, rig = listen(broker), make(broker, timeout_s=1.0)
    rig.decide(1)
    rig.run()
    broker.stop()
    rig.decide(2, 3)
    step = rig.pump.step()
    assert (step.idle, rig.reporter.state.state) == (False, "waiting")
    broker.start()
    rig.run()
    assert listener.wait_for(lambda: len({r["seq"] for r in listener.on(f"{BASE}/decision")}) == 3)
    ids = [record["recordId"] for record in listener.on(f"{BASE}/decision")]
    assert list(dict.fromkeys(ids)) == ["box7-1", "box7-2", "box7-3"]


def login(tmp_path, *more):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "door", "right"], check=True)
    passwords.chmod(0o644)
    return ("allow_anonymous false", f"password_file {passwords}", *more)


def test_a_wrong_password_needs_an_operator(start, make, tmp_path):
    rig = make(start(*login(tmp_path)), password="wrong", mqtt={"username": "door"})
    rig.decide(1)
    rig.pump.step()
    assert (rig.reporter.state.state, rig.reporter.state.code) == ("needs_operator", "delivery_login")
    assert "wrong" not in rig.reporter.state.message


def test_the_right_one_lets_records_pass(start, make, tmp_path):
    rig = make(start(*login(tmp_path)), password="right", mqtt={"username": "door"})
    rig.decide(1)
    rig.run()
    assert rig.place.delivered == 1


def test_a_topic_the_broker_does_not_allow_is_noticed_and_nothing_is_lost(start, make, tmp_path):
    rules = tmp_path / "acl"
    rules.write_text("user door\ntopic readwrite other/#\n")
    rules.chmod(0o644)
    broker = start(*login(tmp_path, f"acl_file {rules}"))
    rig = make(broker, password="right", mqtt={"username": "door"})
    rig.decide(1)
    rig.pump.step()
    assert (rig.reporter.state.code, rig.place.seq, rig.place.dead) == ("delivery_login", 0, 0)


@needs_openssl
@pytest.mark.parametrize("expired", [False, True])
def test_an_encrypted_broker_is_used_unless_its_certificate_has_expired(start, make, tmp_path, expired):
    key, certificate = make_certificate(tmp_path, "DNS:localhost", EXPIRED if expired else VALID)
    broker = start(f"certfile {certificate}", f"keyfile {key}")
    rig = make(broker, scheme="mqtts", host="localhost", ca_file=certificate)
    rig.decide(1)
    rig.pump.step()
    if expired:
        assert (rig.reporter.state.state, rig.reporter.state.code) == (
            "needs_operator",
            "delivery_certificate",
        )
        assert "expired" in rig.reporter.state.message
    else:
        assert rig.place.delivered == 1


def test_a_device_name_with_signs_of_topics_stays_one_level(start, listen, tmp_path, cleanup):
    broker = start()
    rig = Rig(tmp_path, None, kind="mqtt", url=f"mqtt://127.0.0.1:{broker.port}")
    box = Surroundings("a/b#+ c", "x", ZONE, rig.clock)
    rig.build = lambda: build_target(rig.settings, TargetSecrets("office", None, {}), box)
    cleanup(rig.close)
    rig.run()
    listener = listen(broker, topic="edged/+/status")
    assert listener.wait_for(lambda: listener.on("edged/a_b___c/status") == ["online"])
