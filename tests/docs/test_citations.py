"""Comments and pages cite documents that are there: a path below docs/ and, in the reference, a section."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SUFFIXES = {".py", ".md", ".yaml", ".toml", ".sql"}

_NUMBERS = r"\d+(?:\.\d+)*(?:(?:, | to )\d+(?:\.\d+)*)*"
_PATH = re.compile(rf"\bdocs/[\w./-]+\.md\b(?: ({_NUMBERS}))?")
_NEIGHBOUR = re.compile(rf"(?<![\w/-])([\w-]+\.md) ({_NUMBERS})")
_HEADING = re.compile(r"^#{2,4} (\d+(?:\.\d+)*)\.? ", re.M)
_GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*(?:#|--)?[ \t]*)"
_UNREADABLE = re.compile(
    rf"\b(?:face{_GAP}API|hardware|models?|devices?|attendance|access|terminals?|boards?){_GAP}reference\b"
    rf"|\breference,?{_GAP}(?:sections?{_GAP})?\d"
    rf"|\bdesign(?:{_GAP}document)?,?{_GAP}(?:sections?\b|§)",
    re.I,
)
"""Names of a document without its path; a citation may break over the lines of a comment."""


@cache
def sections(document: Path) -> Counter[str]:
    """Numbers of the headings of a document."""
    return Counter(_HEADING.findall(document.read_text("utf-8")))


def dead_citations(text: str, where: Path) -> Iterator[str]:
    """What is wrong with the citations in `text`, the content of the file `where`."""
    for match in _PATH.finditer(text):
        path = ROOT / match[0].split()[0]
        if not path.is_file():
            yield f"{match[0]}: there is no such document"
        elif path.parent == REFERENCE and match[1] is None and where.suffix != ".md":
            yield f"{match[0]}: write the section behind the path, on the same line"
        elif path.parent == REFERENCE:
            yield from _missing(path, match[1] or "")
    if where.parent == REFERENCE:
        for name, numbers in _NEIGHBOUR.findall(text):
            yield from _missing(REFERENCE / name, numbers)
    for match in _UNREADABLE.finditer(text):
        yield f"{' '.join(match[0].split())}: cite a path below docs/, as docs/reference/README.md says"


def _missing(document: Path, numbers: str) -> Iterator[str]:
    there = sections(document) if document.is_file() else Counter[str]()
    for number in re.findall(r"[\d.]+", numbers):
        if number not in there:
            yield f"{document.name} {number}: there is no such section"


def texts() -> Iterator[Path]:
    """Every text of the project that may cite, this file excepted: it contains made-up citations."""
    for folder in ("edged", "tests", "docs", "scripts", "config"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    yield from (path for path in ROOT.iterdir() if path.suffix in SUFFIXES)


def test_every_citation_leads_to_a_document_and_a_section():
    dead = [
        f"{path.relative_to(ROOT)}: {problem}"
        for path in sorted(texts())
        if path != Path(__file__)
        for problem in dead_citations(path.read_text("utf-8"), path)
    ]
    assert dead == []


@pytest.mark.parametrize(
    "made_up",
    [
        "# docs/reference/face-api.md 99.1",
        "# docs/reference/face-api.md 6.1, 6.9",
        "# docs/reference/face-api.md 4.1 to 4.99",
        "# docs/reference/face-api.md",
        "# docs/reference/no-such.md 1",
        "# docs/no-such.md",
        "# face API reference 7.3",
        "# the gate hardware\n# reference 1.9",
        "# models reference, section 6",
        "# by the symptoms of reference 2.2",
        "# reference, section 4",
        "# design section 3",
    ],
)
def test_a_citation_that_leads_nowhere_is_found(made_up):
    assert len(list(dead_citations(made_up, ROOT / "edged" / "made_up.py"))) == 1


@pytest.mark.parametrize(
    "good", ["# docs/reference/face-api.md 6.1, 6.2", "# docs/gate.md", "# a photograph for reference"]
)
def test_a_citation_that_leads_somewhere_is_not(good):
    assert list(dead_citations(good, ROOT / "edged" / "made_up.py")) == []


def test_a_document_of_the_reference_may_cite_its_neighbour_by_name():
    assert list(dead_citations("face-api.md 5.1", REFERENCE / "made-up.md")) == []
    assert len(list(dead_citations("face-api.md 5.99", REFERENCE / "made-up.md"))) == 1


@pytest.mark.parametrize("document", sorted(REFERENCE.glob("*.md")), ids=lambda path: path.name)
def test_a_section_number_is_an_address(document):
    assert [number for number, times in sections(document).items() if times > 1] == []


def test_every_document_of_the_reference_is_named_in_its_readme():
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (REFERENCE / "README.md").read_text("utf-8"))
    assert {*listed, "README.md"} == {path.name for path in REFERENCE.glob("*.md")}
