"""YAML with places: what is read, where it stands, and what is refused with which words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.config.problems import ConfigProblems, Problem
from edged.config.yaml_lines import MAX_BYTES, Document, parse
from edged.config.yaml_syntax import Mark


def read(text: str) -> Document:
    return parse(text.encode(), "edged.yaml")


def refusal(content: str | bytes) -> Problem:
    with pytest.raises(ConfigProblems) as caught:
        parse(content.encode() if isinstance(content, str) else content, "edged.yaml")
    (problem,) = caught.value.problems
    return problem


def test_every_key_and_value_keeps_its_line_and_column():
    found = read("site: here\ngate:\n  channel: 2\nlist:\n  - a\n  - b\n").positions
    channel = found[("gate", "channel")]
    assert (channel.key, channel.value) == (Mark(3, 3), Mark(3, 12))
    assert found[("list", 1)].value == Mark(6, 5)


def test_columns_count_characters_and_not_bytes():
    assert read('"größe": x').positions[("größe",)].value == Mark(1, 10)


def test_an_empty_file_is_an_empty_mapping():
    assert read("# nothing but a comment\n").data == {}


def test_a_byte_order_mark_is_not_part_of_the_first_key():
    assert parse(b"\xef\xbb\xbfsite: a", "f").data == {"site": "a"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e-1", 0.1),
        ("1.5E3", 1500.0),
        ("on", True),
        ("No", False),
        ("~", None),
        ("", None),
        ("'on'", "on"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        (".nan", ".nan"),
        ("!!str 5", "5"),
    ],
)
def test_plain_values_are_read_as_people_mean_them(text, value):
    seen = read(f"key: {text}").data["key"]
    assert (type(seen), seen) == (type(value), value)


def test_keys_stay_text_even_when_they_look_like_a_boolean_or_a_number():
    assert read("on: 1\n5: 2").data == {"on": 1, "5": 2}


def test_a_duplicate_key_is_a_problem_that_names_the_first_line_and_keeps_the_first_value():
    document = read("gate:\n  channel: 1\n  port: x\n  channel: 2\n")
    assert document.data == {"gate": {"channel": 1, "port": "x"}}
    assert str(document.problems[0]) == (
        "edged.yaml:4:3: gate.channel: this key was given before, on line 2; keep one of them"
    )


def test_an_alias_repeats_a_section():
    assert read("a: &x {b: 1}\nc: *x").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_aliases_of_aliases_cannot_explode():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than 10,000 values" in refusal("\n".join(lines)).message


def test_an_alias_that_contains_itself_is_refused():
    assert "contains itself" in refusal("a: &a [*a]").message


def test_deep_nesting_is_refused_and_not_a_crash():
    assert "nested too deeply" in refusal("a: " + "[" * 100_000).message


@pytest.mark.parametrize("text", ["gate:\n\tchannel: 1\n", "gate:\n  \tchannel: 1\n", "site:\tx\n"])
def test_a_tab_is_called_a_tab(text):
    problem = refusal(text)
    assert "tab" in problem.message
    assert "spaces" in problem.hint


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_that_is_not_utf8_names_the_place_and_the_encoding(encoding):
    problem = refusal("site: a\ncamera: größe".encode(encoding))
    assert "not UTF-8" in problem.message
    assert (problem.line, problem.column) == ((2, 11) if encoding == "latin-1" else (1, 1))


def test_an_invisible_character_is_named_with_its_place():
    problem = refusal("site: a\x07b")
    assert (problem.line, problem.column, "U+0007" in problem.message) == (1, 8, True)


def test_a_file_larger_than_the_limit_is_refused_unread():
    assert "1,000,000 bytes" in refusal(b"#" * (MAX_BYTES + 1)).message


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("- a\n- b\n", 1, "`key: value`"),
        ("just words", 1, "`key: value`"),
        ("a: *nowhere", 1, "never defined"),
        ("a: b: c", 1, "wrong place"),
        ("a: 'open\nb: 1\n", 3, "never closed"),
        ("a: [1, 2\nb: 1\n", 2, "not closed"),
        ("a: 1\nb\nc: 2\n", 3, "without its `:`"),
        ("a:\n    b: 1\n  c: 2\n", 3, "indentation"),
        ("a: @x", 1, "cannot begin a value"),
        ('a: "C:\\path"', 1, "escape"),
    ],
)
def test_syntax_errors_say_what_to_correct(text, line, part):
    problem = refusal(text)
    assert part in problem.message
    assert problem.line == line


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: !!python/object:os.system x", "tag"),
        ("a: !!int x", "does not fit its tag"),
        ("a: !set {x}", "tag !set"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "`<<`"),
        ("? [a, b]\n: 1", "one word"),
    ],
)
def test_yaml_that_no_configuration_needs_is_a_problem(text, part):
    assert part in read(text).problems[0].message


@given(
    st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,?~ \n\t0.", max_size=60).map(str.encode)
)
def test_any_bytes_are_either_read_or_refused_with_a_place(content):
    refused: tuple[Problem, ...] = ()
    try:
        parse(content, "f")
    except ConfigProblems as error:
        refused = error.problems
    assert all(p.line is not None for p in refused)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.integers(-(10**6), 10**6) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
        max_size=5,
    )
)
def test_plain_numbers_and_booleans_come_back_as_written(data):
    text = "\n".join(f'"{key}": {json.dumps(value)}' for key, value in data.items())
    assert read(text).data == data
