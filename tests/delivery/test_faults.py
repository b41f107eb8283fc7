"""Deliveries when the receiver, the network or the box fails: nothing lost, nothing twice."""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
import threading

import pytest
from delivery_rig import DEVICE, ZONE, Receiver, Rig, punch, service, write_in_bulk
from places import SUPPORT
from small_disks import fill
from tls_certificate import EXPIRED, VALID, certificate, needs_openssl

from edged.bus import EventBus
from edged.clock import SystemClock
from edged.delivery.outbox import Outbox
from edged.delivery.target_secrets import TargetSecrets
from edged.delivery.targets import Surroundings, build_target
from edged.journal import journal_path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RawServer:
    """Accepts connections, reads one request and does with each what `treat` does; knows no HTTP."""

    def __init__(self, treat, tls=None):
        self._treat = treat
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.released = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._serve(connection)
                except OSError:
                    continue

    def _serve(self, connection):
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        connection.settimeout(5)
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return
            data += piece
        self._treat(connection, self.released)

    def stop(self):
        self.released.set()
        self._listener.close()


@pytest.fixture
def make(tmp_path):
    rigs = []

    def made(url, **given):
        rig = Rig(tmp_path, None, url=url, timeout_s=given.pop("timeout_s", 0.3), **given)
        box = Surroundings(DEVICE, "Head office", ZONE, rig.clock)
        rig.build = lambda: build_target(rig.settings, TargetSecrets("office", None, {}), box)
        rigs.append(rig)
        return rig

    yield made
    for rig in rigs:
        rig.close()


def after_one_step(rig):
    rig.decide(1)
    rig.pump.step()
    assert (rig.place.seq, rig.place.dead) == (0, 0)
    return rig.reporter.state


def test_a_refused_connection_is_waited_out(make):
    port = free_port()
    rig = make(f"http://127.0.0.1:{port}")
    state = after_one_step(rig)
    assert (state.state, state.code) == ("waiting", "delivery_unreachable")
    receiver = Receiver(port=port)
    rig.run()
    assert list(receiver.stored) == ["box7-1"]
    receiver.stop()


def test_a_name_without_an_address_is_waited_out(make):
    assert after_one_step(make("http://no-such-host.invalid")).code == "delivery_unreachable"


REPLIES = {
    "silence": (lambda c, released: released.wait(30), "delivery_timeout"),
    "hang-up": (lambda c, released: None, "delivery_broken_answer"),
    "half a head": (
        lambda c, released: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Le"),
        ("delivery_no_acknowledgement", "delivery_broken_answer"),
    ),
    "half a body": (
        lambda c, released: c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"recordId": '),
        "delivery_broken_answer",
    ),
    "a body that never comes": (
        lambda c, released: (
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"),
            released.wait(30),
        ),
        "delivery_timeout",
    ),
    "no HTTP": (lambda c, released: c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "delivery_broken_answer"),
    "a bad length": (
        lambda c, released: c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        "delivery_broken_answer",
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_broken_answer_is_no_acknowledgement_and_no_log_tells_the_path(make, name, caplog):
    caplog.set_level("DEBUG")
    treat, code = REPLIES[name]
    server = RawServer(treat)
    state = after_one_step(make(f"http://127.0.0.1:{server.port}/hooks/s3cret?key=s3cret"))
    server.stop()
    assert state.state == "waiting"
    codes = (code,) if isinstance(code, str) else code  # how much of a torn answer arrives is a race
    assert state.code in codes
    assert "s3cret" not in caplog.text + state.message


def test_an_answer_in_chunks_and_without_its_length_is_read(make):
    answer = b'{"recordId": "box7-1"}'

    def chunked(connection, released):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (answer[:5], answer[5:])]
        connection.sendall(head + b"".join(chunks) + b"0\r\n\r\n")

    server = RawServer(chunked)
    rig = make(f"http://127.0.0.1:{server.port}")
    rig.decide(1)
    rig.pump.step()
    server.stop()
    assert rig.place.delivered == 1


def test_an_answer_that_drips_for_ever_is_given_up(make):
    def drip(connection, released):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not released.wait(0.05):
            connection.sendall(b" ")

    server = RawServer(drip)
    rig = make(f"http://127.0.0.1:{server.port}")
    advance = threading.Event()

    def let_time_pass():
        while not advance.wait(0.05):
            rig.clock.advance(0.1)

    passing = threading.Thread(target=let_time_pass)
    passing.start()
    state = after_one_step(rig)
    advance.set()
    passing.join()
    server.stop()
    assert state.code == "delivery_broken_answer"


@needs_openssl
@pytest.mark.parametrize(
    ("expired", "known", "host", "words"),
    [
        (True, True, "localhost", "certificate has expired"),
        (False, False, "localhost", "self-signed certificate"),
        (False, True, "127.0.0.1", "IP address mismatch"),
    ],
)
def test_a_certificate_that_is_not_valid_needs_an_operator(make, tmp_path, expired, known, host, words):
    context, ca_file = certificate(tmp_path, "DNS:localhost", EXPIRED if expired else VALID)
    server = RawServer(lambda c, released: None, tls=context)
    rig = make(f"https://{host}:{server.port}", ca_file=ca_file if known else None, timeout_s=30.0)
    state = after_one_step(rig)
    server.stop()
    assert (state.state, state.code) == ("needs_operator", "delivery_certificate")
    assert words in state.message


@needs_openssl
def test_a_port_that_is_not_encrypted_needs_an_operator(make):
    receiver = Receiver()
    state = after_one_step(make(receiver.url.replace("http:", "https:"), timeout_s=30.0))
    receiver.stop()
    assert (state.state, state.code) == ("needs_operator", "delivery_tls")


def test_a_certificate_file_that_is_missing_heals_when_it_is_there(make, tmp_path):
    rig = make("https://localhost:1", ca_file=tmp_path / "ca.pem")
    assert after_one_step(rig).code == "delivery_ca_file"


def test_a_long_backlog_arrives_complete_in_order_and_historic(tmp_path):
    """A receiver that was down while 3,000 records were written (the crash laboratory has 100,000)."""
    clock, count = SystemClock(), 3000
    early = clock.now().replace(year=clock.now().year - 1)
    write_in_bulk(journal_path(tmp_path), [punch(clock, n, at=early) for n in range(1, count + 1)])
    port, bus = free_port(), EventBus(clock)
    target = {
        "name": "office", "kind": "http", "url": f"http://127.0.0.1:{port}/", "batch": 50,
        "retry_s": 0.05, "retry_max_s": 0.1, "max_rate": 100_000.0,
    }  # fmt: skip
    delivery = service(tmp_path, bus, {"targets": [target]})
    delivery.start()
    receiver = Receiver(port=port)
    assert receiver.wait_for(lambda: len(receiver.stored) == count)
    assert delivery.stop(30.0)
    bus.close()
    receiver.stop()
    assert receiver.received == [f"{DEVICE}-{n}" for n in range(1, count + 1)]
    assert all(record["historic"] for record in receiver.stored.values())


def test_a_full_disk_leaves_no_half_line_and_every_record_arrives_when_there_is_room(make, small_disk):
    rig = make(None, kind="file", file={"folder": small_disk})
    rig.decide(1)
    rig.run()
    filler = fill(small_disk)
    rig.decide(*range(2, 40))
    rig.pump.step()
    (file,) = small_disk.glob("office-*.jsonl")
    assert (rig.reporter.state.state, rig.reporter.state.code) == ("needs_operator", "delivery_folder")
    assert file.read_bytes().endswith(b"\n")
    filler.unlink()
    rig.run()
    assert [json.loads(line)["seq"] for line in file.read_text().splitlines()] == list(range(1, 40))


def test_a_place_that_cannot_be_written_is_tried_again_under_the_same_id(make, small_disk):
    receiver = Receiver()
    rig = make(receiver.url)
    rig.outbox.close()
    rig.outbox = Outbox.open(small_disk, rig.clock)
    rig.outbox.configure({"office": 0})
    rig.pump = rig.new_pump()
    filler = fill(small_disk)
    rig.decide(1)
    rig.pump.step()
    failed = rig.reporter.state
    filler.unlink()
    rig.run()
    receiver.stop()
    assert (failed.state, failed.code) == ("needs_operator", "disk_full")
    assert (set(receiver.received), rig.place.seq) == ({"box7-1"}, 1)


BOX = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from delivery_rig import service
from edged.bus import EventBus
from edged.clock import SystemClock
bus = EventBus(SystemClock())
delivery = service(Path(sys.argv[2]), bus, {"targets": [
    {"name": "office", "kind": "http", "url": sys.argv[3], "batch": int(sys.argv[4]), "retry_s": 0.05,
     "max_rate": 100000.0},
    {"name": "files", "kind": "file", "file": {"folder": sys.argv[5]}, "max_rate": 100000.0},
]})
delivery.start()
sys.stdin.read()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "batch"), [(1, 1), (2, 1), (3, 20)])
def test_a_box_killed_in_mid_delivery_loses_nothing_and_repeats_only_under_the_same_id(tmp_path, seed, batch):
    chance, count = random.Random(seed), 600
    clock = SystemClock()
    write_in_bulk(journal_path(tmp_path), [punch(clock, n) for n in range(1, count + 1)])
    receiver = Receiver()
    box = [
        sys.executable,
        "-c",
        BOX,
        str(SUPPORT),
        str(tmp_path),
        receiver.url,
        str(batch),
        str(tmp_path / "out"),
    ]
    kills = 0
    while len(receiver.stored) < count:
        process = subprocess.Popen(box, stdin=subprocess.PIPE)
        until = min(count, len(receiver.stored) + chance.randrange(20, 200))
        assert receiver.wait_for(lambda until=until: len(receiver.stored) >= until)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
    assert kills >= 3
    assert list(receiver.stored) == [f"{DEVICE}-{n}" for n in range(1, count + 1)]
    assert len(receiver.received) - count <= kills * batch  # repeats: what was under way, under its old id
    finish(tmp_path, count)
    lines = [line for file in sorted((tmp_path / "out").iterdir()) for line in file.read_text().splitlines()]
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, count + 1))
    receiver.stop()


def finish(folder, count):
    """Let the target `files` come to its end in this process."""
    bus = EventBus(SystemClock())
    target = {"name": "files", "kind": "file", "file": {"folder": folder / "out"}, "max_rate": 100_000.0}
    delivery = service(folder, bus, {"targets": [target]})
    delivery.start()
    outbox = Outbox.open_readonly(folder, SystemClock())
    done = threading.Event()
    while outbox.place("files").seq < count:
        done.wait(0.05)
    outbox.close()
    assert delivery.stop(30.0)
    bus.close()


def test_a_receiver_that_answers_nothing_does_not_hold_up_the_end_of_the_daemon(tmp_path):
    clock = SystemClock()
    write_in_bulk(journal_path(tmp_path), [punch(clock, 1)])
    asked = threading.Event()
    server = RawServer(lambda c, released: (asked.set(), released.wait(30)))
    bus = EventBus(clock)
    target = {"name": "office", "kind": "http", "url": f"http://127.0.0.1:{server.port}", "timeout_s": 20.0}
    delivery = service(tmp_path, bus, {"targets": [target]})
    delivery.start()
    assert asked.wait(30)
    assert delivery.stop(0.1) is False
    server.stop()
    bus.close()
    assert Outbox.open_readonly(tmp_path, clock).place("office").seq == 0
