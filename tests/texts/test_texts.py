"""Every language has words for every code, short enough for a terminal's screen."""

import re

import pytest
from places import PROJECT

from edged.reasons import describe, known_codes
from edged.texts import LANGUAGES, Catalogue, catalogue
from edged.vision.guidance import HINTS

LONGEST_HINT = {"en": 60, "zh": 24}


@pytest.fixture(params=LANGUAGES)
def words(request):
    return catalogue(request.param)


def test_every_hint_has_words_and_no_words_are_left_over(words):
    assert set(words.hints) == set(HINTS)


def test_every_hint_fits_on_the_screen(words):
    too_long = [text for text in words.hints.values() if len(text) > LONGEST_HINT[words.language]]
    assert too_long == []


def test_hints_are_plain_text_without_full_stop_and_all_different(words):
    for text in words.hints.values():
        assert isinstance(text, str)
        assert text == text.strip()
        assert not text.endswith((".", "。", "!", "!"))
    assert len(set(words.hints.values())) == len(words.hints)


def test_every_reason_has_words_in_every_language(words):
    for code in known_codes():
        assert words.reason(code)
        assert words.reason(code) != code


def test_chinese_covers_the_reason_codes_and_nothing_else():
    assert set(catalogue("zh").reasons) == set(known_codes())


def test_chinese_is_chinese():
    words = catalogue("zh")
    for text in [*words.hints.values(), *words.reasons.values()]:
        assert re.search("[\u4e00-\u9fff]", text), text
        assert not re.search("[A-Za-z,;:!?()]", text), f"Latin letters or punctuation in {text}"


def test_english_meanings_are_those_of_the_reasons_module():
    assert catalogue("en").reason("too_dark") == describe("too_dark").meaning


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh_CN.UTF-8", "zh"),
        ("ZH", "zh"),
        ("en_US", "en"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_a_language_is_found_by_its_first_part_and_english_stands_in(asked, given):
    assert catalogue(asked).language == given


def test_a_path_is_not_a_language():
    assert catalogue("../../etc/passwd").language == "en"


def test_missing_words_fall_back_to_english_and_then_to_the_code():
    empty = Catalogue("zh", {}, {})
    assert empty.hint("hold_still") == "Hold still"
    assert empty.hint("stand_on_one_leg") == "Stand on one leg"
    assert empty.reason("too_dark") == "the face was too dark"
    assert empty.reason("new_kind_of_trouble") == "new kind of trouble"


def test_a_catalogue_cannot_be_changed_by_one_of_its_readers(words):
    with pytest.raises(TypeError):
        words.hints["welcome"] = "Go away"


def test_the_page_lists_every_hint_in_every_language():
    page = (PROJECT / "docs" / "aiming.md").read_text("utf-8")
    for code in HINTS:
        assert f"| `{code}` | {catalogue('en').hint(code)} | {catalogue('zh').hint(code)} |" in page
