"""Bringing a target up to date: order, places, failures, records that nobody will take."""

from __future__ import annotations

import pytest
from delivery_rig import DEVICE, ListTarget, punch, track

from edged.delivery.pump import MOST_REFUSED_IN_A_ROW
from edged.delivery.target import CONFLICT, DeliveryFailed, Receipt, Refused
from edged.errors import NeedsOperator, RetryLater
from edged.events import DeliveryDegraded, DeliveryRecovered, RecordPutAside


def ids(*numbers):
    return [f"{DEVICE}-{number}" for number in numbers]


def fails_on(*bad, error=None):
    """A behaviour: calls that hold one of `bad` fail over the record."""

    def behave(messages):
        if any(message.id in bad for message in messages):
            raise error or DeliveryFailed("error 500", code="delivery_receiver_error", about_record=True)

    return behave


def test_records_arrive_in_order_and_once(make):
    rig = make()
    rig.decide(1, 2, 3)
    rig.run()
    rig.decide(4)
    rig.run()
    assert rig.target.ids == ids(1, 2, 3, 4)


def test_nothing_is_sent_twice_after_a_restart(make):
    rig = make()
    rig.decide(1, 2)
    rig.run()
    rig.pump.close()
    rig.pump = rig.new_pump()
    rig.decide(3)
    rig.run()
    assert rig.target.ids == ids(1, 2, 3)


def test_only_the_wanted_kinds_are_sent_and_the_place_moves_past_the_others(make):
    rig = make(events=["punches"])
    rig.decide(1)
    rig.write(track(rig.clock, 1), punch(rig.clock, 1), track(rig.clock, 2))
    rig.run()
    assert rig.target.ids == ids(3)
    assert rig.place.seq == 4


def test_a_target_that_takes_several_gets_several_at_once(make):
    rig = make(ListTarget(batch=3))
    rig.decide(*range(1, 8))
    rig.run()
    assert rig.target.calls == [ids(1, 2, 3), ids(4, 5, 6), ids(7)]


def test_pauses_double_up_to_the_longest_and_jitter_shortens_them_by_half_at_most(make):
    rig = make(ListTarget(behave=fails_on(*ids(1), error=DeliveryFailed("away", code="x"))), retry_max_s=8.0)
    rig.decide(1)
    pauses = [rig.pump.step().wait_s for _ in range(7)]
    for pause, longest in zip(pauses, [1, 2, 4, 8, 8, 8, 8], strict=True):
        assert longest / 2 <= pause <= longest
    assert len(set(pauses)) == len(pauses)


def test_a_pause_the_receiver_asks_for_is_kept(make):
    error = DeliveryFailed("busy", code="delivery_busy", retry_after_s=120.0)
    rig = make(ListTarget(behave=fails_on(*ids(1), error=error)))
    rig.decide(1)
    assert rig.pump.step().wait_s == 120.0


def test_a_conflict_over_a_record_whose_answer_was_lost_means_that_it_had_arrived(make):
    answers = [DeliveryFailed("lost", code="delivery_timeout"), *[Refused("409", code=CONFLICT)] * 4]

    def behave(_):
        if answers:
            raise answers.pop(0)

    rig = make(ListTarget(batch=3, behave=behave))
    rig.decide(1, 2, 3, 4)
    rig.run()
    assert (rig.place.delivered, rig.place.dead) == (4, 0)


def test_a_conflict_over_a_record_that_was_never_sent_before_is_a_refusal(make):
    rig = make(ListTarget(behave=fails_on(*ids(2), error=Refused("409", code=CONFLICT))))
    rig.decide(1, 2, 3)
    rig.run()
    assert (rig.place.delivered, rig.place.dead) == (2, 1)


def test_a_receiver_that_asks_for_no_pause_at_all_is_not_hammered(make):
    error = DeliveryFailed("busy", code="delivery_busy", retry_after_s=0.0)
    rig = make(ListTarget(behave=fails_on(*ids(1), error=error)))
    rig.decide(1)
    pauses = [rig.pump.step().wait_s for _ in range(4)]
    assert all(pause >= shortest for pause, shortest in zip(pauses, [0.5, 1, 2, 4], strict=True))


def test_a_target_that_is_away_loses_nothing_and_gets_no_dead_letter(make):
    rig = make(
        ListTarget(behave=fails_on(*ids(1), error=DeliveryFailed("refused", code="x"))), max_attempts=2
    )
    rig.decide(1, 2, 3)
    for _ in range(20):
        rig.clock.advance(rig.pump.step().wait_s)
    assert rig.place.dead == 0
    rig.target.behave = None
    rig.run()
    assert rig.target.ids == ids(1, 2, 3)


def test_a_refused_record_becomes_a_dead_letter_and_the_queue_moves_on(make):
    rig = make(
        ListTarget(behave=fails_on(*ids(2), error=Refused("error 422 for mara", code="delivery_refused")))
    )
    rig.decide(1, 2, 3)
    rig.run()
    assert rig.target.ids == ids(1, 3)
    (letter,) = rig.outbox.dead_letters("office")
    assert (letter.seq, letter.event, letter.code) == (2, "access_decided", "delivery_refused")
    assert [told.seq for told in rig.told_of(RecordPutAside)] == [2]


def test_what_is_kept_about_a_refusal_names_no_person(make):
    error = Refused("No Employee 'mara' (Mara Lind) found", code="delivery_refused")
    rig = make(ListTarget(behave=fails_on(*ids(1), error=error)))
    rig.decide(1)
    rig.run()
    assert rig.outbox.dead_letters()[0].reason == "No Employee '***' (***) found"


def test_the_one_refused_record_of_a_batch_is_found_and_the_others_pass(make):
    refuses = fails_on(*ids(4), error=Refused("error 400", code="delivery_refused"))
    rig = make(ListTarget(batch=5, behave=refuses))
    rig.decide(*range(1, 13))
    rig.run()
    assert rig.target.ids == ids(1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12)
    assert rig.target.calls[-1] == ids(11, 12)
    assert [letter.seq for letter in rig.outbox.dead_letters()] == [4]


def test_records_left_out_of_an_acknowledgement_are_sent_again(make):
    target = ListTarget(batch=4)
    rig = make(target)
    rig.decide(1, 2, 3, 4)
    target.behave = lambda messages: Receipt(frozenset(ids(1, 2))) if len(messages) == 4 else None
    rig.run()
    assert target.ids == ids(1, 2, 3, 4)


def test_a_receipt_may_refuse_single_records(make):
    target = ListTarget(batch=3)
    target.behave = lambda _: Receipt(frozenset(ids(1, 3)), {ids(2)[0]: "bad"})
    rig = make(target)
    rig.decide(1, 2, 3)
    rig.run()
    assert target.ids == ids(1, 3)
    assert [letter.reason for letter in rig.outbox.dead_letters()] == ["bad"]


def test_a_record_the_receiver_fails_over_becomes_a_dead_letter_when_the_next_one_passes(make):
    rig = make(ListTarget(behave=fails_on(*ids(2))), max_attempts=3)
    rig.decide(1, 2, 3, 4)
    rig.run()
    assert rig.target.ids == ids(1, 3, 4)
    assert rig.target.calls.count(ids(2)) == 4
    (letter,) = rig.outbox.dead_letters()
    assert (letter.seq, letter.attempts, letter.code) == (2, 4, "delivery_receiver_error")


def test_a_receiver_that_comes_back_just_before_the_proof_gets_the_record_that_failed(make):
    calls = []

    def away_for_two_calls(messages):
        calls.append(messages)
        if len(calls) <= 2:
            raise DeliveryFailed("gone", code="delivery_receiver_error", about_record=True)

    rig = make(ListTarget(behave=away_for_two_calls), max_attempts=2)
    rig.decide(1, 2, 3)
    rig.run()
    assert rig.target.ids == ids(2, 1, 3)
    assert rig.place.dead == 0


def test_two_neighbours_the_receiver_fails_over_do_not_hold_up_the_rest(make):
    rig = make(ListTarget(behave=fails_on(*ids(2, 3))), max_attempts=2)
    rig.decide(1, 2, 3, 4, 5)
    rig.run()
    assert sorted(rig.target.ids) == ids(1, 4, 5)
    assert {letter.seq for letter in rig.outbox.dead_letters()} == {2, 3}


def test_a_receiver_that_fails_over_everything_gets_no_dead_letter(make):
    rig = make(ListTarget(behave=fails_on(*ids(1, 2, 3))), max_attempts=2)
    rig.decide(1, 2, 3)
    for _ in range(30):
        rig.clock.advance(rig.pump.step().wait_s)
    assert rig.place.dead == 0
    rig.target.behave = None
    rig.run()
    assert rig.target.ids == ids(1, 2, 3)


def test_a_lone_record_the_receiver_fails_over_waits_for_another_one_as_a_proof(make):
    rig = make(ListTarget(behave=fails_on(*ids(1))), max_attempts=2)
    rig.decide(1)
    for _ in range(5):
        rig.clock.advance(rig.pump.step().wait_s)
    assert rig.place.dead == 0
    rig.decide(2)
    rig.run()
    assert rig.target.ids == ids(2)
    assert [letter.seq for letter in rig.outbox.dead_letters()] == [1]


def test_a_receiver_that_refuses_everything_is_left_alone_until_somebody_resumes(make):
    most = MOST_REFUSED_IN_A_ROW
    refuses = fails_on(*ids(*range(1, 100)), error=Refused("error 400", code="delivery_refused"))
    rig = make(ListTarget(behave=refuses))
    rig.decide(*range(1, most + 6))
    for _ in range(most + 20):
        rig.clock.advance(rig.pump.step().wait_s)
    assert (rig.place.dead, rig.reporter.state.code) == (most, "delivery_all_refused")
    assert rig.reporter.state.state == "needs_operator"
    rig.pump.forget_failures()
    rig.run()
    assert rig.place.dead == most + 5


def test_a_person_that_must_act_is_asked_for_at_once_and_the_end_is_announced(make):
    expired = NeedsOperator("expired", code="delivery_certificate", hint="Renew it.")
    rig = make(ListTarget(behave=fails_on(*ids(1), error=expired)))
    rig.decide(1)
    rig.clock.advance(rig.pump.step().wait_s)
    assert (rig.reporter.state.state, rig.reporter.state.hint) == ("needs_operator", "Renew it.")
    (told,) = rig.told_of(DeliveryDegraded)
    assert (told.target, told.code, told.needs_operator) == ("office", "delivery_certificate", True)
    rig.target.behave = None
    rig.run()
    assert rig.reporter.state.state == "delivering"
    assert len(rig.told_of(DeliveryRecovered)) == 1


def test_a_network_that_blinks_is_not_worth_an_event(make):
    rig = make(ListTarget(behave=fails_on(*ids(1), error=RetryLater("busy", code="database_busy"))))
    rig.decide(1)
    rig.clock.advance(rig.pump.step().wait_s)
    rig.target.behave = None
    rig.run()
    assert rig.told_of(DeliveryDegraded) == []
    assert rig.target.ids == ids(1)


def test_the_target_is_made_anew_after_an_error_that_a_person_must_mend(make):
    rig = make(ListTarget(behave=fails_on(*ids(1), error=NeedsOperator("key", code="delivery_login"))))
    rig.decide(1)
    rig.pump.step()
    assert rig.target.closed == 1


def test_a_paused_target_gets_nothing_until_it_is_resumed_also_after_a_restart(make):
    rig = make()
    rig.decide(1)
    rig.outbox.pause("office", "anna")
    rig.run()
    rig.pump.close()
    rig.pump = rig.new_pump()
    rig.run()
    assert rig.target.ids == []
    assert rig.reporter.state.state == "paused"
    rig.outbox.resume("office")
    rig.run()
    assert rig.target.ids == ids(1)


def test_a_dead_letter_is_sent_again_when_somebody_asks_under_its_old_id(make):
    rig = make(ListTarget(behave=fails_on(*ids(1), error=Refused("no employee", code="delivery_refused"))))
    rig.decide(1, 2)
    rig.run()
    rig.target.behave = None
    assert rig.outbox.retry("office") == 1
    rig.run()
    assert rig.target.ids == ids(2, 1)
    assert rig.outbox.dead_letters() == []


@pytest.mark.parametrize("error", [Refused("no", code="delivery_refused"), None])
def test_a_dead_letter_that_fails_again_stays_and_holds_nobody_up(make, error):
    rig = make(ListTarget(behave=fails_on(*ids(1), error=Refused("no", code="delivery_refused"))))
    rig.decide(1)
    rig.run()
    rig.target.behave = fails_on(*ids(1), error=error)
    rig.outbox.retry("office")
    rig.decide(2)
    rig.run()
    assert rig.target.ids == ids(2)
    assert [(letter.seq, letter.attempts, letter.retry) for letter in rig.outbox.dead_letters()] == [
        (1, 2, False)
    ]


def test_the_rate_is_kept(make):
    rig = make(max_rate=10.0)
    rig.decide(*range(1, 32))
    began_s = rig.clock.monotonic()
    rig.run()
    assert rig.clock.monotonic() - began_s == pytest.approx(3.0, abs=0.2)


def test_old_records_are_marked_historic_when_they_are_sent(make):
    rig = make()
    rig.decide(1)
    rig.clock.advance(3600)
    rig.decide(2)
    rig.run()
    assert [message.body["historic"] for message in rig.target.taken] == [True, False]


def test_a_picture_that_may_still_come_is_waited_for(make):
    pictures: dict[str, bytes] = {}
    rig = make(pictures=True, picture_of=lambda record: pictures.get(record.decision_id))
    rig.decide(1)
    assert rig.pump.step().idle
    assert rig.target.ids == []
    pictures["d_1"] = b"JPEG"
    rig.run()
    assert rig.target.taken[0].body["image"] == "SlBFRw=="
    rig.decide(2)  # of this one there will be none
    rig.clock.advance(3)
    rig.run()
    assert "image" not in rig.target.taken[1].body
