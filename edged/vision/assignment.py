"""Pairing rows with columns so that the sum of the costs is least. Pure; knows nothing of faces."""

from __future__ import annotations

import numpy as np


def assign(costs: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """The globally cheapest pairing; each row and each column is used at most once.

    Args:
        costs: n x m; `inf` where a pair is impossible.
        limit: what leaving a row without a column costs: a pair dearer than this is never made.

    Returns:
        Pairs of row and column, sorted.
    """
    allowed = costs < limit
    # A pair in which neither side has another choice needs no search. This is nearly every pair there is.
    alone = allowed & (allowed.sum(axis=1) == 1)[:, None] & (allowed.sum(axis=0) == 1)[None, :]
    pairs = [(int(i), int(j)) for i, j in zip(*np.nonzero(alone), strict=True)]
    rows = np.flatnonzero(allowed.any(axis=1) & ~alone.any(axis=1))
    if rows.size:
        columns = np.flatnonzero(allowed[rows].any(axis=0))
        part = np.where(allowed, costs, np.inf)[np.ix_(rows, columns)]
        pairs += [(int(rows[i]), int(columns[j])) for i, j in _shortest_paths(part, limit)]
    return sorted(pairs)


def _shortest_paths(costs: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Successive shortest augmenting paths (the method of Jonker and Volgenant without their start).

    Every row gets a column of its own at `limit`, so that all rows can always be assigned.
    """
    n, m = costs.shape
    full = np.concatenate([costs, np.full((n, n), limit)], axis=1)
    row_price, column_price = np.zeros(n), np.zeros(n + m)
    row_of = np.full(n + m, -1)
    for start in range(n):
        _augment(full, start, row_of, row_price, column_price)
    return [(int(row_of[j]), j) for j in range(m) if row_of[j] >= 0]


def _augment(
    costs: np.ndarray, start: int, row_of: np.ndarray, row_price: np.ndarray, column_price: np.ndarray
) -> None:
    """Give row `start` a column, moving other rows where that is cheaper; changes the last three in place."""
    distance = np.full(costs.shape[1], np.inf)
    came_from = np.full(costs.shape[1], -1)
    done = np.zeros(costs.shape[1], bool)
    visited: list[int] = []
    row, column, reached = start, -1, 0.0
    while True:
        through = reached + costs[row] - row_price[row] - column_price
        better = ~done & (through < distance)
        distance[better], came_from[better] = through[better], column
        column = int(np.where(done, np.inf, distance).argmin())
        reached = distance[column]
        if row_of[column] < 0:
            break
        done[column] = True
        visited.append(column)
        row = row_of[column]
    row_price[start] += reached
    for k in visited:
        row_price[row_of[k]] += reached - distance[k]
        column_price[k] -= reached - distance[k]
    while column >= 0:
        before = came_from[column]
        row_of[column] = start if before < 0 else row_of[before]
        column = before
