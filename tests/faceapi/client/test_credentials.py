"""Where keys and tokens may come from, and that they show themselves nowhere."""

import os
import traceback

import pytest

from edged.errors import EdgedError, Misconfigured
from edged.faceapi.client.credentials import Secrets, load_secrets
from edged.secret_files import Secret

KEY = "Va5yQRHlA4Fq5eR3LT0vuXV4"


def private(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(*args):
    with pytest.raises(EdgedError) as caught:
        load_secrets(*args)
    trace = "".join(traceback.format_exception(caught.value))
    assert KEY not in trace
    return caught.value


def test_a_secret_does_not_show_itself():
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]} {Secrets(api_key=secret)}"
    assert secret.reveal() == KEY
    assert secret == Secret(KEY) != Secret("other")


def test_hiding_takes_a_secret_out_of_a_text():
    assert Secret(KEY).hide_in(f"bad token {KEY}!") == "bad token ***!"


def test_the_environment_comes_first(tmp_path):
    file = private(tmp_path / "s.yaml", "token: from-file")
    (tmp_path / "cloud_token").write_text("from-systemd")
    environ = {"EDGED_CLOUD_TOKEN": "from-env", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert load_secrets(file, environ).token == Secret("from-env")


def test_systemd_credentials_come_before_the_file(tmp_path):
    file = private(tmp_path / "s.yaml", "token: from-file\nsecret_key: sk")
    (tmp_path / "cloud_token").write_text("from-systemd\n")
    found = load_secrets(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert (found.token, found.secret_key, found.api_key) == (Secret("from-systemd"), Secret("sk"), None)


def test_an_empty_variable_is_not_set(tmp_path):
    file = private(tmp_path / "s.yaml", f"api_key: {KEY}")
    assert load_secrets(file, {"EDGED_CLOUD_API_KEY": ""}).api_key == Secret(KEY)


def test_nothing_given_is_nothing_found():
    assert load_secrets(None, {}) == Secrets()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o666])
def test_a_file_that_others_can_use_is_refused(tmp_path, mode):
    error = refusal(private(tmp_path / "s.yaml", f"token: {KEY}", mode), {})
    assert (type(error), error.code) == (Misconfigured, "cloud_secrets_file")
    assert "chmod 600" in error.hint


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(tmp_path, mode):
    assert load_secrets(private(tmp_path / "s.yaml", f"token: {KEY}", mode), {}).token == Secret(KEY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path):
    file = private(tmp_path / "s.yaml", f"token: {KEY}")
    os.chown(file, 12345, -1)
    assert refusal(file, {}).code == "cloud_secrets_file"


@pytest.mark.parametrize(
    "text",
    [
        f"{KEY}",
        f"- {KEY}",
        f"tokn: {KEY}",
        f"token: [{KEY}]",
        f"token: {{a: {KEY}}}",
        f"token: '{KEY}",
        "token: 12",
    ],
)
def test_a_file_of_another_shape_is_refused_without_repeating_it(tmp_path, text):
    assert refusal(private(tmp_path / "s.yaml", text), {}).code == "cloud_secrets_file"


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        assert refusal(path, {}).code == "cloud_secrets_file"


def test_a_key_of_another_shape_is_refused_without_repeating_it():
    error = refusal(None, {"EDGED_CLOUD_API_KEY": f"{KEY} {KEY}"})
    assert error.code == "cloud_secret"
    assert "EDGED_CLOUD_API_KEY" in error.message


def test_blanks_around_a_secret_are_taken_off():
    assert load_secrets(None, {"EDGED_CLOUD_TOKEN": f" {KEY}\n"}).token == Secret(KEY)
