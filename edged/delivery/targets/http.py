"""The target `http`: JSON by POST to a receiver that acknowledges every record by its id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from edged.clock import Clock
from edged.config.delivery_section import TargetConfig
from edged.delivery.http_client import WebAnswer, WebCaller, require_success
from edged.delivery.target import DeliveryFailed, Message, Receipt, shortened
from edged.delivery.target_secrets import TargetSecrets


class HttpTarget:
    """Push contract of docs/reference/terminals.md 2.7: the receiver echoes the id as `recordId` or `logId`
    (the body has both), and `errorCode` 0 means that it has stored the record. Anything else is no
    acknowledgement, whatever the status.
    """

    def __init__(self, settings: TargetConfig, secrets: TargetSecrets, clock: Clock) -> None:
        self.batch = settings.batch
        self._name = settings.name
        self._token = secrets.find("token")
        self._caller = WebCaller(
            settings.name,
            settings.url or "",
            clock,
            ca_file=settings.ca_file,
            timeout_s=settings.timeout_s,
        )

    def deliver(self, messages: Sequence[Message]) -> Receipt:
        """One request: the record itself, or `{"records": […]}` where the target takes several."""
        headers = {"Content-Type": "application/json"}
        if self.batch == 1:
            headers["Idempotency-Key"] = messages[0].id
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        answer = self._caller.post(body_of(messages, self.batch), headers)
        require_success(answer, self._name)
        return self._receipt(messages, answer)

    def tend(self) -> None:
        """Nothing to do between records."""

    def close(self) -> None:
        """Close the kept connection."""
        self._caller.close()

    def _receipt(self, messages: Sequence[Message], answer: WebAnswer) -> Receipt:
        said = answer.json()
        if not isinstance(said, dict):
            raise self._not_acknowledged(answer, "it is no JSON object")
        error = said.get("errorCode", 0)
        if error not in (0, "0") or isinstance(error, bool):
            text = shortened(str(said.get("errorMsg", "")))
            raise self._not_acknowledged(answer, f"errorCode {shortened(str(error))} {text}".strip())
        if self.batch == 1:
            if messages[0].id not in (said.get("recordId"), said.get("logId")):
                raise self._not_acknowledged(answer, f"it does not echo recordId {messages[0].id}")
            return Receipt(frozenset({messages[0].id}))
        return self._receipt_for_several(messages, said, answer)

    def _receipt_for_several(
        self, messages: Sequence[Message], said: dict[str, Any], answer: WebAnswer
    ) -> Receipt:
        taken, refused = said.get("recordIds"), said.get("refused", {})
        if not isinstance(taken, list) or not isinstance(refused, dict):
            raise self._not_acknowledged(answer, "it has no list recordIds")
        ids = {message.id for message in messages}
        return Receipt(
            frozenset(i for i in taken if isinstance(i, str)) & ids,
            {i: shortened(str(why)) for i, why in refused.items() if i in ids},
        )

    def _not_acknowledged(self, answer: WebAnswer, why: str) -> DeliveryFailed:
        return DeliveryFailed(
            f"{self._name} answered {answer.status}, but did not acknowledge: {why}.",
            code="delivery_no_acknowledgement",
            hint="Is url the address of a receiver as docs/delivery.md describes it?",
            about_record=True,
        )


def body_of(messages: Sequence[Message], batch: int) -> bytes:
    """The record itself for a target that takes one at a time, else an object with the list `records`."""
    content: Any = messages[0].body if batch == 1 else {"records": [message.body for message in messages]}
    return json.dumps(content, ensure_ascii=False).encode("utf-8")
