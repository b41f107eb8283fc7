"""The target `webhook`: JSON by POST, signed, to any receiver; the status alone is its acknowledgement."""

from __future__ import annotations

from collections.abc import Sequence

from edged.clock import Clock
from edged.config.delivery_section import TargetConfig
from edged.delivery.http_client import WebCaller, require_success
from edged.delivery.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from edged.delivery.target import Message, Receipt
from edged.delivery.target_secrets import TargetSecrets
from edged.delivery.targets.http import body_of


class WebhookTarget:
    """Signs every request with the secret of the target at the moment of sending; see signature.py."""

    def __init__(self, settings: TargetConfig, secrets: TargetSecrets, clock: Clock) -> None:
        self.batch = settings.batch
        self._name = settings.name
        self._secret = secrets.need("secret")
        self._clock = clock
        self._caller = WebCaller(
            settings.name,
            settings.url or "",
            clock,
            ca_file=settings.ca_file,
            timeout_s=settings.timeout_s,
        )

    def deliver(self, messages: Sequence[Message]) -> Receipt:
        """One request: the record itself, or `{"records": […]}` where the target takes several."""
        body = body_of(messages, self.batch)
        now_s = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: str(now_s),
            SIGNATURE_HEADER: sign(self._secret.reveal(), now_s, body),
        }
        if self.batch == 1:
            headers["Idempotency-Key"] = messages[0].id
        answer = self._caller.post(body, headers)
        require_success(answer, self._name)
        return Receipt(frozenset(message.id for message in messages))

    def tend(self) -> None:
        """Nothing to do between records."""

    def close(self) -> None:
        """Close the kept connection."""
        self._caller.close()
