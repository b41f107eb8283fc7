"""The targets `http`, `webhook` and `frappe` against a real server: what counts as taken, what does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from delivery_rig import DEVICE, ZONE, Rig, punch
from werkzeug import Response

from edged.delivery.signature import verify
from edged.delivery.target_secrets import TargetSecrets
from edged.delivery.targets import Surroundings, build_target
from edged.errors import Misconfigured
from edged.events import PunchCorrected

SECRETS = {
    "EDGED_DELIVERY_OFFICE_SECRET": "s3cret",
    "EDGED_DELIVERY_OFFICE_TOKEN": "t0ken",
    "EDGED_DELIVERY_OFFICE_API_KEY": "key",
    "EDGED_DELIVERY_OFFICE_API_SECRET": "sec",
}
FRAPPE = "/api/method/hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"


@pytest.fixture
def make(tmp_path, httpserver):
    rigs = []

    def made(kind, environ=SECRETS, path="/records", **given):
        url = httpserver.url_for("" if kind == "frappe" else path)
        rig = Rig(tmp_path, None, kind=kind, url=url, timeout_s=30.0, **given)
        box = Surroundings(DEVICE, "Head office", ZONE, rig.clock)
        secrets = TargetSecrets("office", None, environ)
        rig.build = lambda: build_target(rig.settings, secrets, box)
        rigs.append(rig)
        return rig

    yield made
    for rig in rigs:
        rig.close()


def acknowledge(request):
    said = request.get_json()
    if "records" in said:
        return Response(json.dumps({"recordIds": [r["recordId"] for r in said["records"]]}))
    return Response(json.dumps({"recordId": said["recordId"], "errorCode": 0, "errorMsg": "ok"}))


def bodies(httpserver):
    return [request.get_json() for request, _ in httpserver.log]


# --- http ---------------------------------------------------------------------------------------------------


def test_a_record_is_posted_with_its_key_and_taken_when_its_id_comes_back(make, httpserver):
    httpserver.expect_request("/records", method="POST").respond_with_handler(acknowledge)
    rig = make("http")
    rig.decide(1, 2)
    rig.run()
    assert rig.place.delivered == 2
    first, _ = httpserver.log[0]
    assert first.headers["Idempotency-Key"] == first.get_json()["recordId"] == "box7-1"
    assert first.headers["Authorization"] == "Bearer t0ken"
    assert first.headers["Content-Type"] == "application/json"
    assert first.get_json()["result"] == "pass"


def test_several_records_go_in_one_request_where_the_target_says_so(make, httpserver):
    httpserver.expect_request("/records").respond_with_handler(acknowledge)
    rig = make("http", batch=10)
    rig.decide(*range(1, 13))
    rig.run()
    assert [len(body["records"]) for body in bodies(httpserver)] == [10, 2]
    assert rig.place.delivered == 12


def test_a_receiver_may_refuse_single_records_of_a_request(make, httpserver):
    httpserver.expect_request("/records").respond_with_json(
        {"recordIds": ["box7-1", "box7-3"], "refused": {"box7-2": "no such door"}}
    )
    rig = make("http", batch=3)
    rig.decide(1, 2, 3)
    rig.run()
    assert rig.place.delivered == 2
    assert [letter.reason for letter in rig.outbox.dead_letters()] == ["no such door"]


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"<html>Welcome</html>", b"[]", b"null", b"{}", b'{"recordId": "box7-9"}', b'{"recordId": 1}',
        b'{"recordId": "box7-1", "errorCode": 5, "errorMsg": "disk"}',
        b'{"recordId": "box7-1", "errorCode": true}',
        b'{"recordId": "box7-1"', b"\xff\xfe\x00", b"[" * 5000, b'{"recordIds": ["box7-1"]}',
    ],
)  # fmt: skip
def test_200_with_anything_but_the_id_is_no_acknowledgement(make, httpserver, answer):
    httpserver.expect_oneshot_request("/records").respond_with_data(answer)
    rig = make("http")
    rig.decide(1)
    rig.pump.step()
    assert (rig.place.delivered, rig.place.dead) == (0, 0)
    assert rig.reporter.state.code == "delivery_no_acknowledgement"
    httpserver.expect_request("/records").respond_with_handler(acknowledge)
    rig.run()
    assert rig.place.delivered == 1


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (301, "delivery_redirected", "needs_operator"),
        (302, "delivery_redirected", "needs_operator"),
        (308, "delivery_redirected", "needs_operator"),
        (401, "delivery_login", "needs_operator"),
        (403, "delivery_login", "needs_operator"),
        (404, "delivery_address", "needs_operator"),
        (405, "delivery_address", "needs_operator"),
        (408, "delivery_busy", "waiting"),
        (429, "delivery_busy", "waiting"),
        (500, "delivery_receiver_error", "waiting"),
        (502, "delivery_receiver_error", "waiting"),
        (503, "delivery_busy", "waiting"),
    ],
)
def test_what_is_wrong_with_the_receiver_puts_no_record_aside(make, httpserver, status, code, state):
    elsewhere = {"Location": httpserver.url_for("/elsewhere")}
    httpserver.expect_request("/records").respond_with_data("x", status=status, headers=elsewhere)
    httpserver.expect_request("/elsewhere").respond_with_handler(acknowledge)
    rig = make("http")
    rig.decide(1)
    rig.pump.step()
    assert (rig.reporter.state.code, rig.reporter.state.state) == (code, state)
    assert (rig.place.delivered, rig.place.dead) == (0, 0)
    assert all(request.path == "/records" for request, _ in httpserver.log)


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_record_the_receiver_does_not_want_becomes_a_dead_letter(make, httpserver, status):
    httpserver.expect_oneshot_request("/records").respond_with_data("bad record", status=status)
    httpserver.expect_request("/records").respond_with_handler(acknowledge)
    rig = make("http")
    rig.decide(1, 2)
    rig.run()
    assert (rig.place.delivered, rig.place.dead) == (1, 1)
    assert "bad record" in rig.outbox.dead_letters()[0].reason


@pytest.mark.parametrize("said", ["90", "Thu, 01 Jan 2026 08:01:30 GMT"])
def test_the_pause_of_retry_after_is_kept(make, httpserver, said):
    httpserver.expect_request("/records").respond_with_data("", status=429, headers={"Retry-After": said})
    rig = make("http")
    rig.decide(1)
    assert rig.pump.step().wait_s == pytest.approx(90, abs=1)


@pytest.mark.parametrize("said", ["soon", "-5", "99999999999999999999", "Thu, 99 Jan"])
def test_a_pause_without_sense_is_not(make, httpserver, said):
    httpserver.expect_request("/records").respond_with_data("", status=503, headers={"Retry-After": said})
    rig = make("http")
    rig.decide(1)
    assert rig.pump.step().wait_s <= 3600


def test_an_endless_answer_is_broken_off(make, httpserver):
    httpserver.expect_request("/records").respond_with_data(b"x" * 600_000)
    rig = make("http")
    rig.decide(1)
    rig.pump.step()
    assert rig.reporter.state.code == "delivery_broken_answer"


def test_cookies_are_not_kept_and_proxies_of_the_environment_are_not_used(make, httpserver, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    httpserver.expect_request("/records").respond_with_handler(
        lambda request: Response(acknowledge(request).data, headers={"Set-Cookie": "a=b"})
    )
    rig = make("http")
    rig.decide(1, 2)
    rig.run()
    assert "Cookie" not in httpserver.log[-1][0].headers


# --- webhook ------------------------------------------------------------------------------------------------


def test_a_webhook_is_signed_over_its_body_at_the_time_it_is_sent(make, httpserver):
    httpserver.expect_request("/records").respond_with_data("thanks")
    rig = make("webhook")
    rig.decide(1)
    rig.clock.advance(1000)
    rig.run()
    ((request, _),) = httpserver.log
    headers = dict(request.headers)
    now_s = rig.clock.now().timestamp()
    assert verify("s3cret", headers, request.get_data(), now_s)
    assert not verify("other", headers, request.get_data(), now_s)
    assert not verify("s3cret", headers, request.get_data(), now_s + 301)
    assert rig.place.delivered == 1


def test_a_repeated_webhook_is_signed_anew_under_the_same_key(make, httpserver):
    httpserver.expect_oneshot_request("/records").respond_with_data("", status=500)
    httpserver.expect_request("/records").respond_with_data("", status=204)
    rig = make("webhook", retry_s=100.0)
    rig.decide(1)
    rig.run()
    first, second = (request for request, _ in httpserver.log)
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "box7-1"
    assert first.headers["X-Edged-Timestamp"] != second.headers["X-Edged-Timestamp"]


def test_a_webhook_without_a_secret_is_not_sent(make, httpserver):
    rig = make("webhook", environ={})
    rig.decide(1)
    rig.pump.step()
    assert (rig.reporter.state.state, rig.reporter.state.code) == (
        "needs_operator",
        "delivery_secret_missing",
    )
    assert httpserver.log == []
    with pytest.raises(Misconfigured):
        rig.build()


# --- Frappe -------------------------------------------------------------------------------------------------


class Checkins:
    """Answers as `add_log_based_on_employee_field` of Frappe HR 15 does, with its log of check-ins."""

    def __init__(self, language="en"):
        self.logs: list[dict] = []
        self.language = language

    def __call__(self, request):
        if request.headers.get("Authorization") != "token key:sec":
            return Response(json.dumps({"exc_type": "AuthenticationError"}), status=401)
        asked = request.get_json()
        if asked["employee_field_value"] != "mara":
            return self._refuse(
                "No Employee found for the given employee field value. "
                f"'{asked['employee_fieldname']}': {asked['employee_field_value']}"
            )
        same = ("employee_field_value", "timestamp", "log_type")
        if any(all(log[key] == asked[key] for key in same) for log in self.logs):
            said = {
                "en": "This employee already has a log with the same timestamp.",
                "de": "Für diesen Mitarbeiter gibt es bereits ein Protokoll mit demselben Zeitstempel.",
            }[self.language]
            link = '<a href="/app/employee-checkin/EMP-CKIN-11-2026-000001">Employee Checkin EMP-…</a>'
            return self._refuse(f"{said}<Br>{link}")
        self.logs.append(asked)
        return Response(
            json.dumps({"message": {"name": f"EMP-CKIN-{len(self.logs)}", "employee": "HR-EMP-1"}})
        )

    def _refuse(self, text):
        messages = json.dumps([json.dumps({"message": text, "title": "Message", "indicator": "red"})])
        answer = {
            "exception": f"frappe.exceptions.ValidationError: {text}",
            "exc_type": "ValidationError",
            "_server_messages": messages,
        }
        return Response(json.dumps(answer), status=417)


@pytest.fixture
def hr(make, httpserver):
    checkins = Checkins()
    httpserver.expect_request(FRAPPE, method="POST").respond_with_handler(checkins)
    rig = make("frappe", events=["punches"])
    rig.checkins = checkins
    return rig


def test_a_punch_becomes_a_check_in_of_the_sites_zone(hr):
    hr.write(punch(hr.clock, 1, at=datetime(2026, 7, 1, 6, 30, 15, 250_000, tzinfo=UTC), direction="out"))
    hr.run()
    assert hr.checkins.logs == [
        {
            "employee_field_value": "mara",
            "employee_fieldname": "attendance_device_id",
            "timestamp": "2026-07-01 08:30:15",
            "device_id": "Head office",
            "log_type": "OUT",
        }
    ]
    assert hr.place.delivered == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_check_in_that_is_there_already_is_a_success(hr, language):
    hr.checkins.language = language
    hr.write(punch(hr.clock, 1), punch(hr.clock, 1))
    hr.run()
    assert len(hr.checkins.logs) == 1
    assert (hr.place.delivered, hr.place.dead) == (2, 0)


def test_an_unknown_employee_is_a_dead_letter_that_passes_when_hr_has_added_them(hr):
    hr.write(punch(hr.clock, 1, person_id="new", person_name="New One"), punch(hr.clock, 2))
    hr.run()
    (letter,) = hr.outbox.dead_letters()
    assert "No Employee found" in letter.reason
    assert "new" not in letter.reason
    assert len(hr.checkins.logs) == 1


def test_a_repeat_that_does_not_count_is_not_sent(hr):
    hr.write(punch(hr.clock, 1, repeated=True))
    hr.run()
    assert hr.checkins.logs == []
    assert hr.place.seq == 1


def corrected(rig, action):
    at = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
    return PunchCorrected(
        at=rig.clock.now(), punch_id=7, corrects=None if action == "add" else 1, action=action,
        person_id="mara", punch_at=at, direction="in", reason="forgot", author="hr",
    )  # fmt: skip


def test_a_punch_added_by_hand_is_sent_with_the_time_that_was_given(hr):
    hr.write(corrected(hr, "add"))
    hr.run()
    assert [log["timestamp"] for log in hr.checkins.logs] == ["2026-07-01 08:00:00"]


@pytest.mark.parametrize("action", ["void", "change"])
def test_a_correction_that_frappe_cannot_take_becomes_a_dead_letter(hr, action):
    hr.write(corrected(hr, action))
    hr.run()
    (letter,) = hr.outbox.dead_letters()
    assert "correct it there" in letter.reason
    assert hr.checkins.logs == []


def test_a_wrong_key_is_nobodys_record_and_needs_an_operator(make, httpserver):
    httpserver.expect_request(FRAPPE).respond_with_handler(Checkins())
    rig = make("frappe", environ={**SECRETS, "EDGED_DELIVERY_OFFICE_API_SECRET": "old"}, events=["punches"])
    rig.write(punch(rig.clock, 1))
    rig.pump.step()
    assert (rig.reporter.state.code, rig.place.dead) == ("delivery_login", 0)
    assert "old" not in rig.reporter.state.message


@pytest.mark.parametrize(
    "answer", [b"<html>login</html>", b'{"message": "Logged In"}', b"{}", b'{"message": {}}']
)
def test_a_page_of_the_web_site_is_no_check_in(make, httpserver, answer):
    httpserver.expect_request(FRAPPE).respond_with_data(answer)
    rig = make("frappe", events=["punches"])
    rig.write(punch(rig.clock, 1))
    rig.pump.step()
    assert (rig.reporter.state.code, rig.place.delivered) == ("delivery_no_acknowledgement", 0)


def test_other_records_are_not_for_frappe(hr):
    hr.decide(1)
    hr.write(punch(hr.clock, 1))
    hr.run()
    assert len(hr.checkins.logs) == 1
