"""The site: parts provide things once, nobody reads what is not there, and names come once."""

from __future__ import annotations

import pytest

from edged.app.site import NotProvided, Site
from edged.clock import ManualClock
from edged.config import Config


@pytest.fixture
def site() -> Site:
    return Site(Config(), ManualClock())


def test_reading_what_no_part_has_provided_names_it(site):
    with pytest.raises(NotProvided, match="the journal yet"):
        _ = site.journal


def test_the_parts_below_read_what_a_part_has_provided_also_when_that_is_nothing(site):
    site.delivery = None
    assert site.delivery is None


def test_two_sites_share_nothing(site):
    site.delivery = None
    with pytest.raises(NotProvided):
        _ = Site(Config(), ManualClock()).delivery


def test_what_a_part_has_provided_no_other_part_replaces(site):
    site.delivery = None
    with pytest.raises(NotProvided, match="already"):
        site.delivery = None


def answer(peer: object, arguments: object) -> dict[str, object]:
    return {}


def test_jobs_and_commands_of_all_parts_come_together(site):
    site.offer([{"id": "backup"}], {"door.open": answer})
    site.offer([{"id": "keep-alive"}], {"delivery.pause": answer})
    assert [job["id"] for job in site.jobs] == ["backup", "keep-alive"]
    assert list(site.commands) == ["door.open", "delivery.pause"]


def test_a_command_that_two_parts_bring_is_refused_by_name(site):
    site.offer([], {"door.open": answer})
    with pytest.raises(ValueError, match=r"command door\.open"):
        site.offer([], {"door.open": answer})


def test_a_job_that_two_parts_bring_is_refused_by_name(site):
    site.offer([{"id": "backup"}], {})
    with pytest.raises(ValueError, match="job backup"):
        site.offer([{"id": "backup"}], {})
