"""A box with a journal and deliveries from it, for tests: records in bulk, receivers on real sockets."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

from edged.bus import EventBus
from edged.clock import Clock, ManualClock, SystemClock
from edged.config.delivery_section import DeliveryConfig, TargetConfig
from edged.delivery.outbox import Outbox
from edged.delivery.pump import Pump
from edged.delivery.records import PictureOf, RecordMaker
from edged.delivery.service import DeliveryService
from edged.delivery.source import OpenRecords
from edged.delivery.state import Reporter
from edged.delivery.target import Message, Receipt, Target
from edged.delivery.targets import Surroundings
from edged.events import AccessDecided, Event, Outcome, PunchRecorded, TrackStarted
from edged.journal import Journal, JournalReader, journal_path

DEVICE = "box7"
ZONE = ZoneInfo("Europe/Berlin")


def decision(clock: Clock, number: int, *, granted: bool = True, **fields: object) -> AccessDecided:
    """A decision about `mara`; `number` makes its ids."""
    given: dict = {
        "at": clock.now(),
        "passage_id": f"p_{number}",
        "door_id": "door1",
        "camera_id": "cam1",
        "decision_id": f"d_{number}",
        "outcome": Outcome.GRANTED if granted else Outcome.DENIED,
        "person_id": "mara",
        "person_name": "Mara Lind",
        "score": 92.4,
        "threshold": 80.0,
        "engine": "local",
        "reasons": ("granted",) if granted else ("outside_schedule",),
        "timings_ms": {"detect": 6.4, "embed": 14.4},
    }
    return AccessDecided(**{**given, **fields})


def punch(clock: Clock, number: int, **fields: object) -> PunchRecorded:
    """A punch of `mara`."""
    given: dict = {
        "at": clock.now(),
        "door_id": "door1",
        "punch_id": number,
        "person_id": "mara",
        "person_name": "Mara Lind",
        "direction": "in",
        "direction_by": "device",
        "repeated": False,
        "decision_id": f"d_{number}",
    }
    return PunchRecorded(**{**given, **fields})


def track(clock: Clock, number: int) -> TrackStarted:
    """An event that only explains."""
    return TrackStarted(at=clock.now(), passage_id=f"p_{number}", track_id=number)


def write_in_bulk(path: Path, events: list[Event]) -> None:
    """Add events to a journal that nobody has open; punches are written far faster than decisions."""
    journal = Journal.open(path, SystemClock())
    try:
        for number, event in enumerate(events):
            journal.record(event)
            if number % 1000 == 999:
                journal.flush()
    finally:
        journal.close()


def opener(folder: Path) -> OpenRecords:
    """Opens the journal in `folder`, as the daemon does for its deliveries."""
    return partial(JournalReader.open_readonly, journal_path(folder))


class ListTarget:
    """A target that keeps what it is given; `behave` may raise, or return another receipt."""

    def __init__(
        self, batch: int = 1, behave: Callable[[list[Message]], Receipt | None] | None = None
    ) -> None:
        self.batch = batch
        self.behave = behave
        self.calls: list[list[str]] = []
        self.taken: list[Message] = []
        self.closed = 0

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.taken]

    def deliver(self, messages: list[Message]) -> Receipt:
        self.calls.append([message.id for message in messages])
        receipt = self.behave(list(messages)) if self.behave else None
        receipt = receipt or Receipt(frozenset(message.id for message in messages))
        self.taken += [message for message in messages if message.id in receipt.taken]
        return receipt

    def tend(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1


class Rig:
    """One target fed from a journal in `folder`, step by step, with a clock that is moved by hand."""

    def __init__(
        self,
        folder: Path,
        target: Target | None,
        *,
        picture_of: PictureOf | None = None,
        clock=None,
        **settings: object,
    ) -> None:
        self.picture_of = picture_of
        self.folder = folder
        self.clock = clock or ManualClock()
        self.bus = EventBus(self.clock)
        self.told: list[Event] = []
        self.bus.subscribe(Event, self.told.append, name="told")
        self.target = target
        self.build: Callable[[], Target] = lambda: self.target
        given = {"name": "office", "kind": "http", "url": "http://127.0.0.1:1", "retry_s": 1.0}
        self.settings = TargetConfig.model_validate({**given, **settings})
        self.journal = Journal.open(journal_path(folder), self.clock)
        self.outbox = Outbox.open(folder, self.clock)
        self.outbox.configure({self.settings.name: 0})
        self.reporter = Reporter(self.settings.name, self.bus, self.clock)
        self.pump = self.new_pump()

    def begin_anew(self, name: str, target: Target) -> None:
        """Go on with a new target that begins at the oldest record; the journal stays."""
        self.pump.close()
        self.target = target
        self.settings = self.settings.model_copy(update={"name": name})
        self.outbox.configure({name: 0})
        self.reporter = Reporter(name, self.bus, self.clock)
        self.pump = self.new_pump()

    def new_pump(self) -> Pump:
        """As after a restart of the daemon."""
        return Pump(
            self.settings,
            lambda: self.build(),
            self.outbox,
            opener(self.folder),
            RecordMaker(DEVICE, "Head office", self.clock, picture_of=self.picture_of),
            self.reporter,
            self.clock,
            random.Random(1),
        )

    def decide(self, *numbers: int, **fields: object) -> None:
        """Put decisions into the journal."""
        for number in numbers:
            self.journal.commit_decision(decision(self.clock, number, **fields))

    def write(self, *events: Event) -> None:
        """Put other events into the journal."""
        for event in events:
            self.journal.record(event)
        self.journal.flush()

    def run(self, steps: int = 1000) -> None:
        """Step until there is nothing to do; pauses pass at once."""
        for _ in range(steps):
            step = self.pump.step()
            if step.idle:
                return
            self.clock.advance(step.wait_s)
        raise AssertionError(f"not done after {steps} steps: {self.reporter.state}")

    @property
    def place(self):
        return self.outbox.place(self.settings.name)

    def told_of(self, kind: type[Event]) -> list:
        """Events of that kind on the bus so far."""
        self.bus.drain(30.0)
        return [event for event in self.told if isinstance(event, kind)]

    def close(self) -> None:
        self.pump.close()
        self.outbox.close()
        self.journal.close()
        self.bus.close()


def service(folder: Path, bus: EventBus, config: dict, environ: dict | None = None) -> DeliveryService:
    """The delivery of a box whose journal is in `folder`, with the time of the machine."""
    box = Surroundings(DEVICE, "Head office", ZONE, SystemClock())
    settings = DeliveryConfig.model_validate(config)
    return DeliveryService(settings, folder, opener(folder), box, bus, environ=environ or {})


class Receiver:
    """An HTTP receiver that acknowledges, and honours ids: `stored` has each record once.

    Args:
        answer: gets the parsed body and may return (status, bytes, headers) instead of the acknowledgement,
            or None; it may also raise, which breaks the connection off.
    """

    def __init__(self, answer: Callable[[dict], tuple[int, bytes, dict] | None] | None = None, port: int = 0):
        self.answer = answer
        self.stored: dict[str, dict] = {}
        self.received: list[str] = []
        self.requests: list[tuple[dict, bytes]] = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, content, headers = receiver.handle(dict(self.headers), body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/records"

    def handle(self, headers: dict, body: bytes) -> tuple[int, bytes, dict]:
        said = json.loads(body)
        instead = self.answer(said) if self.answer else None
        records = said.get("records", [said])
        with self._changed:
            self.requests.append((headers, body))
            if instead is None:
                for record in records:
                    self.received.append(record["recordId"])
                    self.stored.setdefault(record["recordId"], record)
            self._changed.notify_all()
        if instead is not None:
            return instead
        ids = [record["recordId"] for record in records]
        answer = {"recordIds": ids} if "records" in said else {"recordId": ids[0], "errorCode": 0}
        return 200, json.dumps(answer).encode(), {}

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        """Wait until `condition` holds; looked at after every request."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
