"""A plugin: a case that takes longer than `longest_case_s` without the marker `slow` fails the run.

Without it the suite grows slow one case at a time. A slow machine must not make cases fail, so the time of a
case is divided by how much longer a busy loop takes there. While each core has more than `judged_to_load`
threads to run, as over the last minute, no case is judged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator

import pytest

SPINS = 1_200_000
"""Turns of the busy loop that measures how slow the machine is at this moment."""
SPIN_S = 0.05
"""What they take on the machine of reference, a core of 2.0 GHz with nothing else to do."""

_spent = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("longest_case_s", "longest time of a case without the marker slow", default="5")
    parser.addini(
        "judged_to_load", "threads to run for each core up to which cases are judged", default="1.5"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    spent_s = item.stash[_spent] = item.stash.get(_spent, 0.0) + call.duration
    longest_s = float(item.config.getini("longest_case_s"))
    if report.when != "call" or not report.passed or spent_s <= longest_s or item.get_closest_marker("slow"):
        return report
    there_s = spent_s / slowness()
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    if there_s > longest_s and load <= float(item.config.getini("judged_to_load")):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} takes {there_s:.1f} s; at most {longest_s:g} s may be without `slow`."
        )
    return report


def slowness() -> float:
    """How much longer than on the machine of reference a busy loop takes here and now, from 1."""
    began_s = time.perf_counter()
    for _ in range(SPINS):
        pass
    return max(1.0, (time.perf_counter() - began_s) / SPIN_S)
