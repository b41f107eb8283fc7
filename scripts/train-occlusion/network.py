"""The small network, its gradient and its training, in numpy; the forward pass is edged's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edged.vision.occlusion import neighbourhoods

SHAPES = {
    "conv1": (72, 16),
    "conv2": (144, 32),
    "conv3": (288, 32),
    "dense1": (6 * 6 * 32, 48),
    "dense2": (48, 7),
}
CONVOLUTIONS = ("conv1", "conv2", "conv3")
Weights = dict[str, np.ndarray]


def initial(rng: np.random.Generator) -> Weights:
    """He initialisation."""
    weights: Weights = {}
    for name, (fan_in, fan_out) in SHAPES.items():
        weights[name] = (rng.normal(0, 1, (fan_in, fan_out)) * np.sqrt(2 / fan_in)).astype(np.float32)
        weights[name + "_bias"] = np.zeros(fan_out, np.float32)
    return weights


def gradient(
    weights: Weights, batch: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> tuple[float, Weights]:
    """Loss (cross entropy against covered shares) and its gradient, with dropout before the dense layers."""
    columns, outputs, x = {}, {}, batch
    for name in CONVOLUTIONS:
        columns[name] = neighbourhoods(x)
        x = np.maximum(columns[name] @ weights[name] + weights[name + "_bias"], 0)
        outputs[name] = x
    flat = x.reshape(len(x), -1)
    kept1 = (rng.random(flat.shape, np.float32) > 0.25) / np.float32(0.75)
    flat = flat * kept1
    hidden = np.maximum(flat @ weights["dense1"] + weights["dense1_bias"], 0)
    kept2 = (rng.random(hidden.shape, np.float32) > 0.25) / np.float32(0.75)
    hidden = hidden * kept2
    logits = hidden @ weights["dense2"] + weights["dense2_bias"]
    chance = 1 / (1 + np.exp(-logits))
    loss = float((np.logaddexp(0, logits) - target * logits).sum() / len(batch))

    back = ((chance - target) / len(batch)).astype(np.float32)
    result = {"dense2": hidden.T @ back, "dense2_bias": back.sum(axis=0)}
    back = (back @ weights["dense2"].T) * kept2 * (hidden > 0)
    result |= {"dense1": flat.T @ back, "dense1_bias": back.sum(axis=0)}
    back = ((back @ weights["dense1"].T) * kept1).reshape(x.shape)
    for name in reversed(CONVOLUTIONS):
        back = back * (outputs[name] > 0)
        rows = back.reshape(-1, back.shape[-1])
        result[name] = columns[name].reshape(len(rows), -1).T @ rows
        result[name + "_bias"] = rows.sum(axis=0)
        if name != "conv1":
            back = scatter(back @ weights[name].T)
    return loss, result


def scatter(rows: np.ndarray) -> np.ndarray:
    """Transpose of `neighbourhoods`: Nx(H/2)x(W/2)x9C -> NxHxWxC, sums."""
    count, height, width, depth = rows.shape
    padded = np.zeros((count, 2 * height + 1, 2 * width + 1, depth // 9), np.float32)
    pieces = np.split(rows, 9, axis=3)
    for number, piece in enumerate(pieces):
        dy, dx = divmod(number, 3)
        padded[:, dy : dy + 2 * height : 2, dx : dx + 2 * width : 2] += piece
    return padded[:, 1:, 1:]


def train(
    draw: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]],
    *,
    steps: int,
    seed: int,
    batch: int = 96,
    rate: float = 2e-3,
    decay: float = 2e-2,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> Weights:
    """AdamW with a cosine rate. `draw` gives a batch: what the network sees, and covered shares."""
    rng = np.random.default_rng(seed)
    weights = initial(rng)
    first = {k: np.zeros_like(v) for k, v in weights.items()}
    second = {k: np.zeros_like(v) for k, v in weights.items()}
    average = 4.0
    for step in range(1, steps + 1):
        loss, slope = gradient(weights, *draw(rng, batch), rng)
        average += 0.02 * (loss - average)
        pace = rate * min(1, step / 100) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        for name, value in weights.items():
            first[name] += 0.1 * (slope[name] - first[name])
            second[name] += 0.001 * (slope[name] ** 2 - second[name])
            move = first[name] / (1 - 0.9**step) / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
            if not name.endswith("bias"):
                move = move + decay * value
            weights[name] = (value - pace * move).astype(np.float32)
        if step % 200 == 0:
            report(step, average)
    return weights
