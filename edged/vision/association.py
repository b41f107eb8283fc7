"""Which detection continues which track: impossible pairs, the cost of the others, and doubt. Pure.

Distances are in face sizes, so that they mean the same for near and far faces. The figures are
those with the fewest takeovers of a track by another person in generated scenes (docs/tracking.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edged.vision.appearance import distances
from edged.vision.assignment import assign
from edged.vision.detector import Detection
from edged.vision.track import Track, centre, size

RESUME_S = 1.0
"""Longest gap after which a face that looks alike may go on with its track."""

BLIND_RESUME_S = 0.3
"""The same where looks are unknown or agree badly: later, somebody else can stand in the place."""

MAX_SIZE_RATIO = 1.8
"""A face does not grow or shrink by more than this between two detections, however long the gap."""

MAX_STEP = 1.0
"""Longest step from the expected place to a detection that can be the same face, in face sizes."""

ALIKE = 0.38
"""Distance of appearance below which two faces may well be the same person."""

UNLIKE = 0.45
"""Distance of appearance (see appearance.py) at which two faces are not the same person."""

UNLIKE_NEAR = 0.6
"""The same for a face that hardly moved since a moment ago: somebody who passes in front of the chest changes
how it looks."""

DOUBT = 0.06
"""When another pairing costs less than this more, neither is sure."""

_BASE_STEP, _STEP_PER_S = (
    0.35,
    1.5,
)  # how far from where it is expected, and how much further per second unseen
_YOUNG_HITS, _YOUNG_STEP_PER_S = 4, 9.0  # velocity not known yet: 1.5 m/s is ten face widths a second
_BASE_RATIO, _RATIO_PER_S = 1.2, 1.2
_STEADY_GAP_S, _STEADY_STEP = 0.15, 0.2
_NEIGHBOUR = 1.6  # face sizes between the middles of two faces of which one can hide the other
_APPEARANCE_WEIGHT = 1.5
_LIMIT = 10.0  # above every possible cost, so that a possible pair is always made


@dataclass(frozen=True)
class PairCosts:
    """Cost of every pair, tracks x detections; infinite where they cannot be the same person.

    Attributes:
        any_gap: for sure detections, after any gap that can be bridged.
        steady: for faint ones: only where the face is alone and hardly moved since a moment ago.
    """

    any_gap: np.ndarray
    steady: np.ndarray


def pair_costs(
    tracks: Sequence[Track], faces: Sequence[Detection], looks: Sequence[np.ndarray | None], now_s: float
) -> PairCosts:
    """What it costs to continue each of `tracks` with each of `faces` at `now_s`."""
    if not tracks or not faces:
        nothing = np.full((len(tracks), len(faces)), np.inf)
        return PairCosts(nothing, nothing)
    gap = np.array([max(now_s - t.seen_s, 0.0) for t in tracks])[:, None]
    expected = np.array([t.expected_centre(now_s) for t in tracks])
    old = np.array([size(t.detection) for t in tracks])[:, None]
    new = np.array([size(d) for d in faces])[None, :]
    ratio = np.maximum(old, new) / np.minimum(old, new)
    step = _between(expected, np.array([centre(d) for d in faces])) / np.maximum(old, new)
    unlike = distances([t.appearance for t in tracks], looks)
    young = np.array([t.hits < _YOUNG_HITS for t in tracks])[:, None]
    reach = np.minimum(MAX_STEP, _BASE_STEP + gap * np.where(young, _YOUNG_STEP_PER_S, _STEP_PER_S))
    possible = (step <= reach) & (ratio <= np.minimum(MAX_SIZE_RATIO, _BASE_RATIO + _RATIO_PER_S * gap))
    possible &= gap <= np.where(unlike < ALIKE, RESUME_S, BLIND_RESUME_S)
    near = (gap <= _STEADY_GAP_S) & (step <= _STEADY_STEP)
    steady = near & _alone(expected, old)
    costs = step + (ratio - 1) + _APPEARANCE_WEIGHT * np.nan_to_num(unlike)
    return PairCosts(
        np.where(possible & (steady | ~(unlike > np.where(near, UNLIKE_NEAR, UNLIKE))), costs, np.inf),
        np.where(possible & steady, costs, np.inf),
    )


def pair(
    costs: np.ndarray, tracks: Iterable[int], faces: Iterable[int]
) -> tuple[list[tuple[int, int]], set[int]]:
    """The cheapest pairing of some tracks (rows) with some faces (columns).

    Returns:
        Pairs that are clear, and the tracks whose continuation is in doubt.
    """
    rows, columns = np.array(list(tracks), int), np.array(list(faces), int)
    if not rows.size or not columns.size:
        return [], set()
    part = costs[np.ix_(rows, columns)]
    pairs = assign(part, _LIMIT)
    doubt = _in_doubt(part, pairs)
    clear = [(int(rows[i]), int(columns[j])) for i, j in pairs if i not in doubt]
    return clear, {int(rows[i]) for i in doubt}


def _in_doubt(costs: np.ndarray, pairs: list[tuple[int, int]]) -> set[int]:
    """Rows for which another pairing is nearly as cheap as the one that was chosen."""
    column_of, paired = dict(pairs), {j for _, j in pairs}
    possible = np.isfinite(costs)
    doubt: set[int] = set()
    for i, j in pairs:
        for k in np.flatnonzero(possible[:, j]):
            if k != i and _dearer_by(costs, column_of, i, int(k), j) < DOUBT:
                doubt |= {i, int(k)}
        free = [int(k) for k in np.flatnonzero(possible[i]) if k not in paired]
        if any(costs[i, k] - costs[i, j] < DOUBT for k in free):
            doubt.add(i)
    return doubt


def _dearer_by(costs: np.ndarray, column_of: dict[int, int], i: int, k: int, j: int) -> float:
    """How much more it costs when row `k` gets column `j` of row `i`, and `i` what `k` had."""
    change = costs[k, j] - costs[i, j]
    if k in column_of:
        change += costs[i, column_of[k]] - costs[k, column_of[k]]
    return float(change)


def _alone(centres: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Which faces have no other near them that could slip into their place; a column."""
    near = _between(centres, centres) < _NEIGHBOUR * np.maximum(sizes, sizes.T)
    alone: np.ndarray = near.sum(axis=1, keepdims=True) <= 1
    return alone


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of every point of `a` (n x 2) from every point of `b` (m x 2)."""
    across, down = (a[:, None, :] - b[None, :, :]).transpose(2, 0, 1)
    distance: np.ndarray = np.hypot(across, down)
    return distance
