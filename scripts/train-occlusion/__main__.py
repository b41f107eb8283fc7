"""Train edged/models/face_occlusion.npz from nothing but the photographs of the demo.

    python scripts/train-occlusion [--samples FOLDER]

Needs only what edged itself needs. Twenty minutes on two cores: faces are generated (kept in FOLDER when one
is named), five networks are trained that have each never seen one person, the scores are calibrated on what
those networks say about the person they have not seen, and the network that ships is trained on everybody.
Then the model file, its entry in manifest.json and the figures of this run are written. docs/occlusion.md
tells more.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process per core instead

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

from calibrate import calibrate, figures  # noqa: E402
from feed import Feed, inputs  # noqa: E402
from network import Weights, train  # noqa: E402
from samples import Generator, Samples, joined, keep, people_names, stored  # noqa: E402

from edged import models  # noqa: E402
from edged.vision.occlusion import forward  # noqa: E402

SEEDS = (1, 2)
FACES_PER_SEED = 2000
STEPS, FOLD_STEPS = 2600, 1000
ENTRY = {
    "file": "face_occlusion.npz",
    "package": "trained by scripts/train-occlusion",
    "original_sha256": "",
    "origin": "pictures generated from the photographs of edged/demo/photos",
    "licence": "Apache-2.0",
    "contract": "face laid out flat by the mesh, 48x48x8 float32; 7 covered shares (edged.vision.occlusion)",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--samples", type=Path, help="folder to keep the generated faces in")
    folder = arguments.parse_args().samples
    cv2.setNumThreads(1)
    with ProcessPoolExecutor(len(SEEDS), multiprocessing.get_context("fork")) as pool:
        samples = joined(list(pool.map(generate, SEEDS, [folder] * len(SEEDS))))
        print(f"{len(samples.kind)} samples, {(samples.kind == 'clean').sum()} of them clean", flush=True)
        layout = Generator(0)
        inside = layout.layout.inside
        unseen = held_out(samples, inside, pool)
    if folder:
        np.save(folder / "unseen.npy", unseen)
    gain, offset = calibrate(unseen, samples)
    print(figures(unseen * gain + offset, samples), flush=True)
    weights = train(Feed(samples, inside), steps=STEPS, seed=0, report=progress)
    write(weights, layout.layout_arrays, gain, offset)


def generate(seed: int, folder: Path | None) -> Samples:
    """The samples of one seed, from FOLDER when they are there."""
    path = folder / f"s{seed}.npz" if folder else None
    if path and path.exists():
        return stored(path)
    samples = Generator(seed).samples(FACES_PER_SEED)
    if path:
        keep(samples, path)
    return samples


def held_out(samples: Samples, inside: np.ndarray, pool: ProcessPoolExecutor) -> np.ndarray:
    """Logits (Nx7) for the samples made of one person's photographs, by a network without that person.

    Samples that mix people stay NaN.
    """
    logits = np.full(samples.shares.shape, np.nan, np.float32)
    jobs = {}
    for number, _ in enumerate(people_names()):
        bit = 1 << number
        asked = samples.pure & (samples.people == bit)
        known = samples.chosen((samples.people & bit) == 0)
        jobs[number] = (asked, pool.submit(stranger, known, samples.flat[asked], inside, number))
    for asked, job in jobs.values():
        logits[asked] = job.result()
    return logits


def stranger(known: Samples, flat: np.ndarray, inside: np.ndarray, seed: int) -> np.ndarray:
    """Logits of flat faces by a network trained on `known` alone."""
    weights = train(Feed(known, inside), steps=FOLD_STEPS, seed=seed, report=progress)
    parts = np.array_split(flat, max(1, len(flat) // 200))
    return np.concatenate([forward(weights, inputs(part, inside)) for part in parts])


def progress(step: int, loss: float) -> None:
    print(f"  step {step}: loss {loss:.3f}", file=sys.stderr, flush=True)


def write(weights: Weights, layout: tuple, gain: np.ndarray, offset: np.ndarray) -> None:
    """Model file and manifest entry."""
    arrays = {name: value.astype(np.float16) for name, value in weights.items()}
    arrays |= {"gain": gain.astype(np.float32), "offset": offset.astype(np.float32)}
    buffer = io.BytesIO()
    np.savez(buffer, layout_points=layout[0], layout_shares=layout[1], **arrays)
    data = buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    path = models.load("face_mesh").path.with_name("manifest.json")
    manifest = json.loads(path.read_text("utf-8"))
    manifest["face_occlusion"] = {"sha256": digest, "bytes": len(data), **ENTRY, "original_sha256": digest}
    path.with_name(ENTRY["file"]).write_bytes(data)
    path.write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    print(f"{ENTRY['file']}: {len(data):,} bytes, {digest}")


if __name__ == "__main__":
    main()
