"""The recipes of docs/maintaining.md name every place that an addition needs: as many as its example has."""

from __future__ import annotations

import re

import pytest
from places import DOCS, PROJECT

PAGE = (DOCS / "maintaining.md").read_text("utf-8")
RECIPES = {title: body for title, body in re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", PAGE, re.M | re.S)}
CODE = sorted([*(PROJECT / "edged").rglob("*.py"), *(PROJECT / "edged").rglob("*.yaml")])


def words_of(recipe: str) -> re.Pattern[str]:
    """The words of the example, as they stand in code."""
    example = re.search(r"^Example: (.+?)\n\n", recipe, re.M | re.S)
    assert example, "a recipe has an example"
    words = [word.removesuffix(".py").removeprefix("edged ") for word in re.findall(r"`([^`]+)`", example[1])]
    return re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, words))})(?![a-z_])", re.I)


def places_of(recipe: str) -> set[str]:
    """The files in the numbered steps."""
    steps = "\n".join(re.findall(r"^\d\. .+?(?=^\d\. |^\n|\Z)", recipe, re.M | re.S))
    return set(re.findall(r"`([\w./-]+/[\w./-]+|README\.md)`", steps))


@pytest.mark.parametrize("title", RECIPES)
def test_every_place_of_a_recipe_has_its_example(title):
    words, places = words_of(RECIPES[title]), places_of(RECIPES[title])
    assert len(places) > 2
    without = [
        place
        for place in sorted(places)
        if not words.search(place) and not words.search((PROJECT / place).read_text("utf-8"))
    ]
    assert without == []


@pytest.mark.parametrize("title", [title for title in RECIPES if title != "A command"])
def test_every_file_of_the_code_that_knows_the_example_is_a_place_of_the_recipe(title):
    """`why` is a word of the language, so the recipe for commands is not looked for in the code."""
    words, places = words_of(RECIPES[title]), places_of(RECIPES[title])
    knowing = {str(path.relative_to(PROJECT)) for path in CODE if words.search(path.read_text("utf-8"))}
    assert knowing - places == set()


def test_a_place_that_is_left_out_is_found():
    recipe = RECIPES["A rule of access"].replace("`edged/access/decide.py`", "the order")
    assert "edged/access/decide.py" not in places_of(recipe)
    assert words_of(recipe).search((PROJECT / "edged/access/decide.py").read_text("utf-8"))
