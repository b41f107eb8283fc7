"""Measure `edged serve` in a process of its own, over loopback: prints a table, and JSON with --json FILE.

Nothing here asserts. All faces but one are generated; the picture searched for is a crop such as a door sends
(face about a third of its width). The clients run on the same machine and take their share of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import cv2
import numpy as np
import requests
from rich.console import Console
from rich.table import Table

from edged import models
from edged.clock import SystemClock
from edged.demo.photographs import Photograph, read_photograph, scene_photographs
from edged.server.authentication import read_keys
from edged.server.setup import init_folder
from edged.server.storage import FaceStorage

GROUP = "people"
CROP_PX = 360


def main() -> None:
    """Measure, print, and write what `--json` names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--seconds", type=float, default=5.0, help="per row")
    parser.add_argument("--faces", type=int, nargs="+", default=[1_000, 50_000])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8])
    options = parser.parse_args()
    rows = [row for faces in options.faces for row in measure(faces, options.clients, options.seconds)]
    show(rows)
    if options.json:
        machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        options.json.write_text(json.dumps(machine | {"rows": rows}, indent=2) + "\n")


def measure(faces: int, clients: list[int], seconds: float) -> Iterator[dict[str, float | str]]:
    """All rows with a library of that many faces."""
    photo = scene_photographs()["Emmanuel Macron"]
    whole, crop = b64encode(photo.path.read_bytes()).decode(), b64encode(crop_of(photo)).decode()
    search = {"image": crop, "image_type": "BASE64", "group_id_list": GROUP}
    controlled = search | {"quality_control": "NORMAL", "liveness_control": "NORMAL"}
    calls = [
        ("search, crop", "v3/search", search),
        ("search, crop, quality and liveness", "v3/search", controlled),
        ("search, whole photograph", "v3/search", search | {"image": whole}),
        ("group list (no picture)", "v3/faceset/group/getlist", {}),
    ]
    with tempfile.TemporaryDirectory() as name, running(Path(name), faces) as (url, token, pid):
        for title, path, body in calls:
            for count in clients:
                address = f"{url}/rest/2.0/face/{path}?access_token={token}"
                busy_s = cpu_s(pid)
                row = load(address, body, count, seconds)
                row["cpu_ms"] = (cpu_s(pid) - busy_s) * 1000 / (row["per_s"] * seconds)
                yield {"faces": faces, "call": title, "clients": count} | row


def load(address: str, body: object, clients: int, seconds: float) -> dict[str, float]:
    """Calls a second and the times of single calls, with some clients that each wait for their answer."""
    payload = json.dumps(body)
    end_s = time.monotonic() + seconds
    times: list[float] = []

    def client() -> None:
        with requests.Session() as session:
            while time.monotonic() < end_s:
                started_s = time.monotonic()
                answer = session.post(address, data=payload, timeout=60).json()
                if answer["error_code"] != 0:
                    raise RuntimeError(answer)
                times.append((time.monotonic() - started_s) * 1000)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p50, p95 = np.percentile(times, (50, 95))
    return {"per_s": len(times) / seconds, "p50_ms": float(p50), "p95_ms": float(p95)}


@contextmanager
def running(folder: Path, faces: int) -> Iterator[tuple[str, str, int]]:
    """A server with a filled library; its address, a token, and its process."""
    made = init_folder(folder / "site")
    fill(folder / "site" / "data" / "default.db", faces)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(folder / "notify"))
    command = [sys.executable, "-m", "edged", "serve", "-c", str(made.config), "--port", "0"]
    started_s = time.monotonic()
    environment = os.environ | {"NOTIFY_SOCKET": str(folder / "notify")}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        url = manager.recv(1000).decode().split(" at ")[1].strip()
        print(
            f"{faces} faces: ready after {time.monotonic() - started_s:.1f} s, {rss_mb(process.pid):.0f} MB"
        )
        keys = read_keys(made.secrets, ["default"])["default"]
        fields = {"grant_type": "client_credentials", "client_id": keys.api_key}
        fields["client_secret"] = keys.secret_key
        granted = requests.get(f"{url}/oauth/2.0/token", params=fields, timeout=60).json()
        yield url, granted["access_token"], process.pid
        print(f"{faces} faces: {rss_mb(process.pid):.0f} MB at the end")
    finally:
        process.terminate()
        process.wait(30)
        manager.close()


def fill(file: Path, faces: int) -> None:
    """Generated templates, three a user, written in one transaction."""
    storage = FaceStorage.open(file, models.load("face_embedding").model_id, SystemClock())
    storage.add_group(GROUP, "")
    random = np.random.default_rng(1)
    with closing(sqlite3.connect(file)) as connection, connection:
        for number in range(faces):
            template = random.normal(size=128).astype("<f4")
            template /= np.linalg.norm(template)
            user = f"u{number // 3}"
            connection.execute("INSERT OR IGNORE INTO users VALUES (?, ?, '')", [GROUP, user])
            connection.execute(
                "INSERT INTO faces (group_id, user_id, face_token, template, model_id, created_at) "
                "VALUES (?, ?, ?, ?, ?, '')",
                [GROUP, user, f"{number:032x}", template.tobytes(), storage.model_id],
            )
    storage.close()


def crop_of(photo: Photograph) -> bytes:
    """The face with its surroundings, three times as wide, `CROP_PX` wide, as JPEG of quality 90."""
    image = read_photograph(photo.path)
    x, y, width, height = photo.face_box
    top, left = max(0, y - height), max(0, x - width)
    cut = image[top : y + 2 * height, left : x + 2 * width]
    size = (CROP_PX, cut.shape[0] * CROP_PX // cut.shape[1])
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, all threads: what a call costs, however busy the machine is."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(rows: list[dict[str, float | str]]) -> None:
    """The table."""
    table = Table("faces", "call", "clients", "calls/s", "p50 ms", "p95 ms", "server cpu ms")
    for row in rows:
        figures = (f"{row[name]:.1f}" for name in ("per_s", "p50_ms", "p95_ms", "cpu_ms"))
        table.add_row(f"{row['faces']:,}", str(row["call"]), str(row["clients"]), *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
