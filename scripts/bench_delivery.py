"""Measure how fast a backlog reaches each kind of target: prints a table, and JSON with --json FILE.

Nothing here asserts. Everything goes over loopback to small servers in processes of their own, which take
their share of the machine; mosquitto is used where it is installed. The limit of `max_rate` is lifted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from edged.bus import EventBus
from edged.clock import SystemClock
from edged.config.delivery_section import DeliveryConfig
from edged.delivery.service import DeliveryService
from edged.delivery.targets import Surroundings
from edged.events import AccessDecided, Outcome, PunchRecorded
from edged.journal import Journal, JournalReader, journal_path

FRAPPE_ANSWER = json.dumps({"message": {"name": "EMP-CKIN-1", "employee": "HR-EMP-1"}}).encode()
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")


def main() -> None:
    """Measure, print, and write what `--json` names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--records", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, receiver() as url, broker(Path(name)) as broker_url:
        folder = Path(name)
        write_journal(folder, options.records)
        waits = decisions_beside(Path(name), url)
        rows = [
            {"target": title, "records": options.records, **measure(folder, target, options.records)}
            for title, target in targets(folder, url, broker_url)
        ]
    show(rows, waits)
    if options.json:
        machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        options.json.write_text(json.dumps(machine | {"rows": rows, "decision_ms": waits}, indent=2) + "\n")


def targets(folder: Path, url: str, broker_url: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of rows and the targets they measure."""
    yield "http, one record a request", {"kind": "http", "url": url}
    yield "http, 100 records a request", {"kind": "http", "url": url, "batch": 100}
    yield "webhook, signed, one a request", {"kind": "webhook", "url": url}
    yield "webhook, signed, 100 a request", {"kind": "webhook", "url": url, "batch": 100}
    if broker_url:
        yield "mqtt, QoS 1, mosquitto", {"kind": "mqtt", "url": broker_url}
    for form in ("jsonl", "csv"):
        yield f"file, {form}", {"kind": "file", "file": {"folder": folder / form, "format": form}}
    yield "frappe", {"kind": "frappe", "url": url, "events": ["punches"]}


def write_journal(folder: Path, count: int) -> None:
    """Punches, because they are written fast; a decision is about twice as long on the wire."""
    clock = SystemClock()
    journal = Journal.open(journal_path(folder), clock)
    for number in range(1, count + 1):
        journal.record(
            PunchRecorded(
                at=clock.now(), passage_id=f"p_{number}", door_id="door1", punch_id=number, person_id="mara",
                person_name="Mara Lind", direction="in", direction_by="device", repeated=False,
                decision_id=f"d_{number}",
            )
        )  # fmt: skip
        if number % 1000 == 0:
            journal.flush()
    journal.close()


def decisions_beside(folder: Path, url: str, count: int = 300) -> dict[str, list[float]]:
    """Milliseconds until a decision is on the disk, p50 and p95: alone, and while a backlog is sent."""
    box = folder / "box"
    write_journal(box, 10_000)
    found = {"alone": _decide(box, "a", count)}
    bus = EventBus(SystemClock())
    service = _service(box, bus, {"kind": "http", "url": url})
    service.start()
    found["while sending"] = _decide(box, "b", count)
    service.stop(5.0)
    bus.close()
    return found


def _decide(folder: Path, run: str, count: int) -> list[float]:
    clock = SystemClock()
    journal = Journal.open(journal_path(folder), clock)
    took, pause = [], threading.Event()
    for number in range(count):
        event = AccessDecided(
            at=clock.now(), passage_id=f"p_{run}{number}", decision_id=f"d_{run}{number}", person_id="mara",
            outcome=Outcome.DENIED, person_name="Mara Lind", score=92.4, reasons=("cool_down",),
        )  # fmt: skip
        began_s = time.perf_counter()
        journal.commit_decision(event)
        took.append(1000 * (time.perf_counter() - began_s))
        pause.wait(0.01)
    journal.close()
    took.sort()
    return [round(took[count // 2], 2), round(took[int(count * 0.95)], 2)]


def measure(folder: Path, target: dict[str, Any], count: int) -> dict[str, float]:
    """Drain the journal into a new target, from the start of the delivery to the last acknowledgement."""
    clock = SystemClock()
    bus = EventBus(clock)
    (folder / "delivery.db").unlink(missing_ok=True)
    service = _service(folder, bus, {"max_rate": 100_000.0, **target})
    began_s, cpu_s = time.monotonic(), time.process_time()
    service.start()
    waiting = threading.Event()
    while service.status()[0]["delivered"] < count:
        waiting.wait(0.02)
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    service.stop(5.0)
    bus.close()
    return {"records_per_s": round(count / took_s), "cpu_ms_per_record": round(1000 * cpu_s / count, 3)}


def _service(folder: Path, bus: EventBus, target: dict[str, Any]) -> DeliveryService:
    return DeliveryService(
        DeliveryConfig.model_validate({"targets": [{"name": "bench", **target}]}),
        folder,
        partial(JournalReader.open_readonly, journal_path(folder)),
        Surroundings("bench", "bench", ZoneInfo("UTC"), bus.clock),
        bus,
        environ={f"EDGED_DELIVERY_BENCH_{name}": "x" for name in ("SECRET", "API_KEY", "API_SECRET")},
    )


@contextmanager
def receiver() -> Iterator[str]:
    """An HTTP receiver in a process of its own that acknowledges everything it is sent."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _receive(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(
                int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")
            )
            body = json.loads(await reader.readexactly(length))
            content = _acknowledgement(body)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _acknowledgement(body: dict[str, Any]) -> bytes:
    if "records" in body:
        return json.dumps({"recordIds": [record["recordId"] for record in body["records"]]}).encode()
    if "recordId" in body:
        return json.dumps({"recordId": body["recordId"], "errorCode": 0}).encode()
    return FRAPPE_ANSWER


@contextmanager
def broker(folder: Path) -> Iterator[str | None]:
    """mosquitto on a free port, or None where it is not installed."""
    if MOSQUITTO is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def show(rows: list[dict[str, Any]], waits: dict[str, list[float]]) -> None:
    """The tables."""
    table = Table("target", "records", "records/s", "CPU ms/record", box=None)
    for row in rows:
        table.add_row(
            row["target"],
            f"{row['records']:,}",
            f"{row['records_per_s']:,}",
            f"{row['cpu_ms_per_record']:.3f}",
        )
    Console().print(table)
    for when, (p50, p95) in waits.items():
        Console().print(f" a decision is on the disk {when}: p50 {p50} ms, p95 {p95} ms", highlight=False)


if __name__ == "__main__":
    main()
