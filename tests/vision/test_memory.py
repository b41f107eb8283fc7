"""Memory that a large block took comes back when it is freed."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from edged.vision.opencv import give_large_blocks_back

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of the GNU C library")

# Without the setting the first block, once freed, raises the size from which blocks are mapped; the second is
# cut from the heap, and the small one behind it keeps the heap from shrinking.
_HOLES = """
import numpy as np
from edged.vision.opencv import prepare_opencv

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

prepare_opencv(1)
before, kept = resident(), []
for megabytes in (28, 24):
    block = np.ones(megabytes * 1024 * 1024, np.uint8)
    kept.append(np.ones(100_000, np.uint8))
    del block
print(resident() - before)
"""


@glibc
def test_memory_of_large_blocks_is_given_back_even_when_small_ones_were_made_after_them():
    ran = subprocess.run([sys.executable, "-c", _HOLES], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 8 * 1024 * 1024


@glibc
def test_the_setting_is_taken():
    assert give_large_blocks_back()
