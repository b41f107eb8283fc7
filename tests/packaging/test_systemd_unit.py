"""The unit file is one that systemd accepts and finds well locked in, and the page says what was found."""

import re
import shutil
import subprocess

import pytest
from places import PROJECT

ROOT = PROJECT
UNIT = ROOT / "systemd" / "edged.service"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: systemd)"
)


@pytest.fixture
def unit(tmp_path):
    """The unit with a program that exists here."""
    copy = tmp_path / "edged.service"
    copy.write_text(UNIT.read_text().replace("/opt/edged/bin/edged", "/bin/true"))
    return copy


@needs_systemd
def test_systemd_has_no_complaint(unit):
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_exposure_is_at_most_what_the_page_says(unit):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    seen = re.search(r"Overall exposure level for edged.service: ([\d.]+)", done.stdout)
    if seen is None:
        pytest.skip("this systemd cannot judge a unit file offline")
    said = re.search(r"overall exposure level ([\d.]+)", (ROOT / "docs" / "install.md").read_text())
    assert float(seen[1]) <= float(said[1])


def test_the_unit_names_the_exit_status_of_a_wrong_configuration():
    from edged.errors import Misconfigured

    assert f"RestartPreventExitStatus={Misconfigured.exit_code}" in UNIT.read_text()


def test_stopping_fits_into_the_time_systemd_gives():
    from edged.app.daemon import STOP_S

    (limit_s,) = re.findall(r"TimeoutStopSec=(\d+)", UNIT.read_text())
    assert int(limit_s) > STOP_S


def test_delivery_may_lower_the_priority_of_its_threads():
    """setpriority is in @resources, so it must be allowed again after that set is taken away."""
    filters = re.findall(r"^SystemCallFilter=(.*)", UNIT.read_text(), re.M)
    assert filters.index("setpriority") > filters.index("~@privileged @resources")


GUARD = ROOT / "systemd" / "edged-gate-guard@.service"


@needs_systemd
def test_systemd_has_no_complaint_about_the_gate_guard(tmp_path):
    copy = tmp_path / "edged-gate-guard@door1.service"
    copy.write_text(GUARD.read_text().replace("/opt/edged/bin/python", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
