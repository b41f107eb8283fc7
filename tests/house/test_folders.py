"""Folders of tests mirror the packages they try."""

from __future__ import annotations

from places import PROJECT

TESTS = PROJECT / "tests"
OF_THE_WHOLE = {"crash", "docs", "house", "packaging", "support"}


def test_every_folder_of_tests_is_called_like_a_package_or_looks_at_the_whole():
    folders = {file.parent.relative_to(TESTS) for file in TESTS.rglob("*.py")}
    packages = {file.parent.relative_to(PROJECT / "edged") for file in (PROJECT / "edged").rglob("*.py")}
    assert {str(folder) for folder in folders - packages} == OF_THE_WHOLE
