"""`edged check` and what every command shares. Streams, imports and time zones need real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from command_line import run_edged, run_process
from places import PROJECT
from typer.testing import CliRunner

from edged import __version__
from edged.cli import COMMANDS
from edged.cli.common import at_box
from edged.cli.lazy import Command, lazy_group
from edged.errors import Misconfigured


@pytest.fixture
def write(tmp_path):
    def _write(text: str) -> str:
        path = tmp_path / "edged.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return _write


def test_a_good_file_is_fine_and_its_meaning_is_shown(write, tmp_path):
    path = write("camera: {source: clip.mp4}\ndata_dir: data\n")
    done = run_edged("check", "-c", path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{path}: fine\n")
    for part in (f"cam1: {tmp_path}/clip.mp4", "lcus at sim:lcus", "local, threshold", f"{tmp_path}/data"):
        assert part in done.stdout


def test_warnings_go_to_standard_error_and_do_not_change_the_exit_code(write):
    path = write("access:\n  cool_down_s: 0\n")
    done = run_edged("check", "-c", path)
    assert done.returncode == 0
    assert f"warning: {path}:2:3: access.cool_down_s: " in done.stderr


def test_mistakes_are_listed_on_standard_error_and_the_exit_code_is_78(write):
    path = write('gate:\n  chanel: 1\n  channel: "1"\n')
    done = run_process("check", "-c", path)
    assert (done.returncode, done.stdout) == (78, "")
    first, second = done.stderr.splitlines()
    assert first.startswith(f'{path}:2:3: gate.chanel: unknown key; did you mean "channel"?')
    assert second == f'{path}:3:12: gate.channel: "1" is text in quotes; write 1 without quotes'


def test_everything_the_daemon_would_refuse_to_start_with_is_a_mistake(write):
    path = write(
        "camera: {source: 'gopher://x'}\n"
        "vision: {liveness: {also_required: [infrared]}}\n"
        "gate: {port: 'sim:banana'}\n"
        "more_gates: [{id: second, port: /dev/ttyS9, protocol: kmtronic, channels: 3}]\n"
        "recognition: {engine: cloud, cloud: {url: nowhere}}\n"
    )
    done = run_edged("check", "-c", path)
    assert done.returncode == 78
    lines = done.stderr.splitlines()
    for part in ("gopher:", "names infrared", "'banana'", "gate.channels is 3", "recognition.cloud.url"):
        assert any(part in line for line in lines)
    assert len(lines) == 5


def test_a_key_that_only_the_service_may_have_is_a_warning(write):
    done = run_edged("check", "-c", write("recognition: {engine: cloud}\n"))
    assert done.returncode == 0
    assert "warning" in done.stderr
    assert "no api_key is given; Set EDGED_CLOUD_API_KEY" in done.stderr


def test_json_has_the_same_problems_for_programs(write):
    path = write("gate:\n  chanel: 1\n")
    done = run_edged("check", "--json", "-c", path)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["ok"], answer["file"]) == (78, False, path)
    assert (answer["problems"][0]["key"], answer["problems"][0]["line"]) == ("gate.chanel", 2)


def test_json_of_a_good_file_has_settings_and_warnings(write):
    answer = json.loads(run_edged("check", "--json", "-c", write("site: x")).stdout)
    assert answer["ok"] is True
    assert set(answer["settings"]) == {"camera", "gate", "engine", "data"}
    assert {w["key"] for w in answer["warnings"]} == {"camera.source", "gate.port"}


def test_json_names_the_file_of_the_environment_too(write):
    path = write("gate: {chanel: 1}")
    assert json.loads(run_edged("check", "--json", env={"EDGED_CONFIG": path}).stdout)["file"] == path


def test_json_is_printed_for_a_missing_file_too(tmp_path):
    done = run_edged("check", "--json", "-c", str(tmp_path / "none.yaml"))
    assert done.returncode == 78
    assert "there is no such file" in json.loads(done.stdout)["problems"][0]["message"]


def test_schema_prints_json_schema():
    done = run_edged("check", "--schema")
    assert json.loads(done.stdout)["title"] == "edged.yaml"


def test_a_missing_file_is_one_sentence_and_a_hint_without_a_traceback(tmp_path):
    done = run_edged("check", "-c", str(tmp_path / "none.yaml"))
    assert done.returncode == 78
    assert done.stderr.startswith(f"edged: {tmp_path}/none.yaml: there is no such file.\n")
    assert "Traceback" not in done.stderr


def test_a_misspelt_command_is_wrong_usage_with_a_suggestion():
    done = run_edged("chek")
    assert done.returncode == 2
    assert "Did you mean 'check'" in done.stderr


def test_the_version_is_shown():
    assert run_process("--version").stdout == f"edged {__version__}\n"


def test_help_lists_every_command_without_importing_any():
    script = (
        "import sys\nfrom edged.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print('imported:', [m for m in sys.modules if m in ('cv2', 'edged.cli.check_command')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert all(name in done.stdout for name in COMMANDS)
    assert done.stdout.endswith("imported: []\n")


def test_a_command_that_cannot_be_imported_says_so_with_its_own_exit_code():
    app = typer.Typer(cls=lazy_group({"gone": Command("edged.cli.no_such_module", "Not there.")}))
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, ["gone"])
    assert result.exit_code == 69
    assert "the command gone cannot be loaded" in result.stderr


def test_a_data_directory_that_is_named_needs_no_valid_configuration(write, tmp_path):
    broken = Path(write("gate: {chanel: 1}"))
    assert at_box(broken, tmp_path)[1].data_dir == tmp_path
    with pytest.raises(Misconfigured):
        at_box(broken, None)[1].data_dir  # noqa: B018 - finding it reads the configuration


def test_closed_standard_streams_are_not_given_to_files_and_ports(tmp_path):
    seen = tmp_path / "seen"
    program = (
        "import os, sys; from edged.cli import main\n"
        "try: main(['--version'])\n"
        "finally: streams = [os.readlink(f'/proc/self/fd/{n}') for n in range(3)]; "
        f"open({str(seen)!r}, 'w').write(' '.join(streams))"
    )
    done = subprocess.run(["sh", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, program], check=False)
    assert done.returncode == 0
    assert seen.read_text() == "/dev/null /dev/null /dev/null"


def test_an_option_that_cannot_be_a_setting_is_explained_like_one():
    for command in ("demo", "aim"):
        done = run_edged(command, "--camera", "rtsp://")
        assert done.returncode == 78
        assert done.stderr.startswith("--camera: names no host; a stream is written rtsp://HOST/PATH")


def test_time_zones_are_known_on_a_system_without_a_database_of_them(write):
    done = run_process("check", "-c", write("timezone: Europe/Berlin\n"), env={"PYTHONTZPATH": ""})
    assert done.returncode == 0


def test_output_without_room_is_reported_and_not_a_traceback():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edged", "check", "--schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 69
    assert done.stderr.startswith("edged: The output could not be written: No space left on device.")
