"""Scripts that pages name, in their shortest form: they use edged and its test tools, and break with them."""

import subprocess
import sys

import pytest
from places import PROJECT

LIMIT_S = 240.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    ["gate-lab --trials 2 --doors 2", "bench_delivery.py --records 20", "evaluate-cloud-calls --rounds 1"],
    ids=lambda command: command.split()[0],
)
def test_a_script_does_what_its_page_says(command):
    script, *options = command.split()
    done = subprocess.run(
        [sys.executable, PROJECT / "scripts" / script, *options],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
