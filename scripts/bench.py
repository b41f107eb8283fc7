"""Measure this machine: prints a table, and writes it as JSON with --json FILE.

Nothing here asserts; the targets are printed beside the figures. Everything measured is the production code,
the relay board is simulated at 9600 baud, and the library holds 50,000 faces, all but three generated.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from edged import models
from edged.app.daemon import Daemon
from edged.clock import SystemClock
from edged.config import Config
from edged.demo.people import enrol_all
from edged.demo.photographs import photographs, read_photograph
from edged.demo.render import prepare, render
from edged.demo.script import visits
from edged.events import AccessDecided, DoorUnlocked
from edged.frame import Frame
from edged.gallery.templates import FaceTable, Gallery
from edged.recognition.local.embedder import Embedder
from edged.vision.analyser import Analyser
from edged.vision.faces import FaceReader
from edged.vision.liveness.modality_drivers import AlsoRequired
from edged.vision.liveness.model import LivenessModel
from edged.vision.opencv import prepare_opencv
from edged.vision.passage_verdicts import PassageVerdicts
from edged.vision.spoofing import PassiveSpoofGuard

TARGETS = {
    "frame_to_relay_ms_p50": "<= 60",
    "frame_to_relay_ms_p95": "<= 100",
    "search_50k_ms_p50": "<= 2",
    "search_100k_ms_p50": "<= 4",
    "fps_720p": ">= 30",
    "fps_720p_5_faces": ">= 30",
    "cpu_share_at_25fps": "< 1",
    "ready_s_50k": "<= 3",
    "rss_mb_50k": "<= 350",
}
LIBRARY_FACES = 50_000
FPS = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="also write the figures here (- for stdout)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a minute instead of three")
    parser.add_argument("--threads", type=int, default=1, help="OpenCV threads (vision.threads)")
    options = parser.parse_args()
    prepare_opencv(options.threads)
    repeat = 40 if options.quick else 200
    passages = 8 if options.quick else 40
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="edged-bench-") as folder:
        figures |= stages(repeat)
        figures |= searches(repeat)
        data_dir = fill_library(Path(folder))
        figures |= start(data_dir, options.threads)
        figures |= passage_latency(Path(folder), data_dir, passages, options.threads)
    figures = {name: round(value, 3) for name, value in figures.items()}
    report(figures, Console(stderr=options.json == Path("-")))
    if options.json is not None:
        text = json.dumps({"machine": machine(), **figures}, indent=2)
        print(text) if options.json == Path("-") else options.json.write_text(text + "\n", "utf-8")


def machine() -> str:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return (
        f"{cpu or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"OpenCV {cv2.__version__}, numpy {np.__version__}"
    )


def milliseconds(work: Callable[[], object], repeat: int) -> np.ndarray:
    """Duration of `work` in ms, `repeat` times, after one call that does not count."""
    work()
    times = np.empty(repeat)
    for i in range(repeat):
        started_s = time.perf_counter()
        work()
        times[i] = (time.perf_counter() - started_s) * 1e3
    return times


def good_frame() -> np.ndarray:
    """1280x720 with one visitor of the demo standing near."""
    visit = visits(0)[0]
    return render(prepare(0), round((visit.from_s + 0.5 * (visit.to_s - visit.from_s)) * FPS))


def stages(repeat: int) -> dict[str, float]:
    """One face in 1280x720, one thread: each stage alone, and the whole vision thread."""
    frame = good_frame()
    reader = FaceReader()
    face = reader.detect(frame, min_face_px=100)[0]
    reading = reader.measure(frame, face)
    embedder = Embedder(models.load("face_embedding"))
    figures = {
        "detect_ms_p50": np.median(milliseconds(lambda: reader.detect(frame, min_face_px=100), repeat)),
        "measure_ms_p50": np.median(milliseconds(lambda: reader.measure(frame, face), repeat)),
        "embed_ms_p50": np.median(milliseconds(lambda: embedder.embed(reading.aligned), repeat)),
    }
    figures["fps_720p"] = frames_per_second(reader, frame, repeat)
    figures["fps_720p_5_faces"] = frames_per_second(reader, five_faces(), repeat)
    return figures


def frames_per_second(reader: FaceReader, frame: np.ndarray, repeat: int) -> float:
    """How many such frames the vision thread could analyse in a second, liveness as shipped."""
    return 1e3 / milliseconds(vision_thread(frame, reader), 2 * repeat).mean()


def vision_thread(frame: np.ndarray, reader: FaceReader | None = None) -> Callable[[], None]:
    """What the vision thread does with one picture, again and again with the same one."""
    clock = SystemClock()
    liveness = Config().vision.liveness
    model = LivenessModel(models.load("face_liveness"))
    analyser = Analyser(
        Config().vision,
        reader or FaceReader(),
        clock,
        camera_id="cam1",
        door_id="door1",
        spoofing=lambda: PassiveSpoofGuard(liveness, model, AlsoRequired()),
        passages=PassageVerdicts(),
    )
    numbers = iter(range(10**6))

    def analyse() -> None:
        number = next(numbers)
        list(analyser.analyse(Frame(frame, number, number / FPS, clock.now())))

    return analyse


def five_faces() -> np.ndarray:
    """1280x720 with five people side by side, their faces 115 px wide."""
    frame = np.full((720, 1280, 3), 110, np.uint8)
    for column, photo in enumerate(p for p in photographs() if p.face_box[2] > 200):
        picture = read_photograph(photo.path)
        zoom = 115 / photo.face_box[2]
        small = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)[:600, :250]
        if column < 5:
            frame[60 : 60 + small.shape[0], 256 * column : 256 * column + small.shape[1]] = small
    return frame


def searches(repeat: int) -> dict[str, float]:
    """Exact search among generated unit vectors."""
    figures = {}
    rng = np.random.default_rng(0)
    for name, count in (("10k", 10_000), ("50k", 50_000), ("100k", 100_000)):
        gallery = Gallery("bench", capacity=count)
        gallery.apply(add=FaceTable("bench", np.arange(count), ids(count), unit_vectors(rng, count)))
        search = partial(gallery.search, unit_vectors(rng, 1)[0])
        figures[f"search_{name}_ms_p50"] = np.median(milliseconds(search, repeat))
    return figures


def ids(count: int) -> list[str]:
    return [f"person_{i}" for i in range(count)]


def unit_vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.standard_normal((count, 128), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill_library(folder: Path) -> Path:
    """A data directory of 50,000 faces: those of the demo, the rest written straight to the tables."""
    data_dir = folder / "data"
    enrol_all(Config(data_dir=data_dir), SystemClock(), [], scene=True)
    model_id = models.load("face_embedding").model_id
    with closing(sqlite3.connect(data_dir / "library.db")) as connection, connection:
        (real,) = connection.execute("SELECT count(*) FROM faces").fetchone()
        names = ids(LIBRARY_FACES - real)
        connection.executemany(
            "INSERT INTO people (person_id, name, name_folded, active, note, created_at, updated_at) "
            "VALUES (?, ?, ?, 1, '', '', '')",
            [(name, name, name) for name in names],
        )
        vectors = unit_vectors(np.random.default_rng(1), len(names))
        connection.executemany(
            "INSERT INTO faces (person_id, photo, template, model_id, created_at, measures) "
            "VALUES (?, 'none.jpg', ?, ?, '', '{}')",
            [(name, vector.tobytes(), model_id) for name, vector in zip(names, vectors, strict=True)],
        )
    return data_dir


def config_file(folder: Path, data_dir: Path, source: str, threads: int) -> Path:
    path = folder / "edged.yaml"
    path.write_text(
        f"data_dir: {data_dir}\ncamera: {{source: '{source}'}}\nvision: {{threads: {threads}}}\n"
        "access: {cool_down_s: 0}\nlog: {format: json}\n",
        "utf-8",
    )
    return path


def start(data_dir: Path, threads: int) -> dict[str, float]:
    """`edged run` as a process of its own: time from exec to ready, and resident memory two seconds later."""
    config = config_file(data_dir.parent, data_dir, "demo:", threads)
    started_s = time.monotonic()
    command = [sys.executable, "-m", "edged", "run", "-c", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if json.loads(line).get("event") == "daemon_started":
                break
        else:
            sys.exit("bench: the daemon ended before it was ready")
        ready_s = time.monotonic() - started_s
        time.sleep(2)
        status = Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
    rss_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return {"ready_s_50k": ready_s, "rss_mb_50k": rss_kb / 1024}


def write_film(path: Path, passages: int) -> None:
    """People who stand before the camera for 0.8 s, with empty frames between, as a 720p25 MJPEG file."""
    stage = prepare(0)
    middles = [
        v.from_s + 0.5 * (v.to_s - v.from_s) for v in visits(0) if v.outcome == "granted" and not v.flaw
    ]
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), FPS, (1280, 720))
    for number in range(passages):
        middle = round(middles[number % len(middles)] * FPS)
        for offset in range(-10, 10):
            film.write(render(stage, middle + offset))
        for _ in range(30):
            film.write(render(stage, 0))
    film.release()


def passage_latency(folder: Path, data_dir: Path, passages: int, threads: int) -> dict[str, float]:
    """The daemon on a film at its own pace: frame to relay, decision to relay, processor share."""
    film = folder / "film.avi"
    write_film(film, passages)
    config = Config.model_validate(
        {
            "data_dir": data_dir,
            "camera": {"source": str(film)},
            "vision": {"threads": threads},
            "access": {"cool_down_s": 0},
        }
    )
    daemon = Daemon(config, SystemClock())
    unlocked: list[DoorUnlocked] = []
    decided: list[AccessDecided] = []
    daemon.bus.subscribe(DoorUnlocked, unlocked.append, name="bench-doors")
    daemon.bus.subscribe(AccessDecided, decided.append, name="bench-decisions")
    daemon.start()
    used_s, started_s = cpu_s(), time.monotonic()
    daemon.wait()
    share = (cpu_s() - used_s) / (time.monotonic() - started_s)
    daemon.stop()
    latency = np.array([event.frame_to_relay_ms for event in unlocked])
    if not latency.size:
        sys.exit("bench: nobody was let in; the figures would mean nothing")
    counts = daemon.frame_counts()
    return {
        "frame_to_relay_ms_p50": np.percentile(latency, 50),
        "frame_to_relay_ms_p95": np.percentile(latency, 95),
        "frame_to_relay_ms_max": latency.max(),
        "decision_to_relay_ms_p50": np.median([event.decision_to_relay_ms for event in unlocked]),
        "cpu_share_at_25fps": share,
        "passages": len(decided),
        "recognitions_per_passage": np.mean([event.recognitions for event in decided]),
        "frames_dropped": counts.dropped,
    }


def cpu_s() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def report(figures: dict[str, float], console: Console) -> None:
    table = Table(title=machine(), title_justify="left")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("to reach", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:g}", TARGETS.get(name, ""))
    console.print(table)


if __name__ == "__main__":
    main()
