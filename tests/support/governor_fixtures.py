"""Fixtures: governors that are closed after the test. For `pytest_plugins`."""

from __future__ import annotations

import contextlib

import pytest
from governor_bench import Bench


@pytest.fixture
def new_bench(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(**limits):
            bench = Bench(tmp_path, **limits)
            stack.callback(bench.governor.close)
            return bench

        yield make


@pytest.fixture
def bench(new_bench):
    return new_bench()
