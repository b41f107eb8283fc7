"""Secrets of targets and the signature made with one."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.delivery.signature import REPLAY_WINDOW_S, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign, verify
from edged.delivery.target_secrets import TargetSecrets
from edged.errors import Misconfigured

NOW = 1_795_250_000


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secrets.yaml"
    path.write_text("front-office: {secret: from the file}\nother: {api_key: k}\n")
    path.chmod(0o600)
    return path


def test_the_first_place_that_has_it_counts(file, tmp_path):
    (tmp_path / "delivery_front-office_secret").write_text("from the credential\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    variable = {"EDGED_DELIVERY_FRONT_OFFICE_SECRET": "from the environment"}
    places = [TargetSecrets("front-office", file, e) for e in ({**environ, **variable}, environ, {})]
    found = [place.need("secret").reveal() for place in places]
    assert found == ["from the environment", "from the credential", "from the file"]


def test_a_secret_that_is_nowhere_is_asked_for_by_all_of_its_names():
    with pytest.raises(Misconfigured) as missing:
        TargetSecrets("office", None, {}).need("secret")
    assert missing.value.code == "delivery_secret_missing"
    for name in ("EDGED_DELIVERY_OFFICE_SECRET", "delivery_office_secret", "secrets_file"):
        assert name in missing.value.hint


def test_a_file_that_others_may_read_is_refused(file):
    file.chmod(0o640)
    with pytest.raises(Misconfigured, match="0640"):
        TargetSecrets("front-office", file, {}).find("secret")


@pytest.mark.parametrize(
    "content",
    ["[", "a: [1]", "front-office: text", "front-office: {secret: 12}", "front-office: {sekret: s}"],
)
def test_a_file_of_another_shape_is_refused_without_repeating_it(file, content):
    file.write_text(content + "\n")
    secrets = TargetSecrets("front-office", file, {})
    if content == "a: [1]":
        assert secrets.find("secret") is None
        return
    with pytest.raises(Misconfigured) as refused:
        secrets.find("secret")
    assert "sekret" not in str(refused.value)


def test_a_secret_does_not_show_itself(file):
    secret = TargetSecrets("front-office", file, {}).need("secret")
    assert "from the file" not in f"{secret!r} {secret}"


def test_the_signature_is_plain_hmac_sha256_over_timestamp_full_stop_and_body():
    body = b'{"recordId": "box7-1"}'
    expected = hmac.new(b"key", b"1795250000." + body, hashlib.sha256).hexdigest()
    assert sign("key", NOW, body) == f"sha256={expected}"


def signed(secret="key"):
    return {TIMESTAMP_HEADER: str(NOW), SIGNATURE_HEADER: sign(secret, NOW, b"body")}


@pytest.mark.parametrize("late_s", [-REPLAY_WINDOW_S, 0, REPLAY_WINDOW_S])
def test_a_signature_is_good_within_the_window(late_s):
    assert verify("key", signed(), b"body", NOW + late_s)


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        (signed(), b"other body", NOW),
        (signed("other key"), b"body", NOW),
        (signed(), b"body", NOW + REPLAY_WINDOW_S + 1),
        (signed(), b"body", NOW - REPLAY_WINDOW_S - 1),
        ({**signed(), TIMESTAMP_HEADER: str(NOW + 1)}, b"body", NOW),
        ({**signed(), TIMESTAMP_HEADER: "-1"}, b"body", NOW),
        ({**signed(), TIMESTAMP_HEADER: "١٢"}, b"body", NOW),
        ({**signed(), SIGNATURE_HEADER: "sha256=é"}, b"body", NOW),
        ({}, b"body", NOW),
    ],
)
def test_anything_else_is_not(headers, body, now):
    assert not verify("key", headers, body, now)


@given(st.text(min_size=1, max_size=64), st.binary(max_size=200), st.integers(0, 10**11))
def test_what_is_signed_verifies(secret, body, at):
    headers = {TIMESTAMP_HEADER: str(at), SIGNATURE_HEADER: sign(secret, at, body)}
    assert verify(secret, headers, body, at)
