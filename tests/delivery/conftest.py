"""For the tests of delivery: a pump with its outbox, its journal and its target."""

from __future__ import annotations

import pytest
from delivery_rig import ListTarget, Rig


@pytest.fixture
def make(tmp_path):
    rigs = []

    def made(target=None, **given):
        rigs.append(Rig(tmp_path, target or ListTarget(), **given))
        return rigs[-1]

    yield made
    for rig in rigs:
        rig.close()
