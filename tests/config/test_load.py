"""Loading: which file, whose paths, and every mistake at once with its line and a hint."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edged.config import Config, ConfigProblems, load, load_config
from edged.config.fields import keys
from edged.config.load import parse_config
from edged.errors import Misconfigured


@pytest.fixture
def write(tmp_path):
    def _write(text: str, name: str = "edged.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def problems(text: str) -> list[str]:
    """The problems of a file called `f` as lines, without the file's name."""
    with pytest.raises(ConfigProblems) as caught:
        parse_config(text.encode(), "f")
    return [str(p).removeprefix("f:") for p in caught.value.problems]


def problem(text: str) -> str:
    (only,) = problems(text)
    return only


# --- which file ---------------------------------------------------------------------------------------------


def test_the_named_file_wins_over_the_environment(write):
    named, other = write("site: named"), write("site: other", "other.yaml")
    assert load_config(named, environ={"EDGED_CONFIG": str(other)}).site == "named"


def test_the_environment_wins_over_the_default_path(write):
    default, other = write("site: default"), write("site: other", "other.yaml")
    assert load(None, environ={"EDGED_CONFIG": str(other)}, default_path=default).config.site == "other"


def test_the_default_path_is_read_when_nothing_is_named(write):
    assert load(None, environ={}, default_path=write("site: default")).config.site == "default"


@pytest.mark.parametrize("below", ["missing.yaml", "file/edged.yaml"])
def test_without_any_file_the_built_in_defaults_hold(tmp_path, below):
    (tmp_path / "file").touch()
    loaded = load(None, environ={"EDGED_CONFIG": ""}, default_path=tmp_path / below)
    assert (loaded.config, loaded.path) == (Config(), None)


def test_a_named_file_that_is_missing_is_an_error_and_not_the_defaults(tmp_path):
    with pytest.raises(Misconfigured, match="there is no such file") as caught:
        load_config(tmp_path / "x.yaml", environ={})
    assert caught.value.code == "config_missing"


def test_a_directory_is_an_error_that_names_the_file_in_it(tmp_path):
    with pytest.raises(Misconfigured, match="is a directory") as caught:
        load_config(tmp_path, environ={})
    assert str(tmp_path / "edged.yaml") in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_an_error_that_says_so(write):
    path = write("site: x")
    path.chmod(0)
    with pytest.raises(Misconfigured, match="Permission denied") as caught:
        load_config(path, environ={})
    assert caught.value.code == "config_unreadable"


def test_a_path_that_loops_is_an_error_and_not_a_traceback(tmp_path):
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    with pytest.raises(Misconfigured) as caught:
        load_config(loop, environ={})
    assert caught.value.code == "config_unreadable"


# --- paths --------------------------------------------------------------------------------------------------


PATHS = [
    "data_dir",
    "camera.source",
    "vision.liveness.model",
    "recognition.cloud.secrets_file",
    "recognition.cloud.ca_file",
    "gate.guard",
    "more_cameras.0.source",
    "more_gates.0.guard",
    "delivery.secrets_file",
    "delivery.targets.0.ca_file",
    "delivery.targets.0.file.folder",
    "journal.backup_dir",
]
OTHERS_NEED = {
    "more_cameras": {"id": "cam2"},
    "more_gates": {"id": "door2", "port": "/dev/ttyS0"},
    "delivery": {"name": "office", "kind": "http", "url": "https://office"},
}
"""What the second of its kind must be given, besides a path."""


@pytest.mark.parametrize("key", PATHS)
def test_relative_paths_in_the_file_count_from_its_directory(write, tmp_path, key):
    section, _, rest = key.partition(".")
    value: object = "some/where"
    for part in reversed(rest.split(".") if rest else []):
        value = [{**OTHERS_NEED.get(section, {}), **value}] if part == "0" else {part: value}
    found: object = load_config(write(json.dumps({section: value})), environ={})
    for part in key.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    assert str(found) == str(tmp_path / "some/where")


def test_every_path_of_the_schema_is_tried():
    paths = {key.name for key in keys().values() if key.allowed.startswith(("a file", "a directory"))}
    assert paths <= {key.replace(".0.", ".") for key in PATHS}


@pytest.mark.parametrize("source", ["0", "demo:", "rtsp://camera/1", "/dev/video0"])
def test_a_source_that_is_no_relative_path_stays_as_written(write, source):
    assert load_config(write(f'camera: {{source: "{source}"}}'), environ={}).camera.source == source


def test_a_tilde_is_the_home_directory(write):
    assert load_config(write("data_dir: ~/edged"), environ={}).data_dir == Path.home() / "edged"


def test_the_data_directory_of_the_environment_wins_and_counts_from_the_current_one(
    write, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    config = load_config(write("data_dir: /srv/edged"), environ={"EDGED_DATA_DIR": "here"})
    assert config.data_dir == tmp_path / "here"


# --- mistakes -----------------------------------------------------------------------------------------------


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    text = "site: on\ngate:\n  chanel: 2\n  mode: holdd\n  mode: pulse\ncamera:\n  fps: 0\n"
    assert [p.split(":")[0] for p in problems(text)] == ["1", "3", "4", "5", "7"]


def test_the_error_carries_code_exit_code_and_problems(write):
    path = write("gate:\n  chanel: 2\n")
    with pytest.raises(ConfigProblems) as caught:
        load_config(path, environ={})
    error = caught.value
    assert (error.code, error.exit_code) == ("config_invalid", 78)
    first = error.problems[0]
    assert (first.file, first.line, first.column, first.key) == (str(path), 2, 3, "gate.chanel")
    assert str(error).startswith(
        f'{path}:2:3: gate.chanel: unknown key; did you mean "channel"? Known keys here: id,'
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("gate: {chanel: 1}", 'did you mean "channel"?'),
        ("gate: {max-on-s: 1}", 'did you mean "max_on_s"?'),
        ("gate: {Port: x}", 'did you mean "port"?'),
        ("gates: {}", 'did you mean "gate"?'),
        ("pulse_s: 1", '"pulse_s" belongs under `gate:`'),
        ("gate: {min_face_px: 1}", "belongs under `vision.quality:` or `vision.enrol_quality:`"),
        ("gate: {data_dir: x}", '"data_dir" belongs under the top of the file'),
        ("gate: {zzz: 1}", "Known keys here: id, port, protocol"),
    ],
)
def test_an_unknown_key_gets_a_suggestion(text, hint):
    assert hint in problem(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('gate: {channel: "1"}', '"1" is text in quotes; write 1 without quotes'),
        ('gate: {baud: "9600"}', '"9600" is text in quotes; write 9600 without quotes'),
        ("gate: {pulse_s: '0,5'}", "has a decimal comma; write 0.5 with a point"),
        (
            "gate:\n  pulse_s: 500ms",
            "500ms is text; write the number alone, without a unit; pulse_s is in seconds",
        ),
        ("gate: {channel: 010}", "010 is not a plain decimal number"),
        ("gate: {channel: one}", "one is text; write a number (1..64)"),
        ("gate: {channel: yes}", "yes is read as true; write a number (1..64)"),
        ("gate: {channel: 1.5}", "1.5 is not a whole number"),
        ("gate: {channel: [1]}", "is a list; write one number"),
        ("gate: {channel: 65}", "65 is too large; write 1..64"),
        ("gate: {grant_ttl_s: 0}", "0 is too small; write above 0, up to 10 seconds"),
        (
            "gate:\n  hold_s:\n",
            "has no value; write one (0.5..60 seconds), or remove the line to get the default, 5.0",
        ),
        ("site: off", 'off is read as false by YAML; write "off" in quotes'),
        ("site: 12", '12 is a number where text is expected; write "12" in quotes'),
        ("site: {a: 1}", "is a section (keys with values); write text"),
        ('site: ""', "is empty"),
        ('site: "a\\tb"', "control character"),
        (f"site: {'x' * 600}", "is too long"),
        ("data_dir: 7", '7 is a number where text is expected; write "7" in quotes'),
        ('data_dir: ""', "is empty"),
        ("gate: {id: a b}", "characters (or a length) that are not allowed; write letters, digits"),
        ('gate: {id: ""}', "is empty"),
        ("gate: {mode: holdd}", "holdd is not one of the choices; did you mean hold? Choices: pulse, hold"),
        ("gate: {mode: on}", "on is not one of the choices; Choices: pulse, hold"),
        ("gate: {profile: coil}", "did you mean coils? Choices: waveshare, coils, fc06"),
        ("gate: {hybrid_policy: [a]}", "is not one of the choices; Choices: local_first, cloud_first"),
        ('gate: {guard: ""}', "is empty"),
        ('journal: {backup_dir: ""}', "is empty"),
        ("gate: {append_crlf: ja}", "ja is neither true nor false"),
        ("gate: 5", "5 stands where a section is expected; write `gate:` and its keys"),
        ("gate: [a]", "a list stands where a section is expected"),
        ("access: {allowed_groups: staff}", "staff is not a list; write `allowed_groups: [staff]`"),
        ("access: {allowed_groups: {a: 1}}", "is a section; write a list"),
        ("access: {allowed_groups: []}", "is empty"),
        ("recognition: {cloud: {groups: [a, b, c, d, e, f, g, h, i, j, k]}}", "10 are the most"),
        ("access: {allowed_groups: [a, 5]}", '5 is a number where text is expected; write "5" in quotes'),
        ("recognition: {threshold: 1e999}", "does not fit"),
        ("timezone: Mars/Base", "Mars/Base is not a time zone such as Europe/Berlin"),
        ('site: "a\\e[31m"', '"a\\x1b[31m" contains a control character'),
        (f"gate: {{pulse_s: {'x' * 6000}}}", f"gate.pulse_s: {'x' * 60}… is text"),
        ("gate: {free: Mon}", "Mon is not a list; write `free: [Mon]` (a list of text"),
        ("more_gates: 5", "5 is not a list; write `more_gates:` and below it, indented, `- `"),
        ("more_gates: [5]", "more_gates[0]: 5 stands where a section is expected"),
        ("camera: {source: 'rtsp:///cam'}", "names no host; a stream is written rtsp://HOST/PATH"),
        ("journal: {keep_details_days: 0}", "keep_details_days (0, for ever) is longer than keep_days (365)"),
    ],
)
def test_a_wrong_value_says_what_was_seen_and_what_to_write(text, expected):
    assert expected in problem(text)


def test_a_very_long_value_is_explained_as_fast_as_a_short_one():
    """Masking it letter by letter took minutes."""
    assert "is not one of the choices" in problem(f"gate: {{mode: {'z' * 500_000}}}")


def test_an_item_of_a_list_is_named_by_its_place():
    assert problem("access:\n  allowed_groups:\n    - a\n    - on\n").startswith(
        "4:7: access.allowed_groups[1]: "
    )


def test_credentials_in_a_wrong_value_are_not_repeated():
    text = problem(f"camera:\n  id: rtsp://admin:secret@{'x' * 9}/")
    assert "secret" not in text
    assert "rtsp://***@" in text


# --- rules between keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (
            "gate:\n  max_on_s: 1\n  mode: hold\n",
            "2:3: gate.max_on_s: max_on_s (1) is shorter than the on-time",
        ),
        ("gate:\n  hold_s: 40\n  mode: hold\n", "2:3: gate.hold_s: max_on_s (30) is shorter"),
        ("vision:\n  quality:\n    max_illumination: 30\n", "3:5: vision.quality.max_illumination: "),
        ("camera:\n  retry_min_s: 20\n", "2:3: camera.retry_min_s: the first pause (20) is longer"),
        ("vision:\n  max_shots: 1\n", "2:3: vision.max_shots: agreeing_shots (2) is more than"),
        ("recognition:\n  agreeing_shots: 6\n", "2:3: recognition.agreeing_shots: agreeing_shots (6)"),
        (
            "recognition:\n  engine: cloud\n  cloud:\n    agreeing_shots: 6\n",
            "4:5: recognition.cloud.agreeing_shots: agreeing_shots (6) is more than",
        ),
        (
            "recognition:\n  engine: hybrid\n  cloud:\n    people: cloud\n",
            "4:5: recognition.cloud.people: with hybrid.policy local_first the cloud is never asked",
        ),
        (
            "recognition:\n  engine: hybrid\n  hybrid:\n    policy: cloud_first\n    cloud_wait_s: 1\n",
            "5:5: recognition.hybrid.cloud_wait_s: cloud_wait_s (1) is not below access.max_age_s (1)",
        ),
    ],
)
def test_a_rule_between_keys_points_at_a_key_that_is_in_the_file(text, start):
    assert problem(text).startswith(start)


def test_a_rule_between_keys_is_told_together_with_other_mistakes():
    text = "gate:\n  max_on_s: 1\n  mode: hold\n  chanel: 1\nrecognition:\n  agreeing_shots: 9\n"
    assert [p.split(":")[0] for p in problems(text)] == ["2", "4", "6"]


def test_a_rule_between_keys_is_not_guessed_from_a_wrong_value():
    text = "vision:\n  quality:\n    min_illumination: 230\n    max_illumination: bright\n"
    assert [p.split(":")[0] for p in problems(text)] == ["4"]


# --- what is fine -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "# only a comment", "gate:\n", "vision:\n  quality:\n", "recognition:\n  threshold:\n"]
)
def test_nothing_written_means_the_default(text):
    config, _ = parse_config(text.encode(), "f")
    assert config == Config()


def test_a_whole_number_is_taken_where_a_fraction_is_possible():
    assert parse_config(b"gate: {pulse_s: 1}", "f")[0].gate.pulse_s == 1


def test_a_camera_may_be_a_number():
    assert parse_config(b"camera: {source: 0}", "f")[0].camera.source == "0"
