"""Names: one public class a name, no module called like a package, and the word list of the language."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import PROJECT

PACKAGE = PROJECT / "edged"
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN = re.compile(r"\b(whoever|what became of|what has become of|reckon\w*|so many-th)\b", re.I)
COMMENT = re.compile(r"(?:^\s*|\s\s)#:? ?(.*)")
BEGINS_WITH_OF = re.compile(r"(?:\A|[.:;!?]\s+)Of\b")
PAGES = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("config/**/*.yaml")]
PAGE_BEGINS_WITH_OF = re.compile(r"(?:\A|[.:;!?]\s+|\n\n|[-|#] )Of\b")


def classes(module: Path) -> Iterator[str]:
    """Public classes at the top of a module."""
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, strings below an assignment and blocks of comments, each with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, " ".join(text.split())
    block: list[str] = []
    first = last = 0
    for number, line in enumerate(source.splitlines(), 1):
        found = COMMENT.search(line)
        if not found:
            continue
        if block and number == last + 1:
            block.append(found[1])
        else:
            if block:
                yield first, " ".join(block)
            block, first = [found[1]], number
        last = number
    if block:
        yield first, " ".join(block)


def complaints(source: str) -> list[tuple[int, str]]:
    """Lines whose prose uses a word of the list or begins a sentence with Of."""
    return [
        (line, found[0])
        for line, text in prose(source)
        if (found := FORBIDDEN.search(text) or BEGINS_WITH_OF.search(text))
    ]


def test_no_two_public_classes_have_one_name():
    homes = defaultdict(list)
    for module in MODULES:
        for name in classes(module):
            homes[name].append(str(module.relative_to(PACKAGE)))
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_no_module_is_called_like_a_package():
    packages = {module.parent.name for module in MODULES if module.name == "__init__.py"}
    assert [str(module.relative_to(PACKAGE)) for module in MODULES if module.stem in packages] == []


def test_every_module_says_what_lives_in_it():
    silent = [
        str(module.relative_to(PACKAGE))
        for module in MODULES
        if (tree := ast.parse(module.read_text("utf-8"))).body and not ast.get_docstring(tree)
    ]
    assert silent == []


def test_docstrings_and_comments_keep_to_the_word_list():
    found = {
        str(module.relative_to(PACKAGE)): wrong
        for module in MODULES
        if (wrong := complaints(module.read_text("utf-8")))
    }
    assert found == {}


def test_pages_and_shipped_settings_keep_to_the_word_list():
    found = {
        str(page.relative_to(PROJECT)): wrong[0]
        for page in PAGES
        if (wrong := FORBIDDEN.search(text := page.read_text("utf-8")) or PAGE_BEGINS_WITH_OF.search(text))
    }
    assert len(PAGES) > 40
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        '"""Of a door."""',
        'X = 1\n"""Longest pulse. Of the board."""',
        "# whoever asks\nX = 1",
        "# what\n# became of it\nX = 1",
        "X = 1  # reckoned in seconds",
    ],
)
def test_the_word_list_finds_what_it_names(source):
    assert complaints(source)


def test_the_word_list_leaves_good_sentences_alone():
    assert complaints('"""The time of day. Offers nothing of its own."""\n# most of them') == []
