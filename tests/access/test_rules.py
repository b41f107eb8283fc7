"""Every doubt denies with its own reason; only a request that passes every rule is granted."""

import pkgutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.access import DoorPolicy, PersonRecord, Request, Snapshot, decide, rules
from edged.access.decide import ORDER
from edged.events import Liveness, Outcome
from edged.reasons import known_codes

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
REQUEST = Request(door_id="door1", person_id="ann", score=95.0, margin=40.0, agreeing_shots=2, age_s=0.1)
PERSON = PersonRecord(person_id="ann", name="Ann", groups=frozenset({"staff"}))
POLICY = DoorPolicy(
    allowed_groups=frozenset({"staff"}),
    threshold=90.0,
    margin=5.0,
    agreeing_shots=2,
    cool_down_s=5.0,
    max_age_s=1.0,
)
SNAPSHOT = Snapshot(policy=POLICY, person=PERSON, since_last_grant_s=None, gate_ready=True)


def test_a_clear_request_is_granted():
    decision = decide(REQUEST, SNAPSHOT, NOW)
    assert decision.outcome is Outcome.GRANTED
    assert decision.reasons == ("granted",)
    assert all(rule.passed for rule in decision.rules)


@pytest.mark.parametrize(
    ("request_change", "code"),
    [
        ({"score": 89.9}, "not_recognised"),
        ({"margin": 4.9}, "ambiguous_match"),
        ({"agreeing_shots": 1}, "not_confirmed"),
        ({"age_s": 1.01}, "too_old"),
        ({"age_s": -0.5}, "too_old"),
    ],
)
def test_what_recognition_says_must_be_clear_and_fresh(request_change, code):
    decision = decide(replace(REQUEST, **request_change), SNAPSHOT, NOW)
    assert (decision.outcome, decision.reasons) == (Outcome.DENIED, (code,))


@pytest.mark.parametrize(
    ("person_change", "code"),
    [
        ({"active": False}, "person_inactive"),
        ({"valid_from": NOW + timedelta(seconds=1)}, "not_yet_valid"),
        ({"valid_until": NOW}, "validity_over"),
        ({"groups": frozenset({"visitors"})}, "group_not_allowed"),
        ({"groups": frozenset()}, "group_not_allowed"),
    ],
)
def test_the_person_must_be_allowed(person_change, code):
    snapshot = replace(SNAPSHOT, person=replace(PERSON, **person_change))
    decision = decide(REQUEST, snapshot, NOW)
    assert (decision.outcome, decision.reasons) == (Outcome.DENIED, (code,))


@pytest.mark.parametrize(
    ("snapshot_change", "code"),
    [
        ({"since_last_grant_s": 4.9}, "cool_down"),
        ({"gate_ready": False}, "gate_offline"),
        ({"locked_down": True}, "door_locked_down"),
        ({"person": None}, "person_unknown"),
    ],
)
def test_circumstances_must_allow_it(snapshot_change, code):
    decision = decide(REQUEST, replace(SNAPSHOT, **snapshot_change), NOW)
    assert (decision.outcome, decision.reasons) == (Outcome.DENIED, (code,))


def test_after_the_cool_down_the_same_person_is_let_in_again():
    assert decide(REQUEST, replace(SNAPSHOT, since_last_grant_s=5.0), NOW).outcome is Outcome.GRANTED


def test_a_star_lets_in_people_of_no_group():
    policy = replace(POLICY, allowed_groups=frozenset({"*"}))
    person = replace(PERSON, groups=frozenset())
    assert decide(REQUEST, replace(SNAPSHOT, policy=policy, person=person), NOW).outcome is Outcome.GRANTED


def test_nobody_in_the_library_is_a_reason_of_its_own():
    request = replace(REQUEST, person_id=None, score=0.0, library_empty=True)
    decision = decide(request, replace(SNAPSHOT, person=None), NOW)
    assert decision.reasons[0] == "library_empty"


def test_a_stranger_to_an_engine_that_names_nobody_is_not_recognised():
    request = replace(REQUEST, person_id=None, score=0.0, margin=0.0, agreeing_shots=0)
    decision = decide(request, replace(SNAPSHOT, person=None), NOW)
    assert decision.reasons == ("not_recognised",)


def test_all_failed_rules_are_named_the_deciding_one_first():
    decision = decide(replace(REQUEST, score=20.0, age_s=3.0), replace(SNAPSHOT, gate_ready=False), NOW)
    assert decision.reasons == ("not_recognised", "too_old", "gate_offline")


def test_what_the_nearest_person_may_do_is_not_asked_of_a_stranger():
    snapshot = replace(SNAPSHOT, person=replace(PERSON, active=False), since_last_grant_s=1.0)
    assert decide(replace(REQUEST, score=20.0), snapshot, NOW).reasons == ("not_recognised",)


def test_every_rule_says_what_was_seen_and_what_was_needed():
    details = {rule.code: rule.detail for rule in decide(REQUEST, SNAPSHOT, NOW).rules}
    assert details["not_recognised"] == "best score 95.0, needed 90"
    assert details["group_not_allowed"] == "in staff; let in here: staff"


LIVE = Liveness(score=0.9, passed=True, decided=True, frames=8)
SPOOF = Liveness(score=0.1, passed=False, decided=True, frames=8, suspicion=("spoof_device_border",))


@pytest.mark.parametrize(
    ("mode", "liveness", "reasons"),
    [
        ("required", LIVE, ("granted",)),
        ("required", SPOOF, ("spoof_suspected",)),
        ("required", replace(SPOOF, decided=False, frames=2), ("not_live",)),
        ("required", None, ("not_live",)),
        ("advisory", SPOOF, ("granted",)),
        ("advisory", None, ("granted",)),
        ("off", SPOOF, ("granted",)),
    ],
)
def test_suspicion_denies_only_where_liveness_is_required(mode, liveness, reasons):
    snapshot = replace(SNAPSHOT, policy=replace(POLICY, liveness=mode))
    assert decide(replace(REQUEST, liveness=liveness), snapshot, NOW).reasons == reasons


def test_an_advisory_suspicion_is_on_record():
    snapshot = replace(SNAPSHOT, policy=replace(POLICY, liveness="advisory"))
    details = {
        rule.code: rule.detail for rule in decide(replace(REQUEST, liveness=SPOOF), snapshot, NOW).rules
    }
    assert "spoof_device_border" in details["spoof_suspected"]


# --- the table of rules -------------------------------------------------------------------------------------


def test_every_rule_file_stands_in_the_order_once():
    files = [pkgutil.resolve_name(f"{rules.__name__}.{m.name}") for m in pkgutil.iter_modules(rules.__path__)]
    assert sorted(map(id, ORDER)) == sorted(id(file.RULE) for file in files)


def test_every_code_belongs_to_one_rule_and_has_words():
    codes = [code for rule in ORDER for code in rule.codes]
    assert len(codes) == len(set(codes))
    assert set(codes) <= set(known_codes())


requests = st.builds(
    Request,
    door_id=st.just("door1"),
    person_id=st.none() | st.just("ann"),
    score=st.floats(0, 100),
    margin=st.floats(0, 100),
    agreeing_shots=st.integers(0, 5),
    age_s=st.floats(-2, 5),
    library_empty=st.booleans(),
    liveness=st.sampled_from([None, LIVE, SPOOF, replace(SPOOF, decided=False)]),
)
snapshots = st.builds(
    Snapshot,
    policy=st.sampled_from([replace(POLICY, liveness=mode) for mode in ("off", "advisory", "required")]),
    person=st.none() | st.builds(replace, st.just(PERSON), active=st.booleans()),
    since_last_grant_s=st.none() | st.floats(0, 20),
    gate_ready=st.booleans(),
    locked_down=st.booleans(),
)


@given(requests, snapshots)
def test_granted_means_that_every_single_condition_holds(request, snapshot):
    decision = decide(request, snapshot, NOW)
    everything = (
        not request.library_empty
        and request.person_id is not None
        and request.score >= POLICY.threshold
        and request.margin >= POLICY.margin
        and request.agreeing_shots >= POLICY.agreeing_shots
        and 0 <= request.age_s <= POLICY.max_age_s
        and (snapshot.policy.liveness != "required" or request.liveness is LIVE)
        and snapshot.person is not None
        and snapshot.person.active
        and snapshot.gate_ready
        and not snapshot.locked_down
        and (snapshot.since_last_grant_s is None or snapshot.since_last_grant_s >= POLICY.cool_down_s)
    )
    assert (decision.outcome is Outcome.GRANTED) == everything
    assert decision == decide(request, snapshot, NOW)


@given(requests, snapshots)
def test_a_rule_gives_only_the_codes_it_names(request, snapshot):
    for rule in ORDER:
        assert {check.code for check in rule.check(request, snapshot, NOW)} <= set(rule.codes)
