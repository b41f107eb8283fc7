"""A cloud on a real socket that finds nobody, and governors that are closed after the test."""

from __future__ import annotations

import contextlib

import pytest
from cloud_calls import FOUND
from cloud_stub import CloudStub
from governor_bench import Bench


@pytest.fixture
def stub():
    with CloudStub() as stub:
        stub.replies(FOUND)
        yield stub


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
