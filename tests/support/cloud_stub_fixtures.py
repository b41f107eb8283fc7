"""Fixture: a cloud on a real socket that finds nobody. For `pytest_plugins`."""

from __future__ import annotations

import pytest
from cloud_calls import FOUND
from cloud_stub import CloudStub


@pytest.fixture
def stub():
    with CloudStub() as stub:
        stub.replies(FOUND)
        yield stub
