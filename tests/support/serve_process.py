"""`edged serve` in a process of its own that can be killed and started again at the same address."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from edged.demo.served import DemoServer
from edged.server.setup import EXAMPLE_APPID, init_folder

DEADLINE_S = 60.0


class ServeProcess:
    """Used as a context manager; does not run before `start`.

    Args:
        folder: gets configuration, keys and libraries.
    """

    def __init__(self, folder: Path) -> None:
        made = init_folder(folder)
        made.config.write_text(
            made.config.read_text("utf-8").replace("format: text", "format: json"), "utf-8"
        )
        self._config = made.config
        self._keys = folder / "client.yaml"
        self._keys.touch(mode=0o600)
        self._keys.write_text(yaml.safe_dump(yaml.safe_load(made.secrets.read_text("utf-8"))[EXAMPLE_APPID]))
        self._process: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []
        self.url = "http://127.0.0.1:0"

    @property
    def server(self) -> DemoServer:
        """Where it is and how to get in."""
        return DemoServer(self.url, self._keys)

    def start(self) -> None:
        """Start it, at the address it had before, and wait until it listens."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edged", "serve", "--config", self._config, "--port", self._port],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        listening = threading.Event()
        reader = threading.Thread(target=self._read, args=(self._process, listening), daemon=True)
        self._readers.append(reader)
        reader.start()
        assert listening.wait(DEADLINE_S), "the server does not listen"

    def kill(self) -> None:
        """As `kill -9` or a power cut: no farewell on any connection but the system's own."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(DEADLINE_S)

    def __enter__(self) -> ServeProcess:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        for reader in self._readers:
            reader.join(DEADLINE_S)

    @property
    def _port(self) -> str:
        return str(urlsplit(self.url).port)

    def _read(self, process: subprocess.Popen[str], listening: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                entry = json.loads(line) if line.startswith("{") else {}
                if entry.get("event") == "serving":
                    self.url = entry["address"]
                    listening.set()
