"""The demo on a recognition server: `edged serve` in a process of its own, with the scene's people.

Uses real sockets and an installer's own means; nothing leaves this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edged.clock import Clock
from edged.cloudsync.sync import CloudSync
from edged.config import Config
from edged.demo.people import GROUP
from edged.errors import NeedsOperator
from edged.faceapi.client.face_cloud import build_client
from edged.faceapi.governor.rate_governor import open_governor
from edged.library.store import LibraryStore
from edged.server.setup import EXAMPLE_APPID, init_folder

START_S = 90.0
SYNC_S = 60.0
STOP_S = 10.0


@dataclass(frozen=True)
class DemoServer:
    """A running server: its address, and a file with the keys for a client."""

    url: str
    secrets_file: Path

    def cloud_section(self) -> dict[str, Any]:
        """`recognition.cloud` for it. Without liveness: the people of the scene are photographs."""
        return {
            "url": self.url,
            "secrets_file": self.secrets_file,
            "groups": [GROUP],
            "liveness_control": "NONE",
            "qps": 20.0,
            "management_qps": 50.0,
        }


def start_server(folder: Path, stack: ExitStack) -> DemoServer:
    """Start `edged serve` on a free port of 127.0.0.1; `stack` ends it.

    Args:
        folder: gets its configuration, keys and library.

    Raises:
        NeedsOperator: it does not come up (`demo_server_failed`).
    """
    made = init_folder(folder)
    keys = yaml.safe_load(made.secrets.read_text("utf-8"))[EXAMPLE_APPID]
    client = folder / "client.yaml"
    client.touch(mode=0o600)
    client.write_text(yaml.safe_dump(keys), "utf-8")
    settings = made.config.read_text("utf-8").replace("format: text", "format: json")
    made.config.write_text(settings, "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "edged", "serve", "--config", str(made.config), "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    stack.callback(_end, process)
    return DemoServer(_address(process), client)


def send_people(config: Config, clock: Clock) -> None:
    """Record the consent of everybody in the demo's library and bring the server into line.

    Raises:
        EdgedError: the server refuses them, or is not there.
    """
    service = config.recognition.cloud
    with ExitStack() as stack:
        store = LibraryStore.open(config.data_dir, clock)
        stack.callback(store.close)
        governor = open_governor(service, config.data_dir, clock)
        stack.callback(governor.close)
        client = build_client(service, clock, governor=governor, data_dir=config.data_dir)
        stack.callback(client.close)
        for person in store.list_people(page_size=1000).people:
            if not store.has_cloud_consent(person.person_id):
                store.record_consent(
                    person.person_id, "cloud", given=True, recorded_by="edged demo", note="plays in the demo"
                )
        sync = CloudSync(store, client, service, clock, data_dir=config.data_dir)
        left = sync.finish([entry.cloud_id for entry in sync.queue.entries()], SYNC_S)
    if left:
        raise NeedsOperator(
            f"The server did not take {len(left)} of the demo's people.",
            code="demo_server_failed",
            hint=f"`edged library status --data-dir {config.data_dir}` says why.",
        )


def _address(process: subprocess.Popen[str]) -> str:
    """Its address, from its own log. Reads the rest of the log too, and drops it."""
    found: list[str] = []
    listening = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry.get("event") == "serving":
                found.append(entry["address"])
                listening.set()
        listening.set()

    threading.Thread(target=read, name="demo-server", daemon=True).start()
    listening.wait(START_S)
    if not found:
        raise NeedsOperator(
            "The recognition server of the demo does not start.",
            code="demo_server_failed",
            hint="Try it by itself: edged serve --init DIR, then edged serve --config DIR/serve.yaml.",
        )
    return found[0]


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
