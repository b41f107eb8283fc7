"""The identity of the box: made once, kept, and never guessed when it is damaged."""

from __future__ import annotations

import re
import stat

import pytest

from edged.database.device import FILE_NAME, device_id, read_device_id
from edged.errors import NeedsOperator


def test_it_is_made_once_and_kept(tmp_path):
    assert read_device_id(tmp_path) is None

    made = device_id(tmp_path)

    assert re.fullmatch(r"b_[0-9a-z]{16}", made)
    assert device_id(tmp_path) == read_device_id(tmp_path) == made
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_two_boxes_differ(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert device_id(tmp_path / "a") != device_id(tmp_path / "b")


@pytest.mark.parametrize("content", [b"", b"b_short", b"\xff\xfe", b"b_0123456789abcdef extra"])
def test_a_damaged_one_is_named_and_not_replaced(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.raises(NeedsOperator) as raised:
        device_id(tmp_path)

    assert raised.value.code == "device_id_damaged"
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_folder_that_is_not_there_is_the_operators_business(tmp_path):
    with pytest.raises(NeedsOperator):
        device_id(tmp_path / "none")
