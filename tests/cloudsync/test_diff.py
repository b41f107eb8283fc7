"""How people and cloud differ, over real sockets, and the repair."""

from __future__ import annotations


def test_nothing_differs_after_synchronising(box, cloud):
    box.enrol("anna", 1, 2)
    box.settle()
    [diff] = box.diff.compare()
    assert diff.is_same
    assert (diff.group, diff.exists, diff.same) == ("default", True, 1)


def test_every_kind_of_difference_is_told_and_repaired(box, cloud):
    for number, person_id in enumerate(("same", "lost", "less", "more", "gone")):
        box.enrol(person_id, 10 * number, 10 * number + 1)
    box.settle()
    stay = dict(cloud.users["default", "same"])
    del cloud.users["default", "lost"]
    cloud.users["default", "less"].popitem()
    cloud.users["default", "more"]["unknown"] = b""
    cloud.users["default", "stranger"] = {"x": b""}
    box.change("gone", active=False)
    [diff] = box.diff.compare()
    assert diff.same == 1
    assert diff.missing == ("lost",)
    assert diff.unwanted == ("gone",)
    assert diff.extra == ("stranger",)
    assert [(d.person_id, d.missing, d.surplus) for d in diff.different] == [("less", 1, 0), ("more", 0, 1)]

    box.diff.repair([diff])
    box.settle()
    [left] = box.diff.compare()
    assert (left.same, left.extra) == (4, ("stranger",))
    assert left.missing == left.unwanted == left.different == ()
    assert cloud.users["default", "same"] == stay

    box.diff.repair([left], delete_extra=True)
    assert box.diff.compare()[0].is_same


def test_a_group_the_cloud_does_not_have_is_a_difference(box):
    box.enrol("anna", 1)
    [diff] = box.diff.compare()
    assert (diff.exists, diff.missing) == (False, ("anna",))


def test_somebody_without_consent_is_never_missing(box, cloud):
    cloud.groups["default"] = "general"
    box.enrol("anna", 1, consent=False)
    assert box.diff.compare()[0].is_same


def test_what_another_box_has_sent_is_not_deleted_unless_asked_for(make_box, cloud):
    here, elsewhere = make_box(), make_box()
    elsewhere.enrol("anna", 1)
    elsewhere.settle()
    here.enrol("anna", 1, consent=False)
    [diff] = here.diff.compare()
    assert (diff.unwanted, diff.extra) == ((), ("anna",))
    here.diff.repair([diff])
    here.settle()
    assert cloud.faces("default", "anna")


def test_large_groups_are_read_page_by_page(box, cloud):
    cloud.groups["default"] = "general"
    for number in range(1500):
        cloud.users["default", f"u{number}"] = {str(number): b""}
    assert len(box.diff.compare()[0].extra) == 1500
