"""The texts of reason codes: each is a clause with advice, and every code that a door can give has one."""

import re

import pytest
from places import PROJECT

from edged.reasons import describe, known_codes

SOURCES = {
    "vision/quality.py": r'(?:missed\[|^ +)"(\w+_\w+)"(?:\]|:)',
    "gate/door/*.py": r'(?:_refuse\(grant|_alarm\(now|_wait_for_lane\(\s*grant),? ?"(\w+)"',
    "gate/board/port.py": r'code="(\w+)"',
    "gate/board/gpio.py": r'code="(\w+)"',
    "gate/drivers/*.py": r'code="(\w+)"',
}
"""Where codes are made, and how they are written there; tests/access looks at the rules of access."""


@pytest.mark.parametrize("code", known_codes())
def test_every_reason_is_a_plain_clause_with_advice_in_sentences(code):
    reason = describe(code)
    assert re.match(r"[a-z]", reason.meaning)
    assert not reason.meaning.endswith(".")
    assert reason.advice == "" or re.match(r"[A-Z].*\.$", reason.advice)


def test_an_unknown_code_stands_for_itself():
    assert str(describe("new_kind_of_trouble")) == "new kind of trouble."


@pytest.mark.parametrize(("files", "pattern"), SOURCES.items())
def test_every_code_that_quality_and_door_use_has_words(files, pattern):
    texts = [file.read_text() for file in (PROJECT / "edged").glob(files)]
    used = {code for text in texts for code in re.findall(pattern, text, re.MULTILINE)}
    assert len(used) >= 5
    assert used <= set(known_codes())
