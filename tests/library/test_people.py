"""Ids and names: what is permitted, and ids made from names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.errors import Misconfigured
from edged.library.people import PersonDetails, check_details, check_id, check_name, id_from_name


@pytest.mark.parametrize("value", ["a", "Anna_Schmidt-2", "x" * 48, "0"])
def test_permitted_ids(value):
    assert check_id(value) == value


@pytest.mark.parametrize(
    "value", ["", "x" * 49, "a b", "ä", "a/b", "../a", "a\n", "all", "Self", "me", "this", "NEXT"]
)
def test_refused_ids(value):
    with pytest.raises(Misconfigured) as caught:
        check_id(value)
    assert caught.value.code == "bad_id"


@pytest.mark.parametrize("value", ["张伟", "Анна Иванова", "محمد", "O'Neill", "x" * 128])
def test_names_of_any_script_are_permitted(value):
    assert check_name(value) == value


@pytest.mark.parametrize("value", ["", "   ", "x" * 129, "a\nb", "a\x00", "a\x1b[31m"])
def test_refused_names(value):
    with pytest.raises(Misconfigured) as caught:
        check_name(value)
    assert caught.value.code == "bad_name"


def test_names_are_stored_composed_and_without_blanks_around_them():
    assert check_name("  Zoe\u0308 ") == "Zo\u00eb"


@pytest.mark.parametrize(
    ("name", "person_id"),
    [
        ("Anna Schmidt", "Anna_Schmidt"),
        ("anna-2", "anna-2"),
        ("  Bo   Li ", "Bo_Li"),
        ("all", None),
        ("张伟", None),
    ],
)
def test_ids_come_from_plain_names_and_from_a_hash_of_others(name, person_id):
    made = id_from_name(name)
    assert made == person_id if person_id else (made.startswith("p_") and len(made) == 10)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(lambda t: t.strip()))
def test_every_permitted_name_gives_the_same_permitted_id_again(text):
    try:
        name = check_name(text)
    except Misconfigured:
        return
    assert check_id(id_from_name(name)) == id_from_name(name)


def test_a_validity_that_ends_before_it_begins_is_refused():
    with pytest.raises(Misconfigured) as caught:
        check_details(
            PersonDetails(
                person_id="a",
                name="A",
                valid_from=datetime(2026, 2, 1, tzinfo=UTC),
                valid_until=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    assert caught.value.code == "bad_validity"
