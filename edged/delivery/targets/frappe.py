"""The target `frappe`: punches as Employee Checkins of Frappe HR (or ERPnext before version 14).

The call is `add_log_based_on_employee_field` of the Employee Checkin document: it finds the employee by a
field (`attendance_device_id` unless configured otherwise), keeps naive times of the site's zone in whole
seconds, and refuses a second log of one employee, time and direction: its answer to a repeated delivery.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from edged.clock import Clock
from edged.config.delivery_section import TargetConfig
from edged.delivery.http_client import WebAnswer, WebCaller, require_success
from edged.delivery.target import DeliveryFailed, Message, Receipt, Refused, shortened
from edged.delivery.target_secrets import TargetSecrets

_METHOD = "/api/method/{app}.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
_DUPLICATE = ("already has a log with the same timestamp", "employee-checkin/", "Employee Checkin/")
"""Marks of the refusal of a second log: its sentence (in English), or the link to the first log."""

_VALIDATION = 417
"""Status with which Frappe refuses a document that breaks its rules."""


class FrappeTarget:
    """One call for each punch.

    Args:
        site: the device_id of check-ins unless `frappe.device` is set.
        zone: zone of the site; the Frappe site must have the same, because Frappe keeps times without one.
    """

    batch = 1

    def __init__(
        self, settings: TargetConfig, secrets: TargetSecrets, clock: Clock, *, site: str, zone: tzinfo
    ) -> None:
        self._name = settings.name
        self._field = settings.frappe.employee_field
        self._device = settings.frappe.device or site
        self._zone = zone
        key, secret = secrets.need("api_key"), secrets.need("api_secret")
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": f"token {key.reveal()}:{secret.reveal()}",
            "Accept-Language": "en",
        }
        self._caller = WebCaller(
            settings.name,
            (settings.url or "").rstrip("/") + _METHOD.format(app=settings.frappe.app),
            clock,
            ca_file=settings.ca_file,
            timeout_s=settings.timeout_s,
        )

    def deliver(self, messages: Sequence[Message]) -> Receipt:
        """Add one check-in. Skips repeats, which do not count; raises Refused for a corrected punch, because
        Frappe has no call that changes or removes a check-in.
        """
        message = messages[0]
        done = Receipt(frozenset({message.id}))
        if message.body.get("repeated"):
            return done
        answer = self._caller.post(json.dumps(self._arguments(message.body)).encode(), self._headers)
        if answer.status == _VALIDATION:
            text = _reason(answer)
            if any(mark in text for mark in _DUPLICATE):
                return done
            raise Refused(f"{self._name}: {shortened(text)}", code="delivery_refused")
        require_success(answer, self._name)
        said = answer.json()
        added = said.get("message") if isinstance(said, dict) else None
        if not isinstance(added, dict) or not added.get("name"):
            raise DeliveryFailed(
                f"{self._name} answered {answer.status}, but with no check-in.",
                code="delivery_no_acknowledgement",
                hint="url must be that of the Frappe site alone, e.g. https://hr.example.",
                about_record=True,
            )
        return done

    def tend(self) -> None:
        """Nothing to do between records."""

    def close(self) -> None:
        """Close the kept connection."""
        self._caller.close()

    def _arguments(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("action") not in (None, "add"):
            raise Refused(
                f"{self._name} cannot take a corrected punch ({body['action']}): correct it there too.",
                code="delivery_not_possible",
            )
        at = datetime.fromisoformat(body.get("punchTime") or body["time"]).astimezone(self._zone)
        return {
            "employee_field_value": body.get("userId"),
            "employee_fieldname": self._field,
            "timestamp": f"{at:%Y-%m-%d %H:%M:%S}",
            "device_id": self._device,
            "log_type": str(body.get("direction", "")).upper(),
        }


def _reason(answer: WebAnswer) -> str:
    """The sentence of a refusal out of its wrappings: a list of JSON texts in a JSON text."""
    said = answer.json()
    if not isinstance(said, dict):
        return answer.text
    texts = [str(said.get("exception", ""))]
    try:
        messages = json.loads(said.get("_server_messages") or "[]")
        texts = [str(json.loads(message)["message"]) for message in messages] or texts
    except (ValueError, TypeError, KeyError):
        pass  # an answer of another shape: the text of the exception is enough
    return " ".join(texts)
