"""The unit of `edged serve` is one that systemd accepts, finds well locked in, and that fits the program."""

import re
import shutil
import subprocess

import pytest
from places import PROJECT

from edged.cli.serve_command import DEFAULT_FILE
from edged.config.serve import LimitsConfig
from edged.errors import Misconfigured
from edged.server.authentication import CREDENTIAL

ROOT = PROJECT
UNIT = (ROOT / "systemd" / "edged-serve.service").read_text()

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: systemd)"
)


def analyze(tmp_path, *arguments):
    copy = tmp_path / "edged-serve.service"
    copy.write_text(UNIT.replace("/opt/edged/bin/edged", "/bin/true"))  # a program that exists here
    command = ["systemd-analyze", *arguments, str(copy)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
def test_systemd_has_no_complaint(tmp_path):
    done = analyze(tmp_path, "verify")
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_exposure_is_at_most_what_the_page_says(tmp_path):
    done = analyze(tmp_path, "security", "--offline=true", "--no-pager")
    seen = re.search(r"Overall exposure level for edged-serve.service: ([\d.]+)", done.stdout)
    if seen is None:
        pytest.skip("this systemd cannot judge a unit file offline")
    said = re.search(r"overall exposure level ([\d.]+)", (ROOT / "docs" / "serve.md").read_text())
    assert float(seen[1]) <= float(said[1])


def test_the_unit_names_what_the_program_uses():
    assert f"-c {DEFAULT_FILE}\n" in UNIT
    assert f"LoadCredential={CREDENTIAL}:" in UNIT
    assert f"RestartPreventExitStatus={Misconfigured.exit_code}" in UNIT
    assert "EDGED_SERVE_DATA_DIR=%S/edged-serve" in UNIT


def test_stopping_fits_into_the_time_systemd_gives():
    (limit_s,) = re.findall(r"TimeoutStopSec=(\d+)", UNIT)
    assert int(limit_s) > 2 * LimitsConfig().stop_s
