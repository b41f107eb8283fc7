"""The suite stays fast: a case that is too long fails unless it says that it is slow."""

import pytest

WORK = """
import time, pytest
{marker}
def test_busy():
    began_s = time.thread_time()
    while time.thread_time() - began_s < 0.3:
        pass
"""


@pytest.fixture
def run(pytester):
    pytester.makeini(
        "[pytest]\nlongest_case_s = 0.005\njudged_to_load = 1e6\nmarkers =\n    slow: takes long"
    )
    return lambda: pytester.runpytest("-p", "case_length", "-p", "no:cacheprovider")


def test_a_case_that_is_too_long_fails_and_says_how_long_it_took(run, pytester):
    pytester.makepyfile(WORK.format(marker=""))
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_busy takes *.* s; at most 0.005 s*slow*"])


def test_a_case_that_says_it_is_slow_may_take_longer(run, pytester):
    pytester.makepyfile(WORK.format(marker="@pytest.mark.slow"))
    run().assert_outcomes(passed=1)


def test_a_short_case_passes(run, pytester):
    pytester.makepyfile("def test_nothing(): pass")
    run().assert_outcomes(passed=1)


def test_on_a_busy_machine_no_case_is_judged(pytester):
    pytester.makeini("[pytest]\nlongest_case_s = 0.005\njudged_to_load = -1")
    pytester.makepyfile(WORK.format(marker=""))
    pytester.runpytest("-p", "case_length", "-p", "no:cacheprovider").assert_outcomes(passed=1)
